/**
 * A report as a page that a person reads: hospital, patient and exam above, findings and impression below, signatures and
 * page numbers. Made where the hospital sent no PDF of its own. Characters outside Adobe-GB1 (supplementary planes) have
 * no glyph in the predefined fonts: the CDA beside it carries them.
 */
import { dtm } from './document-fields.ts';
import { PAGE, pdfFile, PdfPage } from './pdf-file.ts';
import { textWidth, wrap } from './pdf-text.ts';
import { shownTime, type ReportWords } from './report-words.ts';

const MARGIN = 56;
const WIDTH = PAGE.width - 2 * MARGIN;
const TOP = PAGE.height - MARGIN;
/** Above the line of page numbers. */
const BOTTOM = MARGIN + 28;
const BODY = { size: 10.5, line: 18 } as const;
/** Of a section, in UTF-16 units: some 140 pages, which no reader turns; the whole text is in the CDA. */
const LONGEST = 200_000;
const CUT = '（正文过长，以下从略；全文见本报告的 CDA 文档。）';

export function reportPdf(words: ReportWords): Buffer {
  const sheet = new Sheet(words);
  sheet.head();
  for (const [heading, text] of sectionsOf(words)) sheet.section(heading, text);
  sheet.signatures();
  return pdfFile(sheet.finish(), {
    title: `${words.hospital} ${words.title}`,
    author: words.hospital,
    createdAt: `D:${dtm(words.auditedAt)}Z`,
  });
}

function sectionsOf(words: ReportWords): (readonly [string, string])[] {
  const parts: (readonly [string, string | null])[] = [
    ['影像所见', words.findings],
    ['诊断意见', words.impression],
    ['建议', words.suggestion],
  ];
  return parts.flatMap(([heading, text]) => {
    if (text === null) return [];
    return [[heading, text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}\n${CUT}`] as const];
  });
}

/** Lays text out from the top and begins another page where it ends. */
class Sheet {
  readonly #words: ReportWords;
  readonly #pages: PdfPage[] = [];
  #page: PdfPage;
  #y = TOP;

  constructor(words: ReportWords) {
    this.#words = words;
    this.#page = new PdfPage();
    this.#pages.push(this.#page);
  }

  head(): void {
    for (const line of wrap(this.#words.hospital, WIDTH, 18)) this.#centred(line, 18, 26, true);
    for (const line of wrap(this.#words.title, WIDTH, 14)) this.#centred(line, 14, 24, false);
    this.#y -= 2;
    this.#rule(1.2);
    for (const row of factsOf(this.#words)) this.#row(row);
    this.#y -= 2;
    this.#rule(0.6);
  }

  section(heading: string, text: string): void {
    // A heading never stands alone at the foot of a page.
    this.#room(24 + 2 * BODY.line);
    this.#y -= 24;
    this.#page.text(MARGIN, this.#y, 12, heading, true);
    this.#y -= 4;
    for (const line of wrap(text, WIDTH - 21, BODY.size)) {
      this.#room(BODY.line);
      this.#y -= BODY.line;
      this.#page.text(MARGIN + 21, this.#y, BODY.size, line);
    }
  }

  signatures(): void {
    const { reporter, auditor, reportedAt, auditedAt, timeZone, corrected, version } = this.#words;
    this.#room(84);
    this.#y -= 24;
    this.#rule(0.6);
    this.#row([
      ['报告医师', reporter ?? ''],
      ['审核医师', auditor ?? ''],
    ]);
    this.#row([
      ['报告时间', shownTime(reportedAt, timeZone)],
      ['审核时间', shownTime(auditedAt, timeZone)],
    ]);
    if (corrected) this.#row([['版本', `更正报告，第 ${String(version)} 版`]]);
  }

  /** Page numbers know the count of pages, so they come last. */
  finish(): PdfPage[] {
    const { patient, accession } = this.#words;
    for (const [at, page] of this.#pages.entries()) {
      page.line(MARGIN, MARGIN + 14, MARGIN + WIDTH, MARGIN + 14, 0.4);
      const number = `第 ${String(at + 1)} 页 / 共 ${String(this.#pages.length)} 页`;
      page.text(MARGIN + WIDTH - textWidth(number, 8.5), MARGIN, 8.5, number);
      const whose = `${patient.name}  检查号 ${accession ?? '—'}`;
      page.text(MARGIN, MARGIN, 8.5, wrap(whose, WIDTH - 120, 8.5)[0] ?? '');
    }
    return this.#pages;
  }

  #room(points: number): void {
    if (this.#y - points >= BOTTOM) return;
    this.#page = new PdfPage();
    this.#pages.push(this.#page);
    this.#y = TOP;
    this.#page.text(
      MARGIN,
      this.#y - 9,
      9,
      wrap(`${this.#words.hospital}  ${this.#words.title}（续）`, WIDTH, 9)[0] ?? '',
    );
    this.#y -= 16;
    this.#rule(0.4);
  }

  #centred(text: string, size: number, height: number, strong: boolean): void {
    this.#y -= height;
    this.#page.text(MARGIN + (WIDTH - textWidth(text, size)) / 2, this.#y, size, text, strong);
  }

  #rule(width: number): void {
    this.#y -= 6;
    this.#page.line(MARGIN, this.#y, MARGIN + WIDTH, this.#y, width);
  }

  /** Labels and values in equal columns; a long value takes lines of its own column. */
  #row(cells: readonly (readonly [string, string])[]): void {
    const width = WIDTH / Math.max(cells.length, 1);
    const columns = cells.map(([label, value]) => {
      const from = textWidth(`${label}：`, BODY.size);
      return { label, from, lines: wrap(value, width - from - 6, BODY.size).slice(0, 4) };
    });
    const height = Math.max(1, ...columns.map(({ lines }) => lines.length)) * 17;
    this.#room(height);
    for (const [at, { label, from, lines }] of columns.entries()) {
      const x = MARGIN + at * width;
      this.#page.text(x, this.#y - 16, BODY.size, `${label}：`);
      for (const [row, line] of lines.entries()) this.#page.text(x + from, this.#y - 16 - row * 17, BODY.size, line);
    }
    this.#y -= height;
  }
}

function factsOf(words: ReportWords): (readonly (readonly [string, string])[])[] {
  const { patient, timeZone } = words;
  return [
    [
      ['姓名', patient.name],
      ['性别', patient.sex?.display ?? ''],
      ['出生日期', patient.birthDate ?? ''],
    ],
    [
      ['患者号', patient.localId],
      ['检查号', words.accession ?? ''],
      ['报告号', words.reportNumber ?? ''],
    ],
    [
      ['检查类别', words.modality],
      ['检查部位', words.bodyPart],
      ['申请科室', words.order.requestingDepartment?.display ?? ''],
    ],
    [
      ['检查项目', words.procedure],
      ['检查时间', words.examinedAt === null ? '' : shownTime(words.examinedAt, timeZone)],
    ],
    ...(words.order.diagnosis?.display === undefined ? [] : [[['临床诊断', words.order.diagnosis.display] as const]]),
  ];
}
