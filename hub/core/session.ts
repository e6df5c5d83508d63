/** Sessions of people in browsers: what is still to be shown before one is open, and the port of hub/store/session.ts. */
import type { Caller, PersonRole, Purpose } from './access.ts';
import type { Account, AccountRole } from './account.ts';
import type { HubId } from './identifier.ts';

/** `open`: everything was shown; before that a session opens nothing but the next step. */
export type Stage = 'password' | 'enrolment' | 'totp' | 'role' | 'open';
export type Factor = 'password' | 'totp' | 'saml';

/** By what an identity provider knows the session. */
export interface SamlSession {
  readonly idp: string;
  /** SHA-256 of the NameID. */
  readonly subject: Uint8Array;
  readonly index: string | null;
  /** Sealed: NameID and format, for a LogoutRequest. */
  readonly name: string;
}

export interface Session {
  /** SHA-256 of the cookie, hexadecimal. */
  readonly id: string;
  readonly account: Account;
  readonly stage: Stage;
  readonly role: AccountRole | null;
  readonly purpose: Purpose;
  readonly factors: readonly Factor[];
  readonly startedAt: string;
  readonly endsAt: string;
  /** Until it is over where nobody uses it again, by idling or at its end: as it was when it was found. */
  readonly secondsLeft: number;
  readonly saml: SamlSession | null;
  /** Of a patient: whose records are theirs as the index stands now. null: nobody's, or it is in doubt; nobody else has any. */
  readonly person: HubId | null;
}

export interface NewSession extends Pick<Session, 'stage' | 'purpose' | 'factors' | 'saml'> {
  readonly accountId: string;
  readonly role: PersonRole | null;
  readonly peer: string;
  readonly startedAt: Date;
  readonly endsAt: Date;
  readonly idleSeconds: number;
}

/** Shared by every process: a session ended in one is ended in all. */
export interface SessionStore {
  /** `instead` ends in the same transaction: each step has an id of its own (session fixation). */
  start(id: Uint8Array, session: NewSession, instead?: string): Promise<void>;
  /**
   * null: none, or it is over, its account does not stand, or the account no longer has its role. Notes the use, unless
   * `isUse` is false: a page that asks whether its session still stands must not keep it alive by that.
   */
  find(id: Uint8Array, isUse?: boolean): Promise<Session | null>;
  end(id: string): Promise<void>;
  /** By what the provider names; every session of the subject where it names no index. Says how many. */
  endSaml(idp: string, subject: Uint8Array, index: string | null): Promise<number>;
}

const USUAL: Readonly<Record<PersonRole, readonly [Purpose, ...Purpose[]]>> = {
  physician: ['TREATMENT', 'CONSULTATION', 'RECOGNITION', 'SHARE', 'QC', 'RESEARCH'],
  'interface-engineer': ['OPS'],
  operator: ['OPS', 'QC'],
  'system-administrator': ['OPS'],
  'security-administrator': ['OPS'],
  auditor: ['OPS', 'QC'],
  regulator: ['REGULATION', 'QC'],
  patient: ['PATIENT'],
};

/** For what a role may act by its own word, the usual first. EMERGENCY is a grant of its own, never a choice. */
export const purposesOf = (role: PersonRole): readonly [Purpose, ...Purpose[]] => USUAL[role];

/** null: the session is not open. */
export function callerOfSession(session: Session, peer: string): Caller | null {
  const { account, role, stage } = session;
  if (stage !== 'open' || role === null) return null;
  return {
    id: account.id,
    name: account.displayName,
    role: role.role,
    ...(role.site === null ? {} : { site: role.site }),
    peer,
    user: {
      accountId: account.id,
      loginName: account.loginName,
      displayName: account.displayName,
      institution: account.institution,
      ...(account.department === null ? {} : { department: account.department }),
      ...(account.practitionerId === null ? {} : { practitionerId: account.practitionerId }),
      purpose: session.purpose,
      factors: session.factors,
      sessionId: session.id,
      ...(session.person === null ? {} : { person: session.person }),
    },
  };
}
