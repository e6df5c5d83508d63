/**
 * Consents and emergencies that stand, as the access decision reads them: on every decision anew, so that a withdrawal
 * holds with its commit, in whatever process. A refusal binds every registration that it was given over, also where persons
 * were parted since; a permission only who the person is today.
 */
import type { ConsentFacts } from '../core/access-ports.ts';
import type { ConsentRule, StandingConsent } from '../core/consent.ts';
import type { HubId } from '../core/identifier.ts';
import { grantsOf } from './break-glass.ts';
import type { Connection, Database } from './database.ts';
import { SAME_PERSON } from './fhir-subject.ts';

interface StandingRow {
  readonly asked: HubId;
  readonly consent_id: string;
  readonly version: number;
  readonly rules: readonly ConsentRule[];
  readonly own: boolean;
}

export async function anyRefusal(connection: Connection): Promise<boolean> {
  const { rows } = await connection.query<{ any: boolean }>({
    name: 'consent-any-refusal',
    text: `select exists (select from consent where status = 'active' and refuses) as any`,
  });
  return rows[0]?.any ?? false;
}

export async function standingConsents(
  connection: Connection,
  persons: readonly HubId[],
): Promise<ReadonlyMap<HubId, readonly StandingConsent[]>> {
  const found = new Map<HubId, StandingConsent[]>();
  if (persons.length === 0) return found;
  const { rows } = await connection.query<StandingRow>({
    name: 'consents-standing',
    text: STANDING,
    values: [persons],
  });
  for (const { asked, consent_id: consentId, version, rules, own } of rows) {
    const standing = found.get(asked) ?? [];
    found.set(asked, standing);
    if (!standing.some((one) => one.consentId === consentId))
      standing.push({ consentId, version, rules, ...(own ? {} : { refusalsOnly: true as const }) });
  }
  return found;
}

/** The person's own first; then refusals over its registrations that name another since. */
const STANDING = `with names as materialized (${SAME_PERSON})
select n.asked, c.consent_id, c.version, c.rules, true as own
from names n join consent c on c.person_id = n.name where c.status = 'active'
union all
select n.asked, c.consent_id, c.version, c.rules, false
from names n join patient_record r on r.person_id = n.name
  join consent c on c.record_ids @> array[r.record_id] where c.status = 'active' and c.refuses
order by own desc`;

/** For hub/store/access-facts.ts: what patients said, and emergencies that stand. */
export const createConsentFacts = ({ pool }: Database): ConsentFacts => ({
  anyRefusal: () => anyRefusal(pool),
  // Their rules say when they hold.
  consentsOf: (persons) => standingConsents(pool, persons),
  grantsOf: (accountId, persons, at) => grantsOf(pool, accountId, persons, at),
});
