/**
 * Finds whom a changed registration may be: keeps its features and blocking keys, compares it with everyone who shares a
 * key, and keeps what is worth keeping. Few set-based statements for any number of registrations; what did not change in
 * anything that is compared is not looked at.
 */
import type { HubId } from '../core/identifier.ts';
import { blockingKeys } from '../core/match/blocking.ts';
import type { Comparison } from '../core/match/comparison.ts';
import type { Features } from '../core/match/features.ts';
import type { Matcher, Matching } from '../core/match/matcher.ts';
import type { MatchRules } from '../core/match/rules.ts';
import { patientView, type PatientState } from '../core/patient.ts';
import { vaultOf, type Connection } from './database.ts';
import { bulk } from './save.ts';
import { openJson, sealJson } from './sealed.ts';
import { featuresContext, matchKey } from './sealed-facts.ts';

export interface MatchContext {
  readonly matching: Matching;
  readonly now: Date;
}

/** Of one key at most so many registrations are compared; what is cut off is counted in match_cut. */
export const BLOCK_LIMIT = 200;
/** Locks of keys are taken from so many: two registrations of one person share one, and the lock table stays small. */
const KEY_LOCKS = 2048;
/** Pairs below review that are kept all the same, of one registration in so many: what a lower threshold would bring. */
export const SAMPLE = 16;
const SAMPLED_BITS = 8;

export interface FoundPair {
  readonly a: HubId;
  readonly b: HubId;
  readonly comparison: Comparison;
}

export interface Found {
  /** Registrations that were linked to these and may be no more. */
  readonly former: readonly HubId[];
  /** How many comparisons were kept. */
  readonly pairs: number;
  /** Registrations that share a key with more than were compared. */
  readonly cut: readonly HubId[];
}

/** The rules in force, and those that a rematch is trying on everything meanwhile. */
export async function rulesInForce(connection: Connection, matching: Matching): Promise<[Matcher, ...Matcher[]]> {
  const { rows } = await connection.query<{ rules: MatchRules; state: string }>({
    name: 'match-rules',
    text: `select r.rules, r.state from match_rules r where r.state = 'active'
       or (r.state = 'draft' and exists (select from rematch m where m.rules = r.version and m.state in ('comparing', 'judging', 'compared')))`,
  });
  const active = rows.find((row) => row.state === 'active');
  const drafts = rows.filter((row) => row.state === 'draft').map((row) => matching.under(row.rules));
  return [matching.under(active?.rules ?? null), ...drafts];
}

/** The changed registrations that differ in something that is compared. */
export function comparable(
  changed: readonly PatientState[],
  before: ReadonlyMap<HubId, PatientState>,
  matching: Matching,
): { readonly now: readonly Features[]; readonly was: readonly Features[] } {
  const now: Features[] = [];
  const was: Features[] = [];
  for (const state of changed) {
    const view = patientView(state);
    const old = before.get(state.recordId);
    const former = old === undefined ? null : patientView(old);
    // Most messages say again what was said: then nothing is normalised at all.
    if (former !== null && JSON.stringify(former) === JSON.stringify(view)) continue;
    const features = matching.features(view);
    const compared = former === null ? null : matching.features(former);
    if (compared !== null && JSON.stringify(compared) === JSON.stringify(features)) continue;
    now.push(features);
    if (compared !== null) was.push(compared);
  }
  return { now, was };
}

/**
 * Locks the keys of these registrations, as they are and were, in one order: who else registers one of these persons
 * meanwhile waits, and then sees. Before the rules are read: a rematch that begins meanwhile then sees these, or these it.
 */
export async function lockMatching(
  connection: Connection,
  { now, was }: { readonly now: readonly Features[]; readonly was: readonly Features[] },
): Promise<void> {
  await lockKeys(connection, [...now, ...was].flatMap(blockingKeys));
}

