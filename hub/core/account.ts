/**
 * Accounts of people: what states and roles they have, what a password must be, and the ports of hub/store/account.ts.
 * Rules are pure here; secrets are hashed or sealed before they reach a port (hub/security).
 */
import { mayHold } from './access.ts';
import type { PersonRole } from './access.ts';
import type { HubId, ResidentId, SiteId } from './identifier.ts';
import type { InstitutionCode } from './institution.ts';
import type { Page, PageRequest } from './operation.ts';
import type { Result } from './problem.ts';

export type AccountState = 'invited' | 'pending' | 'active' | 'suspended' | 'ended';

export interface AccountRole {
  readonly role: PersonRole;
  /** Where the role is bound to one hospital. */
  readonly site: SiteId | null;
}

export interface Account {
  readonly id: string;
  readonly loginName: string;
  readonly displayName: string;
  readonly institution: InstitutionCode | null;
  readonly department: string | null;
  readonly practitionerId: string | null;
  readonly language: 'zh' | 'en';
  readonly source: 'local' | 'saml';
  readonly idp: string | null;
  readonly state: AccountState;
  readonly stateReason: string | null;
  readonly roles: readonly AccountRole[];
  readonly hasSecondFactor: boolean;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly lastSignInAt: string | null;
}

/** What there is to check somebody by; `activation` and `recovery` codes only as SHA-256. */
export interface Credentials {
  readonly account: Account;
  readonly password: string | null;
  readonly passwordChangedAt: Date | null;
  readonly mustChange: boolean;
  readonly activation: { readonly hash: Uint8Array; readonly until: Date } | null;
  readonly lockedUntil: Date | null;
  /** Sealed. */
  readonly totpSecret: string | null;
  readonly totpConfirmed: boolean;
}

/** What limits guessing and forgetting (GB/T 22239 8.1.4.1 a, b; 8.1.4.2 c). */
export interface AccountPolicy {
  readonly passwordDays: number;
  readonly unusedDays: number;
  readonly activationHours: number;
  /** So many former passwords are not taken again. */
  readonly history: number;
  readonly failures: number;
  readonly lockMinutes: number;
  /** Failures of one address in the same time, whatever account they try. */
  readonly peerFailures: number;
}

export const USUAL_POLICY: AccountPolicy = {
  passwordDays: 90,
  unusedDays: 90,
  activationHours: 72,
  history: 5,
  failures: 5,
  lockMinutes: 15,
  peerFailures: 50,
};

export type Described = Pick<
  Account,
  'displayName' | 'institution' | 'department' | 'practitionerId' | 'language' | 'roles'
>;

export interface AccountFilter {
  readonly state?: AccountState;
  readonly role?: PersonRole;
  readonly institution?: string;
  /** Not used since. */
  readonly unusedSince?: string;
}

/**
 * Whose records somebody may see who shows this resident ID under this name. `nobody`: no registration agrees with number
 * and name; `several`: registrations of more than one person claim the number.
 */
export interface PatientFinder {
  whose(residentId: ResidentId, name: string): Promise<HubId | 'nobody' | 'several'>;
}

export interface AccountStore {
  /** Invited, with the code's hash. A conflict: the login name is or was somebody's. */
  add(
    made: Described & Pick<Account, 'loginName' | 'createdBy'>,
    activation: NonNullable<Credentials['activation']>,
  ): Promise<Result<Account>>;
  /** The account of who an identity provider means; made where there is none, its words brought up to date. */
  provision(
    told: Omit<Described, 'language'> & Pick<Account, 'loginName'> & { readonly idp: string },
    subject: Uint8Array,
    state: 'active' | 'pending',
  ): Promise<Result<Account>>;
  /** The account of a citizen, who is one whatever name the provider has for them; without a name of theirs. */
  provisionPatient(idp: string, residentId: ResidentId): Promise<Result<Account>>;
  byId(id: string): Promise<Account | null>;
  /** Patients only where they are asked for: there are millions. */
  list(filter: AccountFilter, page: PageRequest): Promise<Page<Account>>;
  /** Sessions end in the same transaction where a role or the account does. null: there is no such account, or it has ended. */
  change(
    id: string,
    to: Partial<Described> & { readonly state?: AccountState; readonly stateReason?: string | null },
  ): Promise<Result<Account> | null>;
  /** Ends every session of the account and says how many; null: there is no such account. */
  endSessions(id: string): Promise<number | null>;
  /** Suspends who has not signed in since, and says how many. */
  suspendUnused(since: Date): Promise<number>;
  /** Somebody who came in with both factors can give rights: from then on the bootstrap token need not. */
  hasSecurityAdministrator(): Promise<boolean>;
}

