/**
 * The closed set that one linking decision is about: registrations that comparisons, hospitals or people tie together.
 * Bounded: what is tied to more than a person can have registrations is not decided by the hub.
 */
import type { HubId } from '../core/identifier.ts';
import type { Comparison, Pair, Ruling } from '../core/match/comparison.ts';
import type { Features } from '../core/match/features.ts';
import type { Member } from '../core/person.ts';
import type { Vault } from '../core/sealing.ts';
import { vaultOf, type Connection } from './database.ts';
import { openJson } from './sealed.ts';
import { featuresContext, residentKey } from './sealed-facts.ts';

/** No person has so many registrations; a set that grows beyond it is a fault of the data or of the rules. */
export const COMPONENT_LIMIT = 200;
/** One claim's registrations with all that is tied to them. */
const TOTAL_LIMIT = 5_000;
/** So many of one seed are read together with those of others; most are tied to one or two. */
const EACH = 8;

/** Everything tied to these, these included, along links of one version of the rules, rulings, and what hospitals said. */
export const COMPONENT = `
with recursive grown(record_id) as (
  select unnest($1::uuid[])
  union
  select e.other_id from grown g cross join lateral (
    select p.other_id from match_pair p where p.record_id = g.record_id and p.rules = any ($2::text[]) and p.outcome = 'link'
    union all
    select r.other_id from ruling_in_force r where r.record_id = g.record_id and r.decision = 'same'
    union all
    select t.other_id from record_tie t where t.record_id = g.record_id and t.said = 'same'
    union all
    select m.record_id from patient_record m where m.merged_into = g.record_id
    union all
    select m.merged_into from patient_record m where m.record_id = g.record_id and m.merged_into is not null) e)
select record_id from grown limit $3`;

async function grow(
  connection: Connection,
  seeds: readonly HubId[],
  rules: string | readonly string[],
  limit: number,
): Promise<HubId[]> {
  const { rows } = await connection.query<{ record_id: HubId }>({
    name: 'component',
    text: COMPONENT,
    values: [seeds, [rules].flat(), limit],
  });
  return rows.map((row) => row.record_id);
}

export interface Component {
  readonly records: readonly HubId[];
  /** One registration of each set that is too large: all of it stays as it is, and somebody must look. */
  readonly beyond: readonly HubId[];
}

const ROUNDS = 4;

/**
 * Grows, locks every member in one order, and grows again, since somebody may have decided meanwhile. Locks end with the
 * transaction; they are taken before any row of a registration is written, so that two decisions never wait for each
 * other in a circle. `fresh` are new in this transaction: what is tied to nobody else is in nobody else's decision.
 */
export async function lockComponent(
  connection: Connection,
  seeds: readonly HubId[],
  rules: string | readonly string[],
  fresh: ReadonlySet<string>,
): Promise<Component> {
  const locked = new Set<string>(fresh);
  let known = await growBounded(connection, seeds, rules);
  for (let round = 0; round < ROUNDS && !known.records.every((id) => locked.has(id)); round++) {
    await connection.query({
      name: 'component-lock',
      text: 'select pg_advisory_xact_lock(k) from (select hashtextextended(id, 23) as k from unnest($1::text[]) id order by 1) ordered',
      values: [known.records],
    });
    for (const id of known.records) locked.add(id);
    known = await growBounded(connection, seeds, rules);
  }
  return known;
}

/**
 * Without locks: for who only looks. Several versions of the rules: along the links of each. What is larger than a person
 * can be is neither read nor locked whole: else each arrival that resembles thousands would cost what they all cost.
 */
export async function growBounded(
  connection: Connection,
  seeds: readonly HubId[],
  rules: string | readonly string[],
): Promise<Component> {
  const total = Math.min(TOTAL_LIMIT, COMPONENT_LIMIT + seeds.length * EACH);
  const all = await grow(connection, seeds, rules, total + 1);
  if (all.length <= total) return { records: all, beyond: [] };
  const records = new Set<HubId>();
  const beyond = new Set<HubId>();
  const large = new Set<HubId>();
  for (const seed of seeds) {
    if (records.has(seed) || large.has(seed)) continue;
    const own = await grow(connection, [seed], rules, COMPONENT_LIMIT + 1);
    const tooLarge = own.length > COMPONENT_LIMIT;
    for (const id of own) (tooLarge ? large : records).add(id);
    // Called by the smallest that is seen: mostly the same one, whoever asks.
    const [first] = own.sort();
    if (tooLarge && first !== undefined) beyond.add(first);
  }
  return { records: [...records], beyond: [...beyond] };
}

export interface Ties {
  readonly members: readonly Member[];
  readonly features: ReadonlyMap<string, Features>;
  /** Every kept pair with one of the members, link or review. */
  readonly pairs: readonly Pair[];
  readonly rulings: readonly Ruling[];
  readonly said: readonly Ruling[];
  /** Persons of the registrations beyond the members that pairs and rulings name. */
  readonly others: ReadonlyMap<string, HubId>;
}