/** Compares, under the locks of `lockMatching`. */
export async function matchRecords(
  connection: Connection,
  { now, was }: { readonly now: readonly Features[]; readonly was: readonly Features[] },
  matchers: readonly [Matcher, ...Matcher[]],
  context: MatchContext,
): Promise<Found> {
  if (now.length === 0) return { former: [], pairs: 0, cut: [] };
  const [active] = matchers;
  const keys = now.map((features) => ({ record_id: features.recordId, keys: active.keys(features) }));
  await saveFeatures(connection, now, keys);
  const { candidates, cut } = await candidatesOf(connection, keys, context.now);
  const all = new Map(now.map((features) => [features.recordId, features]));
  for (const { features } of candidates) if (!all.has(features.recordId)) all.set(features.recordId, features);
  const existing = was.map((features) => features.recordId);
  const former: HubId[] = [];
  let found = 0;
  for (const matcher of matchers) {
    const pairs = comparePairs(candidates, all, matcher);
    found += pairs.length;
    former.push(...(await savePairs(connection, existing, pairs, matcher, context.now)));
  }
  return { former, pairs: found, cut };
}

async function lockKeys(connection: Connection, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await connection.query({
    name: 'match-lock',
    text: `select pg_advisory_xact_lock(22, k) from (
             select distinct (hashtextextended(key, 21) & ${String(KEY_LOCKS - 1)})::int as k from unnest($1::text[]) key order by 1) ordered`,
    values: [[...new Set(keys)]],
  });
}

async function saveFeatures(
  connection: Connection,
  now: readonly Features[],
  keys: readonly { readonly record_id: string; readonly keys: readonly string[] }[],
): Promise<void> {
  const vault = vaultOf(connection);
  await bulk(
    connection,
    'match-features',
    `insert into match_record (record_id, features)
     select record_id, features from jsonb_to_recordset($1::jsonb) as r(record_id uuid, features jsonb)
     on conflict (record_id) do update set features = excluded.features`,
    now.map((features) => ({
      record_id: features.recordId,
      features: sealJson(vault.fields, features, featuresContext(features.recordId)),
    })),
  );
  await bulk(
    connection,
    'match-keys',
    `with input as (
       select distinct record_id, ('x' || k.key)::bit(64)::bigint as key
       from jsonb_to_recordset($1::jsonb) as r(record_id uuid, keys jsonb), jsonb_array_elements_text(r.keys) as k(key)),
     gone as (
       delete from match_key m where m.record_id = any ($2::uuid[])
         and not exists (select from input i where i.record_id = m.record_id and i.key = m.key))
     insert into match_key (record_id, key) select record_id, key from input on conflict do nothing`,
    keys.map((one) => ({ ...one, keys: one.keys.map((key) => hexOf(matchKey(vault, key))) })),
    keys.map((one) => one.record_id),
  );
}

const hexOf = (key: bigint): string => BigInt.asUintN(64, key).toString(16).padStart(16, '0');

interface Candidate {
  readonly asked: HubId;
  readonly features: Features;
}

/** Everyone who shares a key with one of these, each once; bounded by the key, in one order, and told where it is cut. */
export const CANDIDATES = `
with asked as (select r.record_id, m.key from unnest($1::uuid[]) as r(record_id) join match_key m on m.record_id = r.record_id),
  met as materialized (
    select a.record_id as asked, c.record_id as candidate, a.key, c.place
    from asked a cross join lateral (
      select m.record_id, row_number() over (order by m.record_id) as place from (
        select o.record_id from match_key o where o.key = a.key order by o.record_id limit $2 + 1) m) c),
  pairs as (select distinct asked, candidate from met where candidate <> asked and place <= $2)
select p.asked, f.record_id, f.features, null::bigint as cut from pairs p join match_record f on f.record_id = p.candidate
union all
select asked, null, null, key from met where place > $2`;

async function candidatesOf(
  connection: Connection,
  keys: readonly { readonly record_id: string }[],
  now: Date,
): Promise<{ readonly candidates: readonly Candidate[]; readonly cut: readonly HubId[] }> {
  const { rows } = await connection.query<{
    asked: HubId;
    record_id: HubId | null;
    features: Features | string | null;
    cut: string | null;
  }>({
    name: 'match-candidates',
    text: CANDIDATES,
    values: [keys.map((one) => one.record_id), BLOCK_LIMIT],
  });
  const { fields } = vaultOf(connection);
  const opened = new Map<HubId, Features>();
  // Two of a batch may have one candidate.
  const open = (id: HubId, stored: Features | string): Features => {
    const features = opened.get(id) ?? openJson<Features>(fields, stored, featuresContext(id));
    opened.set(id, features);
    return features;
  };
  const cut = [...new Set(rows.flatMap((row) => row.cut ?? []))].sort();
  if (cut.length > 0)
    await connection.query(
      `insert into match_cut (key, candidates, first_at, last_at)
       select k, (select count(*) from match_key m where m.key = k), $2, $2 from unnest($1::bigint[]) k order by k
       on conflict (key) do update set candidates = excluded.candidates, times = match_cut.times + 1, last_at = excluded.last_at`,
      [cut.map(BigInt), now],
    );
  return {
    candidates: rows.flatMap(({ asked, record_id: id, features }) =>
      id === null || features === null ? [] : [{ asked, features: open(id, features) }],
    ),
    cut: [...new Set(rows.flatMap((row) => (row.cut === null ? [] : [row.asked])))],
  };
}

