/** What the REST face needs, over a real database, as hub/compose-faces.ts wires it; what a test replaces it gives. */
import { consentRooms } from '../../hub/compose-consent.ts';
import { operationsRooms } from '../../hub/compose-operations.ts';
import { composeSignOn } from '../../hub/compose-sign.ts';
import type { RestDeps } from '../../hub/api/rest/face.ts';
import type { AccessDesk } from '../../hub/core/access-ports.ts';
import { USUAL_REACTIONS } from '../../hub/core/account-flag.ts';
import type { AuditTrail } from '../../hub/core/audit.ts';
import type { Derivation } from '../../hub/core/identifier.ts';
import { createMatching } from '../../hub/core/match/matcher.ts';
import type { ObjectStore } from '../../hub/core/ports.ts';
import type { Sites } from '../../hub/core/site.ts';
import { createClinicalRecords } from '../../hub/flow/clinical-records.ts';
import { proveNow } from '../../hub/flow/keep-audit.ts';
import { createAnchorDesk } from '../../hub/store/audit-anchor.ts';
import { createWorklist } from '../../hub/store/account-flag.ts';
import { createFlagDesk } from '../../hub/store/audit-flag.ts';
import { createVerificationLog } from '../../hub/store/audit-verification.ts';
import { verifyAudit } from '../../hub/store/audit-verify.ts';
import { createAuditStore } from '../../hub/store/audit.ts';
import { createClientStore } from '../../hub/store/client.ts';
import type { Database } from '../../hub/store/database.ts';
import { createExamHistory } from '../../hub/store/exam-history.ts';
import { createExamSearch, createOrphanReader } from '../../hub/store/exam-search.ts';
import { createIdentityDesk, type DeskDeps } from '../../hub/store/identity-decision.ts';
import { createIndexReader } from '../../hub/store/index-reader.ts';
import { createJournalReader } from '../../hub/store/journal-reader.ts';
import { createJournal } from '../../hub/store/journal.ts';
import { createPersonSearch } from '../../hub/store/person-search.ts';
import { createRematchDesk } from '../../hub/store/rematch.ts';
import { createReviewQueue } from '../../hub/store/review.ts';
import { createSensitivityDesk } from '../../hub/store/sensitivity.ts';
import { createViewerLaunches } from '../../hub/store/viewer.ts';
import { romanise } from '../../mappings/romanise.ts';
import { quiet } from './database.ts';
import { SIGN_ON_CONFIG, type SignOnGround } from './sign-in.ts';

export interface RestGround {
  readonly database: Database;
  readonly clock: () => Date;
  readonly sites: Sites;
  readonly derive: Derivation;
  readonly audit: AuditTrail;
  /** The audit of consents and emergencies, where a test lets it fail alone. */
  readonly emergencyAudit?: AuditTrail;
  readonly access: AccessDesk;
  readonly config?: Partial<SignOnGround>;
}

export interface RestParts {
  readonly deps: RestDeps;
  readonly consent: ReturnType<typeof consentRooms>;
  readonly signOn: Awaited<ReturnType<typeof composeSignOn>>;
}

export async function restDeps(ground: RestGround): Promise<RestParts> {
  const { database, clock, sites, derive, audit, access, emergencyAudit = audit, config = {} } = ground;
  const arrived = (): void => undefined;
  const desk: DeskDeps = {
    database,
    derive,
    clock,
    matching: createMatching(romanise),
    projection: { person: () => [], exam: () => [] },
  };
  const rooms = {
    config: { notices: null, audit: { reactions: USUAL_REACTIONS } },
    database,
    sites,
    clock,
    log: quiet,
  };
  const consent = consentRooms({ ...rooms, audit: emergencyAudit, derive, access });
  const signOn = await composeSignOn({ database, clock, audit, config: { ...SIGN_ON_CONFIG, ...config } });
  const objects: Pick<ObjectStore, 'readAll'> = { readAll: () => Promise.reject(new Error('no object in this test')) };
  const index = createIndexReader({ database, derive });
  const identity = createIdentityDesk(desk);
  const history = createExamHistory({ database, derive });
  const anchors = createAnchorDesk({ database, clock, key: { id: 'none', sign: () => '' } });
  const proofs = createVerificationLog({ database, clock });
  const proving = { database, anchors, check: () => null, seals: [], copies: [] };
  const deps: RestDeps = {
    ...signOn,
    ...operationsRooms({ database, clock, sites, log: quiet, objects }, { derive, arrived }),
    intake: createJournal({ database, clock, log: quiet, arrived }),
    journal: createJournalReader({ database, derive, clock, arrived }),
    reviews: createReviewQueue({ ...desk, arrived }),
    identity,
    rematch: createRematchDesk(desk),
    orphans: createOrphanReader(database),
    exams: createExamSearch({ database, derive }),
    index,
    clinical: createClinicalRecords({ persons: createPersonSearch(desk), history, index, identity }),
    clients: createClientStore({ database, clock }),
    auditReader: createAuditStore({ database, clock }),
    ...consent,
    launches: createViewerLaunches({ database, clock }),
    access,
    proofs,
    anchors,
    flags: createFlagDesk({ database, clock }),
    prove: () => proveNow({ runs: proofs, clock, log: quiet, verify: (scope) => verifyAudit(proving, scope) }),
    worklist: createWorklist({ database }),
    sensitivity: createSensitivityDesk({ database, clock }),
    readerNames: 'surname',
    audit,
    log: quiet,
  };
  return { deps, consent, signOn };
}
