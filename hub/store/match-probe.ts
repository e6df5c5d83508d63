/** Whom the live matcher would take somebody for: the keys, candidates and rules of the feed, and nothing is kept. */
import type { HubId } from '../core/identifier.ts';
import type { Features } from '../core/match/features.ts';
import type { Matching } from '../core/match/matcher.ts';
import type { MatchProbe, Probed } from '../core/match/probe.ts';
import type { Database } from './database.ts';
import { BLOCK_LIMIT, rulesInForce } from './match.ts';

/** Merged registrations speak for the one that they were merged into; their persons are the same. */
const CANDIDATES = `
with asked as (select distinct hashtextextended(k, 21) as key from unnest($1::text[]) k),
  met as materialized (
    select distinct c.record_id from asked a cross join lateral (
      select m.record_id from match_key m where m.key = a.key order by m.record_id limit $2) c)
select f.features, p.person_id from met join match_record f using (record_id) join patient_record p using (record_id)`;

export function createMatchProbe(deps: { readonly database: Database; readonly matching: Matching }): MatchProbe {
  const { pool } = deps.database;
  return {
    async probe(asked, limit) {
      const [matcher] = await rulesInForce(pool, deps.matching);
      // No registration has this id, and no issuer: rules about one issuer do not apply.
      const features = deps.matching.written({ ...asked, recordId: 'asked', issuer: '' });
      const { rows } = await pool.query<{ features: Features; person_id: HubId }>({
        name: 'match-probe',
        text: CANDIDATES,
        values: [[...new Set(matcher.keys(features))], BLOCK_LIMIT],
      });
      const best = new Map<string, Probed>();
      for (const row of rows) {
        const comparison = matcher.compare(features, row.features);
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