export interface CredentialStore {
  byLoginName(loginName: string): Promise<Credentials | null>;
  byId(id: string): Promise<Credentials | null>;
  /**
   * Counts a guess; at the limit the account is locked until the given time and the count begins anew. false: it is locked
   * at `at`, and no guess is looked at.
   */
  guessed(id: string, limit: number, lockedUntil: Date, at: Date): Promise<boolean>;
  /** Somebody is in: failures are forgotten, the use is noted. */
  entered(id: string, at: Date): Promise<void>;
  /** The present password and those before it, newest first. */
  passwords(id: string, most: number): Promise<readonly string[]>;
  /** Ends an activation code; the account is active from then on. */
  setPassword(id: string, password: string, at: Date): Promise<void>;
  /** Takes both factors away and, of a local account, gives an activation code in their place; ends sessions. */
  reset(id: string, activation: NonNullable<Credentials['activation']>): Promise<boolean>;
  /** A new secret, not confirmed yet; never over one that is. */
  setTotp(id: string, sealed: string): Promise<void>;
  /** The device is lost: the next sign-on enrols another. */
  dropTotp(id: string): Promise<void>;
  confirmTotp(id: string, recovery: readonly Uint8Array[]): Promise<void>;
  /** false: a code of this step or a later one was taken before. */
  takeStep(id: string, step: number): Promise<boolean>;
  /** false: there is none such, or it was used. */
  takeRecovery(id: string, hash: Uint8Array, at: Date): Promise<boolean>;
  /** Whether this address, or device, has failed too often in the window that began `since`. */
  isBarred(peer: string, since: Date, limit: number): Promise<boolean>;
  /** How often by now. */
  peerFailed(peer: string, since: Date, at: Date): Promise<number>;
  peerForgiven(peer: string): Promise<void>;
}

export const LOGIN_NAME = /^[\p{L}\p{N}][\p{L}\p{N}._@-]{1,127}$/u;

export const plainLoginName = (text: string): string => text.normalize('NFKC').trim().toLowerCase();

/** What is wrong with these roles together; null: nothing. */
export function rolesFault(roles: readonly AccountRole[]): string | null {
  const names = roles.map(({ role }) => role);
  // A patient is one by the word of the citizens' provider, which says who it is.
  if (names.includes('patient')) return 'Nobody is made a patient by hand.';
  if (new Set(names).size < names.length) return 'A role stands twice.';
  if (!mayHold(names)) return 'System, security and audit are administered by different accounts.';
  if (roles.some(({ role, site }) => role === 'interface-engineer' && site === null))
    return 'An interface engineer is bound to a site.';
  return null;
}

const LEAST = 12;
const MOST = 128;

/** What is wrong with a password by its form; null: nothing. Say nothing of the password itself. */
export function passwordFault(password: string, loginName: string): string | null {
  const length = password.replace(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g, '.').length;
  if (length < LEAST || length > MOST) return `A password has ${String(LEAST)} to ${String(MOST)} characters.`;
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{Ll}\p{Lu}\p{N}]/u].filter((kind) => kind.test(password));
  if (kinds.length < 3) return 'A password has three of: small letters, capitals, digits, other characters.';
  if (/(.)\1{3}/u.test(password)) return 'A password does not repeat a character four times.';
  const plain = plainLoginName(password);
  const name = loginName.split('@')[0] ?? '';
  return name.length >= 3 && plain.includes(name) ? 'A password does not hold the login name.' : null;
}
