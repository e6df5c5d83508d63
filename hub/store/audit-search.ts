/** Reads of the audit by what a reader asks for: newest first, from one place on, within a time limit. */
import type { AuditCriteria, AuditPlace, AuditSearch } from '../core/audit.ts';
import { AUDIT_COLUMNS, toRecord, type AuditRow } from './audit-row.ts';
import { vaultOf, type Database } from './database.ts';
import { timed } from './fhir-query.ts';
import { SAME_PERSON } from './fhir-subject.ts';

const TIMEOUT_MS = 10_000;

export function createAuditSearch(database: Database): AuditSearch {
  const { fields } = vaultOf(database.pool);
  return {
    async read({ at, id }) {
      const { rows } = await database.pool.query<AuditRow>(
        `select ${AUDIT_COLUMNS} from audit a where a.at = $1 and a.id = $2`,
        [at, id],
      );
      return rows[0] === undefined ? null : toRecord(fields, rows[0]);
    },
    async find(criteria, page) {
      const persons = await Promise.all((criteria.persons ?? []).map((ids) => everyName(database, ids)));
      const statement = findStatement({ ...criteria, persons }, page);
      return (await timed<AuditRow>(database, statement, TIMEOUT_MS)).map((row) => toRecord(fields, row));
    },
  };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whatever these persons were called when they were shown: an id that was joined to another still finds what was done. */
export async function everyName(database: Database, ids: readonly string[]): Promise<readonly string[]> {
  const known = ids.filter((id) => UUID.test(id));
  if (known.length === 0) return ids;
  const { rows } = await database.pool.query<{ name: string }>(SAME_PERSON, [known]);
  return [...new Set([...ids, ...rows.map((row) => row.name)])];
}

/** Conditions are written only where they are asked for, so that the planner sees what an index can do. */
function findStatement(
  criteria: AuditCriteria,
  page: { readonly limit: number; readonly after?: AuditPlace },
): { text: string; values: readonly unknown[] } {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${String(values.push(value))}`;
  const where = ['true'];
  const { from, to, ids, persons, callerIds, callerNames, outcomes, objects } = criteria;
  if (from !== undefined) where.push(`a.at >= ${bind(from)}`);
  if (to !== undefined) where.push(`a.at < ${bind(to)}`);
  if (ids) where.push(`a.id = any(${bind(ids)}::bigint[])`);
  for (const names of persons ?? []) where.push(`a.persons && ${bind(names)}::text[]`);
  if (callerIds) where.push(`a.caller_id = any(${bind(callerIds)}::text[])`);
  if (callerNames)
    where.push(
      `exists (select from unnest(${bind(callerNames)}::text[]) n where starts_with(lower(a.caller_name), n))`,
    );
  if (outcomes) where.push(`a.outcome = any(${bind(outcomes)}::text[])`);
  if (objects) where.push(`a.objects && ${bind(objects)}::text[]`);
  if (page.after) {
    const { at, id } = page.after;
    // The plain bound is implied, and is what leaves later partitions out.
    where.push(`a.at <= ${bind(at)}`, `(a.at, a.id) < (${bind(at)}::timestamptz, ${bind(id)}::bigint)`);
  }
  const text = `select ${AUDIT_COLUMNS} from audit a where ${where.join(' and ')}
    order by a.at desc, a.id desc limit ${bind(page.limit)}`;
  return { text, values };
}
