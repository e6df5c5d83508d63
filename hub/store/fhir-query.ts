/** A FHIR search as SQL: every criterion is a condition that an index of 0004-fhir.sql can answer. */
import {
  SearchTimeout,
  type Criterion,
  type DatePrefix,
  type DateRange,
  type FhirQuery,
  type SortKey,
} from '../core/fhir.ts';
import type { Database } from './database.ts';
import { isSecretText } from './sealed-search.ts';

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export class Binder {
  readonly values: unknown[] = [];
  bind(value: unknown): string {
    return `$${String(this.values.push(value))}`;
  }
}

type Filter = Pick<FhirQuery, 'type' | 'criteria'>;

const COLUMNS = {
  id: 'id',
  updated: 'last_updated',
  date1: 'date1_low',
  date2: 'date2_low',
  text: 'sort_text',
  // The face sorts by it what a patient has, and asks nobody else (hub/api/fhir).
  period: 'null::timestamptz',
} as const;

/**
 * When a criterion names few resources, they are taken from its index first and sorted then; the planner alone would
 * sometimes walk the sort's index over the whole table, hoping to meet them early.
 */
export function searchStatement(query: FhirQuery): Statement {
  const sql = new Binder();
  const where = conditions(query, sql);
  const order = orderBy(query.sort);
  const limit = sql.bind(query.limit);
  const text = query.criteria.some(isSelective)
    ? `with hits as materialized (
         select id, last_updated, date1_low, date2_low, sort_text from fhir_resource r where ${where})
       select id from hits order by ${order} limit ${limit}`
    : `select id from fhir_resource r where ${where} order by ${order} limit ${limit}`;
  return { text, values: sql.values };
}

export function countStatement(query: Filter): Statement {
  const sql = new Binder();
  return {
    text: `select count(*)::int as count from fhir_resource r where ${conditions(query, sql)}`,
    values: sql.values,
  };
}

const isSelective = (criterion: Criterion): boolean =>
  criterion.kind === 'ids' ||
  criterion.kind === 'string' ||
  (criterion.kind === 'tokens' && criterion.selective && !criterion.negate);

export function orderBy(sort: readonly SortKey[]): string {
  const keys = sort.map(({ by, descending }) => `${COLUMNS[by]} ${descending ? 'desc nulls last' : 'asc nulls last'}`);
  // The id makes the order total; it follows the direction of the first key, so that an index read backwards serves.
  return sort.some((key) => key.by === 'id')
    ? keys.join(', ')
    : [...keys, `id ${sort[0]?.descending ? 'desc' : 'asc'}`].join(', ');
}

function conditions(query: Filter, sql: Binder): string {
  const all = query.criteria.map((criterion) => condition(query.type, criterion, sql));
  return [`r.type = ${sql.bind(query.type)}`, 'not r.deleted', ...all].join(' and ');
}

function condition(type: string, criterion: Criterion, sql: Binder): string {
  switch (criterion.kind) {
    case 'ids':
      return `r.id = any(${sql.bind(criterion.any)})`;
    case 'tokens': {
      const operator = criterion.any.length === 1 ? '@>' : '&&';
      const test = `r.tokens ${operator} ${sql.bind(criterion.any)}::text[]`;
      return criterion.negate ? `not (${test})` : test;
    }
    case 'missing': {
      const has = `r.present @> ${sql.bind([criterion.param])}::text[]`;
      return criterion.missing ? `not (${has})` : has;
    }
    case 'date': {
      if (criterion.column === 'period') return 'false';
      const [low, high]: readonly [string, string] =
        criterion.column === 'updated'
          ? ['r.last_updated', `(r.last_updated + interval '1 millisecond')`]
          : [`r.${criterion.column}_low`, `r.${criterion.column}_high`];
      const any = criterion.any.map(({ prefix, range }) => dateCondition(prefix, low, high, range, sql));
      return `(${any.join(' or ')})`;
    }
    case 'string':
      return stringCondition(type, criterion, sql);
  }
}

/** Widest interval that a single date value covers is a year; so much may a resource begin before the bound it reaches. */
const WIDEST = `interval '367 days'`;

