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
with asked as (select distinct key from unnest($1::bigint[]) key),
  met as materialized (
    select distinct c.record_id from asked a cross join lateral (
      select m.record_id from match_key m where m.key = a.key order by m.record_id limit $2) c)
select f.record_id, f.features, p.person_id, false as named from met join match_record f using (record_id) join patient_record p using (record_id)
union all
select f.record_id, f.features, p.person_id, true from (select distinct a, v from unnest($3::text[], $4::text[]) as n(a, v)) n
  join patient_record p on p.local_id = n.v and p.authority = n.a and p.merged_into is null
  join match_record f using (record_id)`;

/** Numbers of one question that are looked up. */
const MOST_NUMBERS = 20;

export function createMatchProbe(deps: { readonly database: Database; readonly matching: Matching }): MatchProbe {
  const { pool } = deps.database;
  return {
    async probe(asked, limit) {
      const vault = vaultOf(pool);
      const [matcher] = await rulesInForce(pool, deps.matching);
      // No registration has this id, and no issuer: rules about one issuer do not apply.
      const features = deps.matching.written({ ...asked, recordId: 'asked', issuer: '' });
      const numbers = asked.identifiers.filter(({ type }) => type !== 'NI').slice(0, MOST_NUMBERS);
      const { rows } = await pool.query<{
        record_id: HubId;
        features: Features | string;
        person_id: HubId;
        named: boolean;
      }>({
        name: 'match-probe',
        text: CANDIDATES,
        values: [
          [...new Set(matcher.keys(features))].map((key) => matchKey(vault, key)),
          BLOCK_LIMIT,
          numbers.map(({ authority }) => authority),
          numbers.map(({ value }) => value),
        ],
      });
      const best = new Map<string, Probed>();
      for (const row of rows) {
        const compared = matcher.compare(
          features,
          openJson<Features>(vault.fields, row.features, featuresContext(row.record_id)),
        );
        const comparison = row.named ? byNumber(compared, asked, matcher) : compared;
        if (comparison.outcome === 'none') continue;
        const known = best.get(row.person_id);
        if (known === undefined || known.comparison.weight < comparison.weight)
          best.set(row.person_id, { personId: row.person_id, comparison });
      }
      const byWeight = (a: Probed, b: Probed): number =>
        b.comparison.weight - a.comparison.weight || a.personId.localeCompare(b.personId);
      return [...best.values()].sort(byWeight).slice(0, limit);
    },
  };
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
