/** Provenance as a search over the versions themselves: each version of each resource has exactly one. */
import type { Criterion, FhirQuery, StoredVersion } from '../core/fhir.ts';
import type { Sealer } from '../core/sealing.ts';
import type { Database } from './database.ts';
import { Binder, dateCondition, timed, type Statement } from './fhir-query.ts';
import { openRow, toVersion, VERSION_COLUMNS, type VersionRow } from './fhir-version.ts';

type Query = <Row extends object>(text: string, values: readonly unknown[]) => Promise<Row[]>;

/** `Type.id.version`, as mappings/fhir/provenance.ts makes it. */
interface Key {
  readonly type: string;
  readonly id: string;
  readonly version: number;
}

function parseKey(id: string): Key | null {
  const match = /^([A-Za-z]+)\.([A-Za-z0-9-]{1,64})\.([1-9]\d{0,8})$/.exec(id);
  const type = match?.[1] ?? '';
  return match && type !== 'Binary' ? { type, id: match[2] ?? '', version: Number(match[3]) } : null;
}

export async function readProvenance(query: Query, fields: Sealer, id: string): Promise<StoredVersion | null> {
  return (await fetchProvenance(query, fields, [id]))[0] ?? null;
}

export async function fetchProvenance(query: Query, fields: Sealer, ids: readonly string[]): Promise<StoredVersion[]> {
  const keys = ids.flatMap((id) => parseKey(id) ?? []);
  if (keys.length === 0) return [];
  const rows = await query<VersionRow>(
    `select ${VERSION_COLUMNS} from unnest($1::text[], $2::text[], $3::int[]) with ordinality k (type, id, version, at)
     join fhir_version v using (type, id, version) order by k.at`,
    [keys.map((key) => key.type), keys.map((key) => key.id), keys.map((key) => key.version)],
  );
  return rows.map((row) => toVersion(openRow(fields, row)));
}

export function provenanceStatement(query: FhirQuery): Statement {
  const sql = new Binder();
  const where = conditions(query.criteria, sql);
  const keys = query.sort.map(({ by, descending }) => {
    const column = by === 'id' ? 'v.type || v.id' : 'v.at';
    return `${column} ${descending ? 'desc' : 'asc'}`;
  });
  const tie = query.sort[0]?.descending === true ? 'desc' : 'asc';
  const order = [...keys, `v.id ${tie}`, `v.version ${tie}`].join(', ');
  return {
    text: `select v.type || '.' || v.id || '.' || v.version as id from fhir_version v where ${where}
      order by ${order} limit ${sql.bind(query.limit)}`,
    values: sql.values,
  };
}

export async function searchProvenance(database: Database, query: FhirQuery, timeoutMs: number): Promise<string[]> {
  return (await timed<{ id: string }>(database, provenanceStatement(query), timeoutMs)).map((row) => row.id);
}

export async function countProvenance(
  database: Database,
  query: Pick<FhirQuery, 'criteria'>,
  timeoutMs: number,
): Promise<number> {
  const sql = new Binder();
  const text = `select count(*)::int as count from fhir_version v where ${conditions(query.criteria, sql)}`;
  return (await timed<{ count: number }>(database, { text, values: sql.values }, timeoutMs))[0]?.count ?? 0;
}

function conditions(criteria: readonly Criterion[], sql: Binder): string {
  return [`v.type <> 'Binary'`, ...criteria.map((criterion) => condition(criterion, sql))].join(' and ');
}

function condition(criterion: Criterion, sql: Binder): string {
  switch (criterion.kind) {
    case 'ids':
      return anyOf(criterion.any.map((id) => keyCondition(parseKey(id), sql)));
    case 'tokens': {
      const test = anyOf(criterion.any.map((token) => tokenCondition(token, sql)));
      return criterion.negate ? `not (${test})` : test;
    }
    case 'date': {
      // Both recorded and _lastUpdated are the version's own time.
      const high = `(v.at + interval '1 millisecond')`;
      return anyOf(criterion.any.map(({ prefix, range }) => dateCondition(prefix, 'v.at', high, range, sql)));
    }
    // Every Provenance has each of its parameters but `patient`.
    case 'missing':
      return (criterion.param === 'patient' ? `(v.type <> 'Patient') = ` : `false = `) + sql.bind(criterion.missing);
    case 'string':
      return 'false';
  }
}

const anyOf = (tests: readonly string[]): string => `(${tests.length === 0 ? 'false' : tests.join(' or ')})`;

function keyCondition(key: Key | null, sql: Binder): string {
  if (key === null) return 'false';
  return `(v.type = ${sql.bind(key.type)} and v.id = ${sql.bind(key.id)} and v.version = ${sql.bind(key.version)})`;
}

function tokenCondition(token: string, sql: Binder): string {
  const match = /^(target|patient|agent)=([A-Za-z]+)\/([A-Za-z0-9.-]+)(?:\/_history\/([1-9]\d{0,8}))?$/.exec(token);
  const [, param, type = '', id = '', version] = match ?? [];
  if (param === 'agent') return type === 'Organization' ? `v.site = ${sql.bind(id)}` : 'false';
  if (param === undefined || (param === 'patient' && type !== 'Patient')) return 'false';
  const test = `v.type = ${sql.bind(type)} and v.id = ${sql.bind(id)}`;
  return version === undefined ? `(${test})` : `(${test} and v.version = ${sql.bind(Number(version))})`;
}
