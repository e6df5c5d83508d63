/**
 * A small PDF file (ISO 32000-1): pages of text and lines in one Adobe-GB1 font that every reader has or substitutes.
 * Nothing is compressed and nothing is dated by a clock, so that the same report gives the same bytes on every machine.
 */
import { clean, hexText, LATIN_WIDTHS } from './pdf-text.ts';

/** A4 in points. */
export const PAGE = { width: 595, height: 842 } as const;

export interface PdfInfo {
  readonly title: string;
  readonly author: string;
  /** `D:YYYYMMDDHHMMSSZ`. */
  readonly createdAt: string;
}

/** What is drawn on one page; the origin is the lower left corner. */
export class PdfPage {
  readonly #marks: string[] = [];

  /** `strong`: outlined in its own colour (rendering mode 2), since the font has no bold of its own everywhere. */
  text(x: number, y: number, size: number, text: string, strong = false): void {
    const mode = strong ? `2 Tr ${num(size / 40)} w` : '0 Tr';
    this.#marks.push(
      `BT /F1 ${num(size)} Tf ${mode} ${num(x)} ${num(y)} Td ${hexText(clean(text).replaceAll('\n', ' '))} Tj ET`,
    );
  }

  line(x1: number, y1: number, x2: number, y2: number, width = 0.6): void {
    this.#marks.push(`${num(width)} w ${num(x1)} ${num(y1)} m ${num(x2)} ${num(y2)} l S`);
  }

  content(): string {
    return `${this.#marks.join('\n')}\n`;
  }
}

const num = (value: number): string => String(Math.round(value * 100) / 100);

/** Objects 1 catalogue, 2 page tree, 3 information, 4..6 the font, then page and content in turn. */
export function pdfFile(pages: readonly PdfPage[], info: PdfInfo): Buffer {
  const first = 7;
  const pageIds = pages.map((_, at) => first + at * 2);
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R /Lang (zh-CN) /ViewerPreferences << /DisplayDocTitle true >> >>',
    `<< /Type /Pages /Count ${String(pages.length)} /Kids [${pageIds.map((id) => `${String(id)} 0 R`).join(' ')}] >>`,
    `<< /Title ${hexInfo(info.title)} /Author ${hexInfo(info.author)} /Producer (Hutong) /CreationDate (${info.createdAt}) >>`,
    ...fontObjects(4),
    ...pages.flatMap((page, at) => {
      const content = page.content();
      return [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${String(PAGE.width)} ${String(PAGE.height)}] ` +
          `/Resources << /Font << /F1 4 0 R >> >> /Contents ${String(first + at * 2 + 1)} 0 R >>`,
        `<< /Length ${String(Buffer.byteLength(content, 'latin1'))} >>\nstream\n${content}endstream`,
      ];
    }),
  ];
  return serialise(objects);
}

/** ISO 32000-1 §9.7.5.2: a Type 0 font with a predefined CMap needs no embedded program. */
const fontObjects = (id: number): string[] => [
  `<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light-UniGB-UTF16-H /Encoding /UniGB-UTF16-H ` +
    `/DescendantFonts [${String(id + 1)} 0 R] >>`,
  `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light ` +
    `/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /DW 1000 /W [1 [${LATIN_WIDTHS.join(' ')}]] ` +
    `/FontDescriptor ${String(id + 2)} 0 R >>`,
  '<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 ' +
    '/Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>',
];

/** Text strings of the information dictionary carry a byte order mark (§7.9.2.2). */
const hexInfo = (text: string): string => hexText(`\ufeff${clean(text).replaceAll('\n', ' ')}`);

function serialise(objects: readonly string[]): Buffer {
  const parts = ['%PDF-1.5\n%\xe2\xe3\xcf\xd3\n'];
  let at = parts[0]?.length ?? 0;
  const offsets: number[] = [];
  for (const [index, body] of objects.entries()) {
    const text = `${String(index + 1)} 0 obj\n${body}\nendobj\n`;
    offsets.push(at);
    at += text.length;
    parts.push(text);
  }
  const size = String(objects.length + 1);
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  parts.push(`xref\n0 ${size}\n0000000000 65535 f \n${rows}`);
  parts.push(`trailer\n<< /Size ${size} /Root 1 0 R /Info 3 0 R >>\nstartxref\n${String(at)}\n%%EOF\n`);
  return Buffer.from(parts.join(''), 'latin1');
}
