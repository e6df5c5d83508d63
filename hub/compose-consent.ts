/** Wires consents, emergencies, institutions and notices to patients: for the faces, and for the role that works. */
import type { Config } from './config.ts';
import { createNoticeSender } from '../adapters/rest/notice-sender.ts';
import type { ConsentHandlerDeps } from './api/rest/consents.ts';
import type { EmergencyDeps } from './api/rest/emergency.ts';
import type { InstitutionDeps } from './api/rest/institutions.ts';
import type { Caller } from './core/access.ts';
import type { AccessReasons } from './core/access-reason.ts';
import type { AccessDesk } from './core/access-ports.ts';
import type { AccountFlagDesk, ReactionPolicy } from './core/account-flag.ts';
import type { AuditTrail } from './core/audit.ts';
import type { Derivation } from './core/identifier.ts';
import type { Log } from './core/ports.ts';
import type { Sites } from './core/site.ts';
import { auditCases } from './flow/break-glass.ts';
import { createConsentActs, type ConsentActs } from './flow/consents.ts';
import { createTellPatients, NOTICE_TIMES } from './flow/tell-patients.ts';
import type { Lifecycle } from './lifecycle.ts';
import { createSeal } from './security/seal.ts';
import { createAccessReasons } from './store/access-reason.ts';
import { createAccountFlags } from './store/account-flag.ts';
import { createBreakGlassCases } from './store/break-glass.ts';
import { createConsentDesk } from './store/consent.ts';
import { vaultOf, type Database } from './store/database.ts';
import { hubKey } from './store/hub-key.ts';
import { createInstitutionDesk } from './store/institution-life.ts';
import { createNoticeSpool, createPatientNotices, type NoticeRules } from './store/patient-notice.ts';
import { createPractitionerDesk } from './store/practitioner.ts';
import { createPresentCodes, prunePresentCodes } from './store/present-code.ts';
import type { Sealed } from './store/subscription.ts';

interface Ground {
  readonly config: Pick<Config, 'notices'> & { readonly audit: Pick<Config['audit'], 'reactions'> };
  readonly database: Database;
  readonly sites: Sites;
  readonly clock: () => Date;
  readonly log: Log;
}

interface Parts {
  readonly database: Database;
  readonly clock: () => Date;
  readonly seal: () => Promise<Sealed>;
  readonly notices: NoticeRules;
  readonly reactions: ReactionPolicy;
}

function partsOf({ config, database, clock }: Ground): Parts {
  let key: Promise<Sealed> | undefined;
  const seal = (): Promise<Sealed> =>
    (key ??= hubKey(database, 'consent').then(
      (drawn) => createSeal(vaultOf(database.pool).fields, 'consent', drawn),
      (error: unknown) => {
        // A database that is away now is asked again.
        key = undefined;
        throw error;
      },
    ));
  const { reactions } = config.audit;
  return { database, clock, seal, reactions, notices: { delivered: config.notices !== null } };
}

/** For whom a caller acts: the person's own institution, or that of the site to which a system is bound. */
const institutionOfCaller =
  (sites: Pick<Sites, 'byId'>) =>
  ({ user, site }: Caller): string | null =>
    user === undefined ? (site === undefined ? null : (sites.byId(site)?.institutionCode ?? null)) : user.institution;

/** What the REST face and `/fhir/Consent` ask. */
export function consentRooms(
  ground: Ground & { readonly audit: AuditTrail; readonly access: AccessDesk; readonly derive: Derivation },
): {
  readonly consents: ConsentActs;
  readonly consent: ConsentHandlerDeps;
  readonly emergency: EmergencyDeps;
  readonly institutions: InstitutionDeps;
  readonly accountFlags: AccountFlagDesk;
  readonly reasons: AccessReasons;
} {
  const { database, sites, clock, log, audit, access, derive } = ground;
  const parts = partsOf(ground);
  const institutionOf = institutionOfCaller(sites);
  const seen = async (caller: Caller, persons: readonly string[]): Promise<ReadonlySet<string>> =>
    (await access.sight(caller)).persons(persons);
  const codes = createPresentCodes({ ...parts, derive });
  const consents = createConsentActs({
    desk: createConsentDesk(parts),
    codes,
    institutionOf,
    seen,
    house: (code, persons) => access.house(code, persons),
  });
  return {
    consents,
    consent: { consents, codes, notices: createPatientNotices(database), institutionOf, clock },
    accountFlags: createAccountFlags(parts),
    reasons: createAccessReasons(parts),
    emergency: { cases: createBreakGlassCases(parts), audit, log },
    institutions: {
      institutions: createInstitutionDesk({ database, clock }),
      practitioners: createPractitionerDesk({ database, clock }),
      sites,
      institutionOf,
    },
  };
}

const PRUNE_MS = 3_600_000;

/** Tells patients, and the audit what it has still to be told; forgets codes that are over. */
export async function raiseNotices(
  ground: Ground & { readonly life: Lifecycle },
  { audit }: { readonly audit: AuditTrail },
): Promise<void> {
  const { config, database, clock, log, life } = ground;
  const sender = config.notices === null ? null : createNoticeSender({ ...config.notices, timeoutMs: 30_000, clock });
  const emergencies = { cases: createBreakGlassCases(partsOf(ground)), audit, log };
  let prunedAt = 0;
  const tell = createTellPatients({
    spool: createNoticeSpool({ database, clock }),
    sender,
    upkeep: async () => {
      await auditCases(emergencies);
      if (clock().getTime() - prunedAt < PRUNE_MS) return;
      prunedAt = clock().getTime();
      await prunePresentCodes({ database, clock });
    },
    log,
    clock,
    times: NOTICE_TIMES,
  });
  await life.raise(
    'notices',
    () => {
      tell.start();
    },
    async () => {
      // A notice that is broken off stays in the store.
      sender?.close();
      await tell.stop();
    },
  );
}
