/** Desks of access for tests: one over a real database as main wires it, and one before which nothing is hidden. */
import { createAccessDesk, WHOLE } from '../../hub/flow/access-desk.ts';
import type { AccessDesk, ConsentFacts, RelationFacts, Seeing } from '../../hub/core/access-ports.ts';
import type { DicomIndex, IndexReader } from '../../hub/core/ports.ts';
import { createAccessFacts } from '../../hub/store/access-facts.ts';
import { createConsentFacts } from '../../hub/store/consent-reader.ts';
import type { Database } from '../../hub/store/database.ts';
import { createKnownPersons } from '../../hub/store/known-person.ts';
import { createSubjectIndex } from '../../hub/store/subject-index.ts';

/** For faces that are tested apart from who may see what. */
export const everythingSeen: AccessDesk = {
  sight: () => Promise.resolve(WHOLE),
  house: (institution, persons) => Promise.resolve({ parts: new Set([institution]), patients: new Set(persons) }),
};

export const seeingAll =
  (index: DicomIndex, reader: IndexReader): Seeing =>
  () =>
    Promise.resolve({ sight: WHOLE, index, reader });

export interface DeskOptions {
  readonly consents?: ConsentFacts;
  readonly relations?: readonly RelationFacts[];
  readonly clock?: () => Date;
  readonly affinityDomainOid?: string;
}

export function accessDesk(database: Database, options: DeskOptions = {}): AccessDesk {
  const { consents = createConsentFacts(database), relations = [], clock = () => new Date() } = options;
  return createAccessDesk({
    facts: createAccessFacts({ database, consents, relations, treatingDays: 180, clock }),
    subjects: createSubjectIndex({ database, affinityDomainOid: options.affinityDomainOid ?? '2.999.156.1' }),
    known: createKnownPersons(database),
    clock,
  });
}
