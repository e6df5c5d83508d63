/** Wires the access desk: one for all faces of a process. Beside compose.ts, which it serves. */
import type { AccessDesk } from './core/access-ports.ts';
import { createAccessDesk } from './flow/access-desk.ts';
import { createAccessFacts } from './store/access-facts.ts';
import { createConsentFacts } from './store/consent-reader.ts';
import { createKnownPersons } from './store/known-person.ts';
import { createSubjectIndex } from './store/subject-index.ts';
import type { Config } from './config.ts';
import type { Database } from './store/database.ts';

/** How long after a patient's last activity at an institution they are still its patient. */
const TREATING_DAYS = 180;

export function accessDesk({
  database,
  clock,
  config,
}: {
  readonly database: Database;
  readonly clock: () => Date;
  readonly config: Pick<Config, 'affinityDomainOid' | 'emergency'>;
}): AccessDesk {
  return createAccessDesk({
    facts: createAccessFacts({
      database,
      clock,
      consents: createConsentFacts(database),
      relations: [],
      treatingDays: TREATING_DAYS,
    }),
    subjects: createSubjectIndex({ database, affinityDomainOid: config.affinityDomainOid }),
    known: createKnownPersons(database),
    clock,
    emergency: config.emergency,
  });
}