function comparePairs(
  candidates: readonly Candidate[],
  all: ReadonlyMap<string, Features>,
  matcher: Matcher,
): FoundPair[] {
  const pairs = new Map<string, FoundPair>();
  for (const { asked, features } of candidates) {
    const [a, b] = asked < features.recordId ? [asked, features.recordId] : [features.recordId, asked];
    const [x, y] = [all.get(a), all.get(b)];
    if (x === undefined || y === undefined || pairs.has(a + b)) continue;
    const comparison = matcher.compare(x, y);
    if (isKept(a, comparison, matcher)) pairs.set(a + b, { a: a as HubId, b: b as HubId, comparison });
  }
  return [...pairs.values()];
}

/** Hub ids are keyed hashes: their digits are a fair draw, and the same draw every time. */
function isKept(recordId: string, { outcome, weight }: Comparison, { rules }: Matcher): boolean {
  if (outcome !== 'none') return true;
  return weight >= rules.thresholds.review - SAMPLED_BITS && parseInt(recordId.slice(-1), 16) % SAMPLE === 0;
}

/** Replaces what was kept about these registrations under these rules; gives whom they were linked to before. */
async function savePairs(
  connection: Connection,
  existing: readonly string[],
  pairs: readonly FoundPair[],
  matcher: Matcher,
  at: Date,
): Promise<readonly HubId[]> {
  const kept = pairs.map(({ a, b, comparison: { outcome, weight, veto, contributions } }) => ({
    a,
    b,
    outcome,
    weight,
    veto,
    contributions,
  }));
  const rows = JSON.stringify(kept);
  const former = existing.length === 0 ? [] : await dropStale(connection, rows, existing, matcher);
  await bulk(
    connection,
    'match-pairs-save',
    `with input as (select * from jsonb_to_recordset($1::jsonb)
         as r(a uuid, b uuid, outcome text, weight real, veto text, contributions jsonb)),
       both_ways as (select a as record_id, b as other_id, i.* from input i union all select b, a, i.* from input i)
     insert into match_pair (record_id, rules, other_id, outcome, weight, veto, contributions, compared_at)
     select record_id, $2, other_id, outcome, weight, veto, contributions, $3 from both_ways order by record_id, other_id
     on conflict (record_id, rules, other_id) do update set outcome = excluded.outcome, weight = excluded.weight,
       veto = excluded.veto, contributions = excluded.contributions, compared_at = excluded.compared_at`,
    kept,
    matcher.version,
    at,
  );
  return former;
}

async function dropStale(
  connection: Connection,
  rows: string,
  existing: readonly string[],
  matcher: Matcher,
): Promise<readonly HubId[]> {
  const { rows: linked } = await connection.query<{ other_id: HubId }>({
    name: 'match-pairs-gone',
    text: `with input as (select * from jsonb_to_recordset($1::jsonb) as r(a uuid, b uuid)),
       known as (select record_id, other_id, outcome from match_pair where record_id = any ($2::uuid[]) and rules = $3),
       stale as (
         select record_id, other_id from known k where not exists (
           select from input i where (i.a = k.record_id and i.b = k.other_id) or (i.b = k.record_id and i.a = k.other_id))),
       swept as (
         delete from match_pair p using stale s where p.rules = $3
           and ((p.record_id = s.record_id and p.other_id = s.other_id) or (p.record_id = s.other_id and p.other_id = s.record_id)))
     select other_id from known where outcome = 'link'`,
    values: [rows, existing, matcher.version],
  });
  return linked.map((row) => row.other_id);
}
