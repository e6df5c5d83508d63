/**
 * Two persons for whoever reads: dual control and split knowledge (PCI DSS 4.0 3.7.6; NIST SP 800-57 part 1). What an
 * administrator asks for works once another has approved it; each of the two gets one half of the secret. Rules are pure
 * here; hub/store/approval.ts keeps the requests, hub/security/halves.ts draws the halves.
 */
import { RIGHTS, type ActKind, type PersonRole, type Role } from './access.ts';
import type { Account, AccountRole, Described } from './account.ts';
import type { Client, PublicKeyJwk } from './client.ts';
import type { Page, PageRequest } from './operation.ts';
import { problem, type Problem } from './problem.ts';

/** Who may be the second person: who gives rights or runs the system. Never the auditor, who checks both. */
export const APPROVERS: readonly PersonRole[] = ['security-administrator', 'system-administrator'];
export const APPROVAL_DAYS = 7;

const READING: readonly ActKind[] = ['read-record', 'search-records', 'read-images', 'read-raw'];

/** Whether this role comes to what stands in a patient's record. */
export const reads = (role: Role): boolean => READING.some((kind) => RIGHTS[kind].some((one) => one === role));

/** What of an account decides whose records it comes to. */
export interface Rights {
  readonly roles: readonly { readonly role: Role; readonly site: string | null }[];
  readonly institution: string | null;
  readonly practitionerId: string | null;
}

export const rightsOf = ({ roles, institution, practitionerId }: Described | Account): Rights => ({
  roles,
  institution,
  practitionerId,
});

const isIn = (roles: Rights['roles'], { role, site }: Rights['roles'][number]): boolean =>
  roles.some((one) => one.role === role && one.site === site);

/** The same, in whatever order. */
export const sameRights = (one: Rights, other: Rights): boolean =>
  one.institution === other.institution &&
  one.practitionerId === other.practitionerId &&
  one.roles.length === other.roles.length &&
  one.roles.every((role) => isIn(other.roles, role));

/**
 * Whether the account would come to more than now: by any role that it does not hold yet (who may give rights could give
 * himself a reader's), or as a reader of another institution, or under another number of a doctor.
 */
export function widens(now: Rights, wanted: Rights): boolean {
  if (wanted.roles.some((role) => !isIn(now.roles, role))) return true;
  const isReader = wanted.roles.some(({ role }) => reads(role));
  const moved = (was: string | null, is: string | null): boolean => is !== null && is !== was;
  return isReader && (moved(now.institution, wanted.institution) || moved(now.practitionerId, wanted.practitionerId));
}

/** Accounts that open no record by themselves: the second administrator of who has none yet. */
export const isOfAdministrators = ({ roles }: Rights): boolean =>
  roles.length > 0 && roles.every(({ role }) => APPROVERS.some((one) => one === role));

export type Wanted =
  | {
      readonly kind: 'client';
      readonly client: Pick<Client, 'name' | 'role' | 'site' | 'certificate'> & {
        readonly keys: readonly PublicKeyJwk[] | null;
        /** RFC 7638 thumbprints of the keys, for the second person to compare. */
        readonly thumbprints: readonly string[];
      };
    }
  | { readonly kind: 'account'; readonly account: Described & Pick<Account, 'loginName'> }
  | { readonly kind: 'reset'; readonly accountId: string }
  | {
      readonly kind: 'rights';
      readonly accountId: string;
      readonly to: Partial<Pick<Described, 'institution' | 'practitionerId'>> & {
        readonly roles?: readonly AccountRole[];
      };
    };

/** As it was asked, and as it stood then: approved only while it still stands so. */
export interface Terms {
  readonly name: string;
  readonly loginName: string | null;
  readonly now: Rights | null;
  readonly wanted: Rights;
  readonly certificate: string | null;
  readonly thumbprints: readonly string[];
}

export type ApprovalState = 'open' | 'approved' | 'refused' | 'lapsed';

export interface Approval {
  readonly id: string;
  readonly kind: Wanted['kind'];
  readonly state: ApprovalState;
  readonly clientId: string | null;
  readonly accountId: string | null;
  readonly asked: Terms;
  /** The asker got half of a secret; the other half is for who approves. */
  readonly hasSecret: boolean;
  readonly askedBy: string;
  readonly askedByName: string;
  readonly askedAt: string;
  readonly lapsesAt: string;
  readonly decidedBy: string | null;
  readonly decidedByName: string | null;
  readonly decidedAt: string | null;
  readonly reason: string | null;
  readonly activatedAt: string | null;
}

/** Who asks or decides; `person`: in a session of their own, not a system by its token. */
export interface Administrator {
  readonly id: string;
  readonly name: string;
  readonly person: boolean;
}

/** Why it cannot be, each with what to do. */
const OBSTACLES = {
  'nobody-else': [
    'conflict',
    'Two administrators are needed and nobody but you could approve this. Invite a second security administrator or a system administrator first: the holder of the token of the first start approves that account (POST /api/v1/approvals/{id}/decision with the token). Then ask again.',
  ],
  'own-request': ['forbidden', 'Whoever asked does not approve: another administrator has to. You may withdraw it.'],
  'own-account': ['forbidden', 'Nobody approves what is about their own account.'],
  'not-approver': [
    'forbidden',
    'A security or system administrator approves, signed in as a person. A token may only where nobody else could, and only accounts of administrators.',
  ],
  'asker-gone': [
    'conflict',
    'Who asked is no security administrator any more, or is suspended. Refuse this; another administrator may ask again.',
  ],
  decided: ['conflict', 'This was decided before, or its time is over.'],
  changed: ['conflict', 'What was asked for was changed meanwhile. Refuse this; it may be asked again as it is now.'],
  waiting: ['conflict', 'Something waits for approval here already. It has to be decided first.'],
} as const satisfies Readonly<Record<string, readonly [Problem['code'], string]>>;
export type Obstacle = keyof typeof OBSTACLES;

export interface Stopped {
  readonly problem: Problem;
  readonly obstacle?: Obstacle;
}

export const stopped = (obstacle: Obstacle): Stopped => {
  const [code, text] = OBSTACLES[obstacle];
  return { problem: problem(code, undefined, text), obstacle };
};

/** Why this administrator is not the second person, as far as the request tells. */
export function notSecond({ askedBy, accountId }: Approval, by: Administrator): Obstacle | null {
  if (by.id === askedBy) return 'own-request';
  return by.id === accountId ? 'own-account' : null;
}

export interface ApprovalDesk {
  /** `half`: SHA-256 of the asker's half; null: no secret is needed. Beside it how many people could approve now. */
  ask(
    wanted: Wanted,
    by: Administrator,
    half: Uint8Array | null,
  ): Promise<{ readonly approval: Approval; readonly approvers: number } | Stopped>;
  /** Newest first. */
  list(filter: { readonly state?: ApprovalState }, page: PageRequest): Promise<Page<Approval>>;
  /**
   * Once, by one: `whole` makes the secret's hash of the first half's, activation codes are good until `until`. null: no
   * such request.
   */
  approve(
    id: string,
    by: Administrator,
    secret: { readonly whole: (kind: Approval['kind'], first: Uint8Array) => Uint8Array; readonly until: Date },
    reason: string | null,
  ): Promise<Approval | Stopped | null>;
  /** Also by who asked. */
  refuse(id: string, by: Administrator, reason: string): Promise<Approval | Stopped | null>;
  /** Both halves were used: whose they were, once. null: the account was activated without approval. */
  activated(accountId: string): Promise<Approval | null>;
}
