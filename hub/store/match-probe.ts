/** Whom the live matcher would take somebody for: the keys, candidates and rules of the feed, and nothing is kept. */
import type { HubId } from '../core/identifier.ts';
import type { Comparison } from '../core/match/comparison.ts';
import type { Features } from '../core/match/features.ts';
import type { Matcher, Matching } from '../core/match/matcher.ts';
import type { MatchProbe, Probed } from '../core/match/probe.ts';
import { vaultOf, type Database } from './database.ts';
import { BLOCK_LIMIT, rulesInForce } from './match.ts';
import { openJson } from './sealed.ts';
import { featuresContext, matchKey } from './sealed-facts.ts';

/** Merged registrations speak for the one that they were merged into; their persons are the same. */
const CANDIDATES = `
select a.key::text as key, c.record_id, p.person_id from (select distinct key from unnest($1::bigint[]) key) a
  cross join lateral (select m.record_id from match_key m where m.key = a.key order by m.record_id limit $2) c
  join patient_record p using (record_id)
union all
select null, p.record_id, p.person_id from (select distinct a, v from unnest($3::text[], $4::text[]) as n(a, v)) n
  join patient_record p on p.local_id = n.v and p.authority = n.a and p.merged_into is null`;

const FEATURES = 'select record_id, features from match_record where record_id = any ($1::uuid[])';

/** Registrations of one key that are looked through for those that may be seen. */
const LOOKED_AT = 5_000;
/** Numbers of one question that are looked up. */
const MOST_NUMBERS = 20;

export function createMatchProbe(deps: { readonly database: Database; readonly matching: Matching }): MatchProbe {
  const { pool } = deps.database;
  return {
    async probe(asked, limit, sees) {
      const vault = vaultOf(pool);
      const [matcher] = await rulesInForce(pool, deps.matching);
      // No registration has this id, and no issuer: rules about one issuer do not apply.
      const features = deps.matching.written({ ...asked, recordId: 'asked', issuer: '' });
      const numbers = asked.identifiers.filter(({ type }) => type !== 'NI').slice(0, MOST_NUMBERS);
      const { rows: met } = await pool.query<Met>({
        name: 'match-probe',
        text: CANDIDATES,
        values: [
          [...new Set(matcher.keys(features))].map((key) => matchKey(vault, key)),
          sees === undefined ? BLOCK_LIMIT : LOOKED_AT,
          numbers.map(({ authority }) => authority),
          numbers.map(({ value }) => value),
        ],
      });
      const seen = await sees?.([...new Set(met.map(({ person_id }) => person_id))]);
      const candidates = bounded(seen === undefined ? met : met.filter(({ person_id }) => seen.has(person_id)));
      const { rows } = await pool.query<{ record_id: HubId; features: Features | string }>({
        name: 'match-probe-features',
        text: FEATURES,
        values: [[...candidates.keys()]],
      });
      const best = new Map<string, Probed>();
      const consider = (personId: string, comparison: Comparison): void => {
        if (comparison.outcome === 'none') return;
        const known = best.get(personId);
        if (known === undefined || known.comparison.weight < comparison.weight)
          best.set(personId, { personId, comparison });
      };
      for (const { record_id, features: sealed } of rows) {
        const found = candidates.get(record_id);
        if (found === undefined) continue;
        const one = openJson<Features>(vault.fields, sealed, featuresContext(record_id));
        const compared = matcher.compare(features, one);
        if (found.byKey) consider(found.personId, compared);
        if (found.named) consider(found.personId, byNumber(compared, asked, matcher));
      }
      const byWeight = (a: Probed, b: Probed): number =>
        b.comparison.weight - a.comparison.weight || a.personId.localeCompare(b.personId);
      return [...best.values()].sort(byWeight).slice(0, limit);
    },
  };
}

interface Met {
  /** null: found by a number. */
  readonly key: string | null;
  readonly record_id: HubId;
  readonly person_id: HubId;
}

/** Of each key as many as the feed would compare. */
function bounded(
  met: readonly Met[],
): ReadonlyMap<HubId, { readonly personId: HubId; readonly byKey: boolean; readonly named: boolean }> {
  const taken = new Map<string, number>();
  const found = new Map<HubId, { readonly personId: HubId; readonly byKey: boolean; readonly named: boolean }>();
  for (const { key, record_id: recordId, person_id: personId } of met) {
    const known = found.get(recordId) ?? { personId, byKey: false, named: false };
    const count = key === null ? 0 : (taken.get(key) ?? 0);
    if (count >= BLOCK_LIMIT) continue;
    if (key !== null) taken.set(key, count + 1);
    found.set(recordId, key === null ? { ...known, named: true } : { ...known, byKey: true });
  }
  return found;
}

/**
 * A hospital's own number names one registration. Alone it is that person; beside anything else that does not fit as well,
 * somebody should look.
 */
function byNumber(comparison: Comparison, asked: Parameters<MatchProbe['probe']>[0], { rules }: Matcher): Comparison {
  const { outcome, veto, weight } = comparison;
  if (outcome === 'link') return comparison;
  if (veto !== null) return { ...comparison, outcome: 'review' };
  const { names, birthDate, sex, residentId, phones, address } = asked;
  const alone =
    names.length + phones.length === 0 && [birthDate, sex, residentId, address].every((one) => one === null);
  const { link, review } = rules.thresholds;
  return alone
    ? { ...comparison, outcome: 'link', weight: Math.max(weight, link) }
    : { ...comparison, outcome: 'review', weight: Math.max(weight, review) };
}