interface PairRow {
  readonly a: HubId;
  readonly b: HubId;
  readonly outcome: Comparison['outcome'];
  readonly weight: number;
  readonly veto: Comparison['veto'];
}

export async function loadTies(connection: Connection, records: readonly HubId[], rules: string): Promise<Ties> {
  const members = await connection.query<{
    record_id: HubId;
    since: string;
    person_id: HubId;
    merged_into: HubId | null;
  }>({
    name: 'component-members',
    text: `select record_id, to_char(created_at at time zone 'UTC', 'YYYYMMDDHH24MISSUS') as since, person_id, merged_into
           from patient_record where record_id = any ($1::uuid[]) order by record_id`,
    values: [records],
  });
  const pairs = await connection.query<PairRow>({
    name: 'component-pairs',
    text: `select distinct least(record_id, other_id) as a, greatest(record_id, other_id) as b, outcome, weight, veto
           from match_pair where record_id = any ($1::uuid[]) and rules = $2 and outcome <> 'none' order by 1, 2`,
    values: [records, rules],
  });
  const words = await connection.query<
    Omit<Ruling, 'numbers'> & { numbers: string[] | null; source: 'ruling' | 'tie' }
  >({
    name: 'component-words',
    text: `select record_id as a, other_id as b, decision, coalesce(numbers, '{}') as numbers, 'ruling' as source from ruling_in_force where record_id = any ($1::uuid[])
           union all
           select record_id, other_id, case said when 'same' then 'same' else 'not-same' end, null, 'tie' from record_tie where record_id = any ($1::uuid[])`,
    values: [records],
  });
  // Of two alone everything is known from their pair, unless somebody joined them; of more, some were never compared.
  const joined =
    words.rows.some((row) => row.decision === 'same') || members.rows.some((row) => row.merged_into !== null);
  const features = await featuresOf(connection, records.length > 2 || joined ? records : []);
  const known = numbersKnownOf(vaultOf(connection), features);
  const inside = new Set<string>(records);
  const named = [...pairs.rows, ...words.rows].flatMap(({ a, b }) => [a, b]).filter((id) => !inside.has(id));
  const others = await personsOf(connection, [...new Set(named)]);
  const of = (source: 'ruling' | 'tie'): Ruling[] =>
    words.rows
      .filter((row) => row.source === source)
      .map(({ a, b, decision, numbers }) => ({
        a,
        b,
        decision,
        ...(numbers === null ? {} : { numbers: numbers.map(known) }),
      }));
  const merged = members.rows.flatMap(({ record_id: a, merged_into: b }): Ruling[] =>
    b === null ? [] : [{ a, b, decision: 'same', numbers: [features.get(b)?.residentId ?? []].flat() }],
  );
  return {
    members: members.rows.map((row) => ({
      recordId: row.record_id,
      since: row.since,
      personId: row.person_id,
      mergedInto: row.merged_into,
    })),
    features,
    pairs: pairs.rows.map(({ a, b, outcome, weight, veto }) => ({
      a,
      b,
      comparison: { outcome, weight, veto, contributions: [], rules },
    })),
    rulings: of('ruling'),
    said: [...merged, ...of('tie')],
    others,
  };
}

/** Rulings hold their numbers, and pairs of them, by keyed hashes: those that these features tell are known again. */
function numbersKnownOf(vault: Vault, features: ReadonlyMap<string, Features>): (kept: string) => string {
  let known: Map<string, string> | undefined;
  const learn = (): Map<string, string> => {
    const numbers = [...new Set([...features.values()].flatMap((one) => one.residentId ?? []))].sort();
    const pairs = numbers.flatMap((m, at) => numbers.slice(at + 1).map((n) => `${m}|${n}`));
    return new Map([...numbers, ...pairs].map((number) => [residentKey(vault, number), number]));
  };
  return (kept) => (known ??= learn()).get(kept) ?? kept;
}

export async function featuresOf(
  connection: Connection,
  records: readonly HubId[],
): Promise<ReadonlyMap<string, Features>> {
  if (records.length === 0) return new Map();
  const { rows } = await connection.query<{ record_id: string; features: Features | string }>({
    name: 'component-features',
    text: 'select record_id, features from match_record where record_id = any ($1::uuid[])',
    values: [records],
  });
  const { fields } = vaultOf(connection);
  return new Map(
    rows.map((row) => [row.record_id, openJson<Features>(fields, row.features, featuresContext(row.record_id))]),
  );
}

async function personsOf(connection: Connection, records: readonly string[]): Promise<ReadonlyMap<string, HubId>> {
  if (records.length === 0) return new Map();
  const { rows } = await connection.query<{ record_id: string; person_id: HubId }>({
    name: 'component-others',
    text: 'select record_id, person_id from patient_record where record_id = any ($1::uuid[])',
    values: [records],
  });
  return new Map(rows.map((row) => [row.record_id, row.person_id]));
}
