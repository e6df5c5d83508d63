/**
 * OBX as the content of a report: sections of text by code or label, documents (ED), whether positive. What has no
 * section of its own is kept with its label among the findings of the report; nothing is dropped unsaid.
 */
import { unmappedSent } from '../../hub/core/code-mapping.ts';
import type { Coded, ReportContent } from '../../hub/core/record.ts';
import { sectionOf, type Section } from '../codes/report-section.ts';
import type { Context } from './context.ts';
import { isStudyUid } from './exam.ts';
import type { Field, Segment } from './message.ts';

export interface Observed {
  readonly content: Pick<ReportContent, Section | 'positive' | 'critical' | 'conclusionCodes' | 'document'>;
  /** OBX-11 of all, for a report whose OBR-25 is empty. */
  readonly statuses: readonly string[];
}

type Document = NonNullable<ReportContent['document']>;

export function readObservations(segments: readonly Segment[], context: Context): Observed {
  const lines: Record<Section, string[]> = { findings: [], impression: [], suggestion: [] };
  const statuses = new Set<string>();
  const codes: Coded[] = [];
  let document: Document | undefined;
  let positive: boolean | undefined;
  let critical: boolean | undefined;
  for (const [at, segment] of segments.entries()) {
    if (segment.name !== 'OBX') continue;
    const status = segment.text(11).toUpperCase();
    if (status !== '') statuses.add(status);
    // D: deleted, W: posted as correct but wrong, X: cannot be had (table 0085): no content of a report.
    if (isIdentifier(segment) || segment.rawField(5) === '' || ['D', 'W', 'X'].includes(status)) continue;
    const where = `OBX[${String(at + 1)}]-5`;
    const type = segment.text(2).toUpperCase();
    const flag = flagOf(segment);
    if (type === 'ED' || type === 'RP') {
      const found = type === 'ED' ? readDocument(segment.field(5), context, where) : null;
      if (type === 'RP') context.find('degraded', where, 'a reference to another system; it was not fetched');
      else if (found !== null && document !== undefined)
        context.find('degraded', where, 'a second document; only the first was kept');
      else document ??= found ?? undefined;
    } else if (flag === 'positive') positive = readPositive(segment, context, where);
    else if (flag === 'critical') critical = /^(1|Y|T|TRUE|是|有)$/i.test(segment.text(5));
    else {
      const section = sectionFor(segment) ?? 'findings';
      if (section === 'impression' && type.startsWith('C')) codes.push(...conclusion(segment, context));
      const text = textOf(segment, type);
      if (text !== '') lines[section].push(sectionFor(segment) === null ? labelled(segment, text) : text);
    }
  }
  const text = (section: Section): string | undefined => lines[section].join('\n').trim() || undefined;
  const [findings, impression, suggestion] = [text('findings'), text('impression'), text('suggestion')];
  return {
    content: {
      ...(findings === undefined ? {} : { findings }),
      ...(impression === undefined ? {} : { impression }),
      ...(suggestion === undefined ? {} : { suggestion }),
      ...(positive === undefined ? {} : { positive }),
      ...(critical === undefined ? {} : { critical }),
      ...(codes.length === 0 ? {} : { conclusionCodes: codes }),
      ...(document === undefined ? {} : { document }),
    },
    statuses: [...statuses],
  };
}

/** UIDs of study, series and objects are keys, not content. */
const isIdentifier = (obx: Segment): boolean =>
  isStudyUid(obx) || ['113015', '0020000E', '00080018'].includes(obx.text(3)) || /instance uid$/i.test(obx.text(3, 2));

const sectionFor = (obx: Segment): Section | null => sectionOf(obx.text(3, 1, 1), obx.text(3, 1, 2), obx.text(3, 2));

function flagOf(obx: Segment): 'positive' | 'critical' | null {
  const label = obx.text(3, 2) || obx.text(3);
  if (/阴阳性|是否阳性|阳性标志/.test(label)) return 'positive';
  return /危急值|是否危急/.test(label) ? 'critical' : null;
}

