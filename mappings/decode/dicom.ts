/** The header of an instance tag by tag, in the character set that its site is read in; bytes and pixels stay where they are. */
import type { DecodedMessage, JournalSource } from '../../hub/core/decoded.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { decodeText, type Charset } from '../dicom/charset.ts';
import type { DataSet, Element } from '../dicom/data-set.ts';
import { attributeOf, tagText, type Tag } from '../dicom/dictionary.ts';
import { readCharset } from '../dicom/header-source.ts';
import { parsePart10Header } from '../dicom/parse.ts';
import type { Sight } from './mask.ts';
import { Rows } from './row.ts';

const MAX_DEPTH = 8;
const TEXT_VRS = new Set([
  'AE',
  'AS',
  'CS',
  'DA',
  'DS',
  'DT',
  'IS',
  'LO',
  'LT',
  'PN',
  'SH',
  'ST',
  'TM',
  'UC',
  'UI',
  'UR',
  'UT',
]);
const NUMBER_VRS = new Set(['US', 'SS', 'UL', 'SL', 'FL', 'FD', 'UV', 'SV']);
/** VRs that hold codes, times, numbers and UIDs: no text that anybody typed. */
const SAFE_VRS = new Set(['AE', 'AS', 'CS', 'DA', 'DS', 'DT', 'IS', 'TM', 'UI', ...NUMBER_VRS]);
/** Texts that describe the device or the technique: manufacturer, institution, station, model, series, protocol, body part. */
const PLAIN = new Set<Tag>([
  0x00080050, 0x00080070, 0x00080080, 0x00081010, 0x0008103e, 0x00081040, 0x00081090, 0x00181020, 0x00181030,
  0x00181000, 0x00200010, 0x00080201,
]);
const NUMBERS = new Set<Tag>([0x00100020, 0x00101000, 0x00102154, 0x00380010]);

const sightOf = (tag: Tag, vr: string): Sight => {
  if (vr === 'PN') return 'name';
  if (tag === 0x00100030 || tag === 0x00101005) return 'date';
  if (NUMBERS.has(tag)) return 'number';
  if (tag === 0x00100040) return 'plain';
  // Group 0010 is the patient; odd groups hold what a manufacturer likes.
  if (tag >>> 16 === 0x0010 || ((tag >>> 16) & 1) === 1) return 'text';
  return SAFE_VRS.has(vr) || PLAIN.has(tag) ? 'plain' : 'text';
};

/** `file`: the first bytes of the Part-10 file, as many as hold its header or less. */
export function decodeDicom(source: JournalSource, file: Buffer, site: SiteProfile, unmask: boolean): DecodedMessage {
  const rows = new Rows(source.findings, unmask);
  const parsed = parsePart10Header(file);
  if (!parsed.ok) return rows.message('unreadable', null);
  const { meta, dataSet } = parsed.value;
  const { charset } = readCharset(dataSet, site);
  tags(meta, charset, 0, '', rows);
  tags(dataSet, charset, 0, '', rows);
  return rows.message('dicom', charset.name);
}

function tags(set: DataSet, charset: Charset, depth: number, inside: string, rows: Rows): void {
  for (const element of [...set.elements.values()].sort((a, b) => a.tag - b.tag)) {
    if (rows.full) return;
    const { tag, vr, items } = element;
    const where = inside + tagText(tag);
    const place = { where, name: attributeOf(tag)?.keyword ?? '', depth };
    if (items !== undefined) {
      rows.add(place, `${vr} × ${String(items.length)}`, 'plain');
      if (depth < MAX_DEPTH)
        items.forEach((item, at) => tags(item, charset, depth + 1, `${where}[${String(at + 1)}].`, rows));
    } else rows.add(place, valueOf(set, element, charset), sightOf(tag, vr));
  }
}

function valueOf(set: DataSet, { tag, vr, start, end }: Element, charset: Charset): string {
  if (NUMBER_VRS.has(vr)) return set.numbers(tag).slice(0, 64).join('\\');
  if (!TEXT_VRS.has(vr)) return `${vr}, ${String(end - start)} B`;
  return decodeText(set.bytes.subarray(start, Math.min(end, start + 8_192)), charset, vr).replace(/[\0 ]+$/, '');
}
