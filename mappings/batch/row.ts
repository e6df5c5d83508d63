/** What the columns of a batch mean (`fields.json`), and a row as what a source wrote about one person. */
import { fail, ok, problem, type Result } from '../../hub/core/problem.ts';
import type { Written } from '../../hub/core/match/registration.ts';
import { sexOf } from '../codes/demographics.ts';

const MEANINGS = [
  'record_id',
  'given_name',
  'family_name',
  'full_name',
  'birth_date',
  'sex',
  'resident_id',
  'identifier',
  'phone',
  'address',
  'locality',
  'postal_code',
  'ignore',
] as const;
type Meaning = (typeof MEANINGS)[number];

export type Fields = ReadonlyMap<string, Meaning>;

export function readFields(json: string): Result<Fields> {
  let told: unknown;
  try {
    told = JSON.parse(json);
  } catch {
    return fail(problem('malformed', 'fields', 'The fields are not JSON.'));
  }
  if (typeof told !== 'object' || told === null || Array.isArray(told))
    return fail(problem('malformed', 'fields', 'The fields are an object: column name to meaning.'));
  const fields = new Map<string, Meaning>();
  for (const [column, meaning] of Object.entries(told)) {
    const known = MEANINGS.find((one) => one === meaning);
    if (known === undefined)
      return fail(problem('malformed', column, `A column means one of: ${MEANINGS.join(', ')}.`));
    fields.set(column.trim(), known);
  }
  return [...fields.values()].filter((meaning) => meaning === 'record_id').length === 1
    ? ok(fields)
    : fail(problem('malformed', 'fields', 'Exactly one column is the record_id.'));
}

/** Reads rows under this header; a column that the fields do not name is ignored. `issuer` is of the file. */
export function rowReader(
  header: readonly string[],
  fields: Fields,
  issuer: string,
): Result<(cells: readonly string[]) => Written | null> {
  const names = header.map((name) => name.replace(/^\uFEFF/u, '').trim());
  const columns = new Map<Meaning, readonly number[]>(
    MEANINGS.map((meaning) => [meaning, names.flatMap((name, at) => (fields.get(name) === meaning ? [at] : []))]),
  );
  if (columns.get('record_id')?.length !== 1)
    return fail(problem('malformed', 'header', 'The header lacks the column of the record_id.'));
  return ok((cells) => {
    const all = (meaning: Meaning): string[] =>
      (columns.get(meaning) ?? []).map((at) => (cells[at] ?? '').trim()).filter((cell) => cell !== '');
    const joined = (meaning: Meaning): string | null => all(meaning).join(' ') || null;
    const recordId = joined('record_id');
    if (recordId === null) return null;
    return {
      recordId,
      issuer,
      names: namesOf(joined('family_name'), joined('given_name'), all('full_name')),
      birthDate: birthDateOf(joined('birth_date')),
      sex: sexOf(joined('sex') ?? '') ?? null,
      residentId: joined('resident_id'),
      identifiers: (columns.get('identifier') ?? []).flatMap((at) => {
        const value = (cells[at] ?? '').trim();
        return value === '' ? [] : [{ type: 'column', authority: names[at] ?? '', value }];
      }),
      phones: all('phone').flatMap((cell) => cell.split(/[;,、/；，]/u)),
      address: joined('address'),
      locality: joined('locality'),
      postalCode: joined('postal_code'),
    };
  });
}

function namesOf(family: string | null, given: string | null, full: readonly string[]): Written['names'] {
  const whole = full.map((text) => ({ text }));
  if (family === null && given === null) return whole;
  const text = [family, given].filter((part) => part !== null).join(' ');
  return [{ text, ...(family === null ? {} : { family }), ...(given === null ? {} : { given }) }, ...whole];
}

/** Day first where the year comes last (31/12/1980); the other forms are read where features are made. */
function birthDateOf(text: string | null): string | null {
  const match = /^(\d{1,2})[-./](\d{1,2})[-./](\d{4})$/u.exec(text ?? '');
  if (match === null) return text;
  const [, day = '', month = '', year = ''] = match;
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
}