/** R4 §3.1.1.4.5 over half-open intervals: `low` and `high` are the resource's, `range` is what is asked for. */
export function dateCondition(prefix: DatePrefix, low: string, high: string, range: DateRange, sql: Binder): string {
  // Bound where used: PostgreSQL wants the type of every parameter, and not every prefix looks at both ends.
  const from = (): string => `${sql.bind(range.low)}::timestamptz`;
  const to = (): string => `${sql.bind(range.high)}::timestamptz`;
  const within = (): string => `${low} >= ${from()} and ${low} < ${to()} and ${high} <= ${to()}`;
  switch (prefix) {
    case 'eq':
      return `(${within()})`;
    case 'ne':
      return `(${low} is not null and not (${within()}))`;
    case 'gt':
      return `(${low} >= ${to()} - ${WIDEST} and ${high} > ${to()})`;
    case 'ge':
      return `(${low} >= ${from()} - ${WIDEST} and (${high} > ${to()} or ${low} >= ${from()}))`;
    case 'lt':
      return `(${low} < ${from()})`;
    case 'le':
      return `(${low} < ${to()} and (${low} < ${from()} or ${high} <= ${to()}))`;
    case 'sa':
      return `(${low} >= ${to()})`;
    case 'eb':
      return `(${low} < ${from()} and ${high} <= ${from()})`;
    case 'ap': {
      // A tenth of the distance from now, as R4 proposes, and a day at least.
      const slack = `greatest(interval '1 day', abs(extract(epoch from now() - ${from()})) * 0.1 * interval '1 second')`;
      return `(${low} < ${to()} + ${slack} and ${low} >= ${from()} - ${slack} - ${WIDEST} and ${high} > ${from()} - ${slack})`;
    }
  }
}

function stringCondition(type: string, criterion: Extract<Criterion, { kind: 'string' }>, sql: Binder): string {
  const secret = type === 'Patient' && isSecretText(criterion.params);
  const any = criterion.any.map(({ norm, exact, grams }) => {
    // Of what lies there by keyed hashes all that is asked is in them (store/sealed-search.ts).
    const hashed = secret ? `r.tokens @> ${sql.bind(grams)}::text[]` : null;
    if (hashed !== null && norm === '') return hashed;
    const inText = textCondition(type, criterion, { norm, exact, grams: secret ? [] : grams }, sql);
    return hashed === null ? inText : `(${hashed} or ${inText})`;
  });
  return `(${any.join(' or ')})`;
}

function textCondition(
  type: string,
  criterion: Extract<Criterion, { kind: 'string' }>,
  { norm, exact, grams }: (typeof criterion.any)[number],
  sql: Binder,
): string {
  const head = `t.type = ${sql.bind(type)} and t.param = any(${sql.bind(criterion.params)})`;
  switch (criterion.mode) {
    case 'exact':
      return `r.id in (select t.id from fhir_text t where ${head} and t.norm = ${sql.bind(norm)}
          and t.exact = ${sql.bind(exact)} and t.version = r.version)`;
    case 'equal':
      return `(r.id, r.version) in (select t.id, t.version from fhir_text t where ${head} and t.norm = ${sql.bind(norm)})`;
    case 'prefix':
      return `(r.id, r.version) in (select t.id, t.version from fhir_text t where ${head}
          and t.norm >= ${sql.bind(norm)} and t.norm < ${sql.bind(after(norm))})`;
    case 'contains':
      return `(r.tokens @> ${sql.bind(grams)}::text[] and exists (select from fhir_text t where ${head}
          and t.id = r.id and t.version = r.version and position(${sql.bind(norm)} in t.norm) > 0))`;
  }
}

/** The first text after all that begin with `prefix`, in code point order (collation "C"). */
export function after(prefix: string): string {
  const points = Array.from(prefix);
  for (let at = points.length - 1; at >= 0; at--) {
    const point = points[at]?.codePointAt(0) ?? 0;
    if (point < 0x10ffff) {
      // U+D800..DFFF are no characters.
      const next = point === 0xd7ff ? 0xe000 : point + 1;
      return points.slice(0, at).join('') + String.fromCodePoint(next);
    }
  }
  return '\u{10ffff}'.repeat(points.length + 1);
}

/** Runs with a time limit of its own: a search too wide to answer must not hold a connection. */
export async function timed<Row extends object>(
  database: Database,
  statement: Statement,
  timeoutMs: number,
): Promise<readonly Row[]> {
  try {
    return await database.transaction(async (connection) => {
      await connection.query(`set local statement_timeout = ${String(Math.trunc(timeoutMs))}`);
      return (await connection.query<Row>(statement.text, [...statement.values])).rows;
    });
  } catch (error) {
    // 57014 query_canceled
    if (error instanceof Error && 'code' in error && error.code === '57014') throw new SearchTimeout(error.message);
    throw error;
  }
}

export async function searchResources(database: Database, query: FhirQuery, timeoutMs: number): Promise<string[]> {
  return (await timed<{ id: string }>(database, searchStatement(query), timeoutMs)).map((row) => row.id);
}

export async function countResources(database: Database, query: Filter, timeoutMs: number): Promise<number> {
  return (await timed<{ count: number }>(database, countStatement(query), timeoutMs))[0]?.count ?? 0;
}
