/**
 * Whose a resource is, at read time. Resources of exams name the registration's own person and are never rewritten when
 * persons are joined or parted; here each such name becomes the person of today, and a search for one person becomes a
 * search for all names that mean it.
 */
import type { Criterion } from '../core/fhir.ts';
import type { VersionRow } from './fhir-version.ts';

type Query = <Row extends object>(text: string, values: readonly unknown[]) => Promise<Row[]>;

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const REFERENCE = new RegExp(`"Patient/(${UUID})"`, 'g');
const TOKEN = new RegExp(`^([A-Za-z-]+)=Patient/(${UUID})$`);
/** A Patient's own links say what they say: they are how a reader follows a replaced person. */
const OWN_NAME = new Set(['Patient', 'Organization', 'Endpoint']);

/** The rows with every subject as it is now; one indexed query for any number of them, none where all stand. */
export async function withSubjects(query: Query, rows: readonly VersionRow[]): Promise<readonly VersionRow[]> {
  const named = new Set<string>();
  for (const row of rows)
    if (!OWN_NAME.has(row.type)) for (const match of row.body?.matchAll(REFERENCE) ?? []) named.add(match[1] ?? '');
  if (named.size === 0) return rows;
  const replaced = await query<{ person_id: string; replaced_by: string }>(
    `select p.person_id, coalesce(n.replaced_by, p.replaced_by) as replaced_by
     from person p join person n on n.person_id = p.replaced_by where p.person_id = any ($1::uuid[])`,
    [[...named]],
  );
  if (replaced.length === 0) return rows;
  const today = new Map(replaced.map((row) => [row.person_id, row.replaced_by]));
  return rows.map((row) =>
    row.body === null || OWN_NAME.has(row.type)
      ? row
      : { ...row, body: row.body.replace(REFERENCE, (all, id: string) => `"Patient/${today.get(id) ?? id}"`) },
  );
}

/** Every token `param=Patient/id` with those of all that are this person, whichever of its names was asked for. */
export async function anyName(query: Query, criteria: readonly Criterion[]): Promise<readonly Criterion[]> {
  const ids = new Set(
    criteria.flatMap((one) => (one.kind === 'tokens' ? one.any.flatMap((token) => TOKEN.exec(token)?.[2] ?? []) : [])),
  );
  if (ids.size === 0) return criteria;
  const names = await query<{ asked: string; name: string }>(SAME_PERSON, [[...ids]]);
  const namesOf = new Map<string, string[]>();
  for (const { asked, name } of names) namesOf.set(asked, [...(namesOf.get(asked) ?? []), name]);
  return criteria.map((one) => {
    if (one.kind !== 'tokens') return one;
    const any = one.any.flatMap((token) => {
      const [, param = '', id = ''] = TOKEN.exec(token) ?? [];
      const all = namesOf.get(id)?.map((name) => `${param}=Patient/${name}`) ?? [];
      return all.length === 0 ? [token] : all;
    });
    return { ...one, any: [...new Set(any)] };
  });
}

/**
 * Persons of earlier releases lead to one that may be replaced in its turn: two steps, never more. The ids come by a
 * subquery (hub/store/subject-index.ts tells why).
 */
export const SAME_PERSON = `
select a.id as asked, n.person_id as name
from unnest((select $1::uuid[])) as a(id) join person p on p.person_id = a.id
  left join person s on s.person_id = p.replaced_by
  cross join lateral (select coalesce(s.replaced_by, p.replaced_by, p.person_id) as id) t
  cross join lateral (
    select t.id as person_id
    union
    select o.person_id from person o where o.replaced_by = t.id
    union
    select f.person_id from person o join person f on f.replaced_by = o.person_id where o.replaced_by = t.id) n`;
