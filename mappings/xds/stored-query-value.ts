/**
 * Values of stored-query parameters (ITI TF-2 §3.18.4.1.2.3.5): quoted strings, bare numbers, lists in parentheses, and
 * what is inside them: codes, times and ids. Pure decoding; whether a parameter may have many values is decided elsewhere.
 */
import type { CodeToken } from '../../hub/core/document-ports.ts';
import type { EntryId, PatientCx } from '../../hub/core/document.ts';

/** rim:LongName has 256 characters; the field puts whole lists into one Value. */
const VALUE_LENGTH = 65_536;

/** `'x'` with quotes doubled inside, a bare number, or several of them in parentheses; null: not of this form. */
export function decodeValue(text: string): readonly string[] | null {
  if (text.length > VALUE_LENGTH) return null;
  const trimmed = text.trim();
  const list = trimmed.startsWith('(');
  if (list && !trimmed.endsWith(')')) return null;
  const inner = list ? trimmed.slice(1, -1) : trimmed;
  if (list && inner.trim() === '') return [];
  const values: string[] = [];
  // Sticky: each item begins where the one before ended, so nothing between items goes unseen, and time is linear.
  const item = /\s*(?:'((?:[^']|'')*)'|(\d+))\s*(,|$)/y;
  for (;;) {
    const found = item.exec(inner);
    if (!found) return null;
    values.push((found[1]?.replaceAll("''", "'") ?? found[2] ?? '').trim());
    if (found[3] !== ',') break;
  }
  return list || values.length === 1 ? values : null;
}

/** The counterpart of `decodeValue`, for whoever asks: one value, or a list. */
export const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;
export const listed = (values: readonly string[]): string => `(${values.map(quoted).join(',')})`;

/** `code^^scheme` (ITI TF-2 §3.18.4.1.2.3.4). A display name between them is passed over. */
export function parseCode(text: string): CodeToken | null {
  const [code = '', , scheme = '', ...rest] = text.split('^').map((part) => part.trim());
  return code !== '' && scheme !== '' && rest.length === 0 ? { code, scheme } : null;
}

const DTM = /^\d{4}(?:(0[1-9]|1[0-2])(?:(0[1-9]|[12]\d|3[01])(?:([01]\d|2[0-3])(?:[0-5]\d(?:[0-5]\d|60)?)?)?)?)?$/;

/** YYYY[MM[DD[hh[mm[ss]]]]], UTC (ITI TF-3 §4.2.3.1.7). */
export const parseDtm = (text: string): string | null => (DTM.test(text) ? text : null);

/** Object ids are compared in lower case; what is no UUID can name nothing. */
export function parseEntryId(text: string): EntryId | null {
  const id = text.toLowerCase();
  return /^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? (id as EntryId) : null;
}

/**
 * CX with an assigning authority by OID, in the form in which the registry keeps it: a namespace name before the OID,
 * which some consumers send, says nothing more and is dropped.
 */
export function parsePatientCx(text: string): PatientCx | null {
  const [id = '', , , authority = '', ...rest] = text.split('^').map((part) => part.trim());
  const [, oid = '', type = ''] = authority.split('&').map((part) => part.trim());
  if (id === '' || !/^\d+(\.\d+)+$/.test(oid) || type.toUpperCase() !== 'ISO' || rest.some((part) => part !== ''))
    return null;
  return `${id}^^^&${oid}&ISO` as PatientCx;
}