/** Words are clear; digits are not (1 is 阴性 on some platforms, 阳性 on others): only the site's table reads those. */
function readPositive(obx: Segment, context: Context, where: string): boolean | undefined {
  const value = obx.text(5);
  const word = context.site.codes.lookup('conclusion', value)?.code ?? value;
  if (/^(阳性|POS|POSITIVE|Y|是|TRUE)$/i.test(word)) return true;
  if (/^(阴性|NEG|NEGATIVE|N|否|FALSE)$/i.test(word)) return false;
  context.find(
    'unmapped-code',
    where,
    'positive or negative is given by a code that the site has not mapped; left out',
    unmappedSent('conclusion', value),
  );
  return undefined;
}

function conclusion(obx: Segment, context: Context): readonly Coded[] {
  return obx
    .repetitions(5)
    .slice(0, 50)
    .flatMap(({ field }) => context.codedField('conclusion', field, 'OBX-5') ?? []);
}

/** TX, FT, ST: the text, `~` a new line. CE, CWE: what is shown. NM, SN, DT …: the value and its unit. */
function textOf(obx: Segment, type: string): string {
  if (['TX', 'FT', 'ST', ''].includes(type)) {
    const parts = obx.repetitions(5).map(({ field }) => field.whole().trim());
    return parts.join('\n').trim();
  }
  const values = obx.repetitions(5).map(({ field }) => valueOf(field, type));
  const unit = obx.text(6, 1);
  const text = values.filter((value) => value !== '').join('\n');
  return unit === '' || text === '' ? text : `${text} ${unit}`;
}

function valueOf(field: Field, type: string): string {
  if (['CE', 'CWE', 'CF', 'CNE'].includes(type)) return field.text(2) || field.text(9) || field.text(1);
  if (type === 'SN') return [1, 2, 3, 4].map((part) => field.text(part)).join('');
  return field.component(1);
}

function labelled(obx: Segment, text: string): string {
  const label = obx.text(3, 2) || obx.text(3);
  return label === '' ? text : `${label}: ${text}`;
}

const CONTENT_TYPES: readonly (readonly [RegExp, string])[] = [
  [/pdf/i, 'application/pdf'],
  [/cda|hl7-v3/i, 'application/hl7-cda+xml'],
  [/xml/i, 'application/xml'],
  [/html?/i, 'text/html'],
  [/rtf/i, 'application/rtf'],
  [/jpe?g/i, 'image/jpeg'],
  [/png/i, 'image/png'],
  [/tiff?/i, 'image/tiff'],
  [/dicom/i, 'application/dicom'],
  [/plain|text|ascii/i, 'text/plain'],
];

/** What the first bytes say, where subtype and content disagree or the subtype is missing. */
function sniff(bytes: Buffer): string | null {
  if (bytes.subarray(0, 5).toString('latin1') === '%PDF-') return 'application/pdf';
  return /<ClinicalDocument[\s>]/.test(bytes.toString('utf8', 0, 4_096)) ? 'application/hl7-cda+xml' : null;
}

/** ED (v2.5.1 §2.A.24): source ^ type ^ subtype ^ encoding ^ data; senders shift the first three. */
function readDocument(field: Field, context: Context, where: string): Document | null {
  const said = [1, 2, 3].map((part) => field.text(part)).join(' ');
  const encoding = field.text(4).toUpperCase();
  const raw = field.rawComponent(5);
  const bytes = encoding === 'A' || encoding === '' ? plain(field, raw) : encoding === 'HEX' ? hex(raw) : base64(raw);
  if (bytes === null || bytes.length === 0) {
    context.find('invalid-value', where, 'the document is not encoded as it says; it was left out');
    return null;
  }
  const contentType =
    sniff(bytes) ?? CONTENT_TYPES.find(([pattern]) => pattern.test(said))?.[1] ?? 'application/octet-stream';
  return { contentType, data: bytes.toString('base64') };
}

/** `A`, or nothing said: text, unless it can only be base64 of a document. */
function plain(field: Field, raw: string): Buffer | null {
  const guess = /^[A-Za-z0-9+/=\s]{64,}$/.test(raw) ? base64(raw) : null;
  return guess !== null && sniff(guess) !== null ? guess : Buffer.from(field.component(5), 'utf8');
}

const hex = (raw: string): Buffer | null => (/^(?:[0-9A-Fa-f]{2})+$/.test(raw) ? Buffer.from(raw, 'hex') : null);

function base64(raw: string): Buffer | null {
  const text = raw.replace(/\\\.br\\|\\X0D\\|\\X0A\\|\s/gi, '');
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.replace(/=+$/, '').length % 4 !== 1
    ? Buffer.from(text, 'base64')
    : null;
}
