/** An XML message (HL7 v3, a document's metadata) element by element; only attributes that are codes and OIDs are shown. */
import type { DecodedMessage, JournalSource } from '../../hub/core/decoded.ts';
import { parseXml, type XmlElement } from '../xds/xml.ts';
import { Rows } from './row.ts';

const LIMITS = { bytes: 4 << 20, depth: 40, elements: 20_000 };
const PLAIN = new Set(
  'root code codeSystem codeSystemName classCode moodCode typeCode determinerCode use nullFlavor ITSVersion assigningAuthorityName unit contextControlCode'.split(
    ' ',
  ),
);

export function decodeXml(source: JournalSource, unmask: boolean): DecodedMessage {
  const rows = new Rows(source.findings, unmask);
  const parsed = parseXml(source.bytes, LIMITS);
  if (!parsed.ok) return rows.message('unreadable', null);
  walk(parsed.value, parsed.value.name, 0, rows);
  return rows.message('xml', 'UTF-8');
}

function walk(element: XmlElement, where: string, depth: number, rows: Rows): void {
  if (rows.full) return;
  rows.add({ where, depth }, element.text.trim(), 'text');
  for (const [name, value] of element.attributes)
    rows.add(
      { where: `${where}/@${name}`, depth: depth + 1 },
      value,
      PLAIN.has(name) && !/^\d{8,}$/.test(value) ? 'plain' : 'text',
    );
  const seen = new Map<string, number>();
  for (const child of element.children) {
    const nth = (seen.get(child.name) ?? 0) + 1;
    seen.set(child.name, nth);
    walk(child, `${where}/${child.name}${nth === 1 ? '' : `[${String(nth)}]`}`, depth + 1, rows);
  }
}
