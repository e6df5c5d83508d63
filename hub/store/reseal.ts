/**
 * Seals rows anew while the hub runs: those of a release that did not seal, and those of earlier keys or another algorithm.
 * In small transactions, each of which keeps how far it came, so that it may be broken off and goes on where it was.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Matching } from '../core/match/matcher.ts';
import type { Features } from '../core/match/features.ts';
import { vaultOf, type Connection, type Database } from './database.ts';
import { PARTS, type Part, type TextSeals } from './reseal-part.ts';
import { openJson } from './sealed.ts';
import { featuresContext, matchKey } from './sealed-facts.ts';

const BATCH = 200;
/** Between batches the disk belongs to the hub. */
const PAUSE_MS = 5;

export interface ResealProgress {
  readonly part: string;
  readonly passed: number;
  readonly sealed: number;
  readonly done: boolean;
}

interface ResealDeps {
  readonly database: Database;
  readonly seals: TextSeals;
  /** Id of the data key that everything is to be sealed by: another one begins anew. */
  readonly target: number;
  readonly tell?: (progress: ResealProgress) => void;
}

/** Resolves when every row is sealed by today's key. Several may run; they do each other's work and no harm. */
export async function reseal(deps: ResealDeps): Promise<void> {
  for (const part of PARTS) {
    const place = await placeOf(deps, part);
    if (place === null) continue;
    let { cursor, passed } = place;
    let sealed = 0;
    for (let ended = false; !ended;) {
      const step = await deps.database.transaction((connection) => sealBatch(connection, part, cursor, deps));
      ({ cursor, ended } = step);
      passed += step.rows;
      sealed += step.sealed;
      deps.tell?.({ part: part.name, passed, sealed, done: ended });
      if (!ended) await pause(PAUSE_MS);
    }
  }
  // What was written of an address beside its hashes goes when all have them.
  await deps.database.pool.query(`delete from fhir_text where type = 'Patient' and param = 'address'`);
}

type Cursor = readonly string[];

async function placeOf(
  { database, target }: ResealDeps,
  part: Part,
): Promise<{ readonly cursor: Cursor; readonly passed: number } | null> {
  const first = part.key.map(([, , least]) => least);
  const { rows } = await database.pool.query<{ cursor: string; passed: string; done_at: Date | null }>(
    `insert into reseal as r (part, target, cursor) values ($1, $2, $3)
     on conflict (part) do update set target = $2,
       cursor = case when r.target = $2 then r.cursor else $3 end,
       passed = case when r.target = $2 then r.passed else 0 end,
       done_at = case when r.target = $2 then r.done_at end
     returning cursor, passed, done_at`,
    [part.name, target, JSON.stringify(first)],
  );
  const [row] = rows;
  if (row?.done_at !== null) return null;
  return { cursor: JSON.parse(row.cursor) as Cursor, passed: Number(row.passed) };
}

interface Step {
  readonly cursor: Cursor;
  readonly rows: number;
  readonly sealed: number;
  readonly ended: boolean;
}

async function sealBatch(connection: Connection, part: Part, cursor: Cursor, deps: ResealDeps): Promise<Step> {
  const keys = part.key.map(([column]) => column);
  const from = part.key.map(([, type], at) => `$${String(at + 2)}::${type}`);
  const { rows } = await connection.query<Record<string, unknown>>(
    `select ${[...keys, part.column, ...(part.needs === undefined ? [] : [part.needs])].join(', ')}, xmin::text as seen,
       ${keys.map((key, at) => `${key}::text as cursor_${String(at)}`).join(', ')}
     from ${part.table} where (${keys.join(', ')}) > (${from.join(', ')}) and ${part.where ?? 'true'}
     order by ${keys.join(', ')} limit $1`,
    [BATCH, ...cursor],
  );
  const context = { vault: vaultOf(connection), seals: deps.seals };
  let sealed = 0;
  for (const row of rows) {
    const anew = part.anew(row as never, context);
    if (anew !== null && (await replace(connection, part, row, anew))) sealed += 1;
  }
  const last = rows.at(-1);
  const next = last === undefined ? cursor : keys.map((_, at) => String(last[`cursor_${String(at)}`]));
  const ended = rows.length < BATCH;
  await connection.query(
    `update reseal set cursor = $2, passed = passed + $3, done_at = case when $4 then now() end where part = $1 and target = $5`,
    [part.name, JSON.stringify(next), rows.length, ended, deps.target],
  );
  return { cursor: next, rows: rows.length, sealed, ended };
}

const forSql = (type: Part['type'], value: unknown): unknown => (type === 'jsonb' ? JSON.stringify(value) : value);

async function replace(
  connection: Connection,
  part: Part,
  row: Readonly<Record<string, unknown>>,
  anew: unknown,
): Promise<boolean> {
  const { table, column, type, key } = part;
  const own = key.map(([name, keyType], at) => `${name} = $${String(at + 3)}::${keyType}`);
  // By the row's version and not by its value: an ID number that lies there in clear is sent closed (store/sealed-numbers.ts).
  const { rowCount } = await connection.query(
    `update ${table} set ${column} = $1::${type} where xmin = $2::xid and ${own.join(' and ')}
       and ${part.where ?? 'true'}`,
    [forSql(type, anew), row['seen'], ...key.map((_, at) => row[`cursor_${String(at)}`])],
  );
  return rowCount === 1;
}

/** What was done of it, for a status. */
export async function resealStatus(
  database: Database,
): Promise<readonly (ResealProgress & { readonly target: number })[]> {
  const { rows } = await database.pool.query<{ part: string; passed: string; target: number; done: boolean }>(
    'select part, passed, target, done_at is not null as done from reseal order by part',
  );
  return rows.map(({ part, passed, target, done }) => ({ part, passed: Number(passed), sealed: 0, target, done }));
}

/**
 * Blocking keys of a release that did not hash them by a key are made anew from the features, before anything is compared
 * again: without them nobody would be found to be like anybody. Goes on where it was broken off.
 */
export async function rekeyMatches(database: Database, matching: Matching): Promise<number> {
  const matcher = matching.under(null);
  const vault = vaultOf(database.pool);
  let made = 0;
  for (let left = true; left;)
    left = await database.transaction(async (connection) => {
      const { rows: places } = await connection.query<{ cursor: string }>(
        `select cursor from reseal where part = 'match_key' and done_at is null for update`,
      );
      if (places[0] === undefined) return false;
      const { rows } = await connection.query<{ record_id: string; features: Features | string }>(
        'select record_id, features from match_record where record_id > $1 order by record_id limit 1000',
        [places[0].cursor === '' ? '00000000-0000-0000-0000-000000000000' : places[0].cursor],
      );
      const keys = rows.flatMap(({ record_id: id, features }) =>
        matcher
          .keys(openJson<Features>(vault.fields, features, featuresContext(id)))
          .map((key) => [id, matchKey(vault, key)] as const),
      );
      await connection.query(
        'insert into match_key (record_id, key) select * from unnest($1::uuid[], $2::bigint[]) on conflict do nothing',
        [keys.map(([id]) => id), keys.map(([, key]) => key)],
      );
      made += rows.length;
      await connection.query(
        `update reseal set cursor = $1, passed = passed + $2, done_at = case when $3 then now() end where part = 'match_key'`,
        [rows.at(-1)?.record_id ?? places[0].cursor, rows.length, rows.length === 0],
      );
      return rows.length > 0;
    });
  return made;
}
