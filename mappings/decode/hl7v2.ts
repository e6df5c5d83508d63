/** An HL7 v2 message field by field, in the character set that its site is read in. */
import type { DecodedMessage, JournalSource } from '../../hub/core/decoded.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { decodeFor, parseMessage, readHeader, type Message } from '../hl7v2/index.ts';
import { fieldName, segmentName } from './hl7v2-fields.ts';
import { Rows } from './row.ts';

const MAX_FIELDS = 120;
const MAX_COMPONENTS = 30;

export function decodeHl7(source: JournalSource, site: SiteProfile, unmask: boolean): DecodedMessage {
  const rows = new Rows(source.findings, unmask);
  const bytes = Buffer.from(source.bytes);
  const header = readHeader(bytes);
  const text = header.ok ? decodeFor(bytes, site, header.value) : header;
  const message = text.ok ? parseMessage(text.value.text, text.value.charset) : text;
  if (!message.ok) return rows.message('unreadable', null);
  const seen = new Map<string, number>();
  for (const segment of message.value.segments) {
    if (rows.full) break;
    const nth = (seen.get(segment.name) ?? 0) + 1;
    seen.set(segment.name, nth);
    rows.add(
      { where: segment.name, ...segmentName(segment.name), depth: 0 },
      nth === 1 ? '' : `#${String(nth)}`,
      'plain',
    );
    fields(segment, message.value, rows);
  }
  return rows.message('hl7v2', message.value.charset);
}

type Segment = Message['segments'][number];

function fields(segment: Segment, message: Message, rows: Rows): void {
  const isHeader = /^(MSH|FHS|BHS)$/.test(segment.name);
  const count = segment.raw.split(message.delimiters.field, MAX_FIELDS + 1).length - (isHeader ? 0 : 1);
  for (let field = 1; field <= Math.min(count, MAX_FIELDS); field++) {
    const raw = segment.rawField(field);
    if (raw === '') continue;
    const { name, nameZh, sight, cx } = fieldName(segment.name, field);
    const where = `${segment.name}-${String(field)}`;
    // MSH-1, MSH-2 and texts are one value whatever delimiters stand in them.
    const whole = (isHeader && field <= 2) || sight === 'text';
    if (whole) {
      const value = isHeader && field <= 2 ? raw : segment.whole(field).whole();
      rows.add({ where, name, nameZh, depth: 1 }, value, sight);
      continue;
    }
    const repetitions = segment.repetitions(field);
    for (const { field: one, at } of repetitions) {
      const place = repetitions.length === 1 ? where : `${where}[${String(at)}]`;
      const parts = one.raw.split(message.delimiters.component, MAX_COMPONENTS).length;
      if (parts <= 1) {
        rows.add({ where: place, name, nameZh, depth: 1 }, one.isNull ? '""' : one.component(1), sight);
        continue;
      }
      rows.add({ where: place, name, nameZh, depth: 1 }, '', 'plain');
      for (let component = 1; component <= parts; component++) {
        const value = one.component(component);
        const shown = cx && component > 1 ? 'plain' : sight;
        if (value !== '') rows.add({ where: `${place}.${String(component)}`, depth: 2 }, value, shown);
      }
    }
  }
}
