/** Signing on over REST: each step answers with the session under a new cookie, and stands in the audit, come in or not. */
import type { ApprovalDesk } from '../../core/approval.ts';
import type { AuditEvent, AuditTrail } from '../../core/audit.ts';
import type { Account, AccountStore } from '../../core/account.ts';
import { problem } from '../../core/problem.ts';
import { purposesOf } from '../../core/session.ts';
import type { Session, SessionStore } from '../../core/session.ts';
import { deviceCookie, sessionCookies } from '../../security/session.ts';
import type { Entered, SignOn, Turned } from '../../security/sign-on.ts';
import { approvalObjects } from './approvals.ts';
import type { Handlers, PublicId, Refused, Reply, Visitor } from './operation.ts';

/** A hospital by whose accounts people may sign in, as the sign-in page shows it. */
export interface IdentityProviderName {
  readonly id: string;
  readonly name: string;
  readonly nameEn?: string;
  /** Patients sign in there. */
  readonly citizens: boolean;
}

export interface SessionDeps {
  readonly signOn: SignOn;
  readonly sessions: SessionStore;
  readonly accounts: AccountStore;
  readonly approvals: ApprovalDesk;
  readonly audit: AuditTrail;
  readonly providers: readonly IdentityProviderName[];
  /** Where a browser tells the provider that the session has ended; null: the provider need not know. */
  readonly signOutUrl: (session: Session) => Promise<string | null>;
}

type Step = 'signIn' | 'activateAccount' | 'enterCode' | 'changePassword' | 'changeSession';

const bodyOf = (session: Session, recoveryCodes?: readonly string[]) => {
  const { id, loginName, displayName, institution, department, language, source, roles } = session.account;
  const { stage, role, purpose, factors, startedAt, endsAt, secondsLeft } = session;
  return {
    stage,
    account: { id, loginName, displayName, institution, department, language, source },
    role: role?.role ?? null,
    site: role?.site ?? null,
    roles: [...roles],
    purpose,
    purposes: role === null ? [] : [...purposesOf(role.role)],
    person: session.person,
    factors: [...factors],
    startedAt,
    endsAt,
    secondsLeft,
    ...(recoveryCodes === undefined ? {} : { recoveryCodes: [...recoveryCodes] }),
  };
};

/** What stands in the audit of a step; nobody is named who is not known: a login name may be a password typed too early. */
export const signOnEvent = (
  operation: string,
  account: Account | null,
  { peer }: Pick<Visitor, 'peer'>,
  more: Pick<AuditEvent, 'outcome' | 'reason'> & Partial<Pick<AuditEvent, 'action' | 'face' | 'callerRole'>>,
): AuditEvent => ({
  action: 'sign-on',
  face: 'rest',
  operation,
  callerId: account?.id ?? '',
  callerName: account?.displayName ?? '',
  callerRole: '',
  peer,
  persons: [],
  objects: account === null ? [] : [`account/${account.id}`],
  ...more,
});

const nobody = (): Refused => ({ problem: problem('unauthenticated', undefined, 'Nobody is signed in.') });

export function sessionHandlers(deps: SessionDeps): Pick<Handlers, PublicId> {
  const { signOn, sessions, accounts, audit, approvals } = deps;
  const answer = async (
    step: Step,
    visitor: Visitor,
    came: (Entered & { readonly recoveryCodes?: readonly string[] }) | Turned,
    beside: readonly string[] = [],
  ): Promise<Reply<Step>> => {
    if ('problem' in came) {
      const failed = { outcome: 'failure', reason: came.why } as const;
      await audit.record(signOnEvent(step, came.account, visitor, failed));
      const tooMany = came.problem.code === 'limit-exceeded' ? { status: 429 } : {};
      return { problem: came.problem, ...tooMany };
    }
    const { session, pass, recoveryCodes } = came;
    const reason = [session.stage, ...session.factors].join(' ');
    const callerRole = session.role?.role ?? '';
    const event = signOnEvent(step, session.account, visitor, { outcome: 'success', reason, callerRole });
    await audit.record({ ...event, objects: [...new Set([...event.objects, ...beside])] });
    const device = step === 'enterCode' ? [deviceCookie(signOn.deviceOf(session.account), visitor.secure)] : [];
    const cookies = [...sessionCookies(pass, visitor.secure), ...device];
    return { status: 200, body: bodyOf(session, recoveryCodes), cookies };
  };
  return {
    readSession: async ({ visitor, query }) => {
      const session = await signOn.find(visitor.pass, query.used === true);
      return session === null ? nobody() : { status: 200, body: bodyOf(session) };
    },
    signIn: async ({ visitor, body }) => {
      const instead = await signOn.find(visitor.pass);
      return answer('signIn', visitor, await signOn.withPassword(body, visitor, instead));
    },
    activateAccount: async ({ visitor, body }) => {
      const came = await signOn.withActivation(body, visitor.peer);
      // Whose two halves they were: the audit names both.
      const approval = 'problem' in came ? null : await approvals.activated(came.session.account.id);
      return answer('activateAccount', visitor, came, approval === null ? [] : approvalObjects(approval));
    },
    enrolSecondFactor: async ({ visitor }) => {
      const session = await signOn.find(visitor.pass);
      if (session === null) return nobody();
      const begun = await signOn.beginEnrolment(session);
      if ('problem' in begun) return { problem: begun.problem };
      const success = { outcome: 'success' } as const;
      await audit.record(signOnEvent('enrolSecondFactor', session.account, visitor, success));
      return { status: 200, body: begun };
    },
    enterCode: async ({ visitor, body }) => {
      const session = await signOn.find(visitor.pass);
      return session === null
        ? nobody()
        : answer('enterCode', visitor, await signOn.withCode(session, body.code, visitor));
    },
    changePassword: async ({ visitor, body }) => {
      const session = await signOn.find(visitor.pass);
      return session === null
        ? nobody()
        : answer('changePassword', visitor, await signOn.changePassword(session, body, visitor.peer));
    },
    changeSession: async ({ visitor, body: { language, ...chosen } }) => {
      const session = await signOn.find(visitor.pass);
      if (session === null) return nobody();
      if (language !== undefined && session.stage === 'open') {
        const told = { outcome: 'success', action: 'change', reason: 'language' } as const;
        await audit.record(signOnEvent('changeSession', session.account, visitor, told));
        await accounts.change(session.account.id, { language });
      }
      if (chosen.role === undefined && chosen.purpose === undefined)
        return { status: 200, body: bodyOf((await signOn.find(visitor.pass)) ?? session) };
      return answer('changeSession', visitor, await signOn.choose(session, chosen, visitor.peer));
    },
    endSession: async ({ visitor }) => {
      const session = await signOn.find(visitor.pass);
      if (session === null) return { ...nobody(), cookies: sessionCookies(null, visitor.secure) };
      const signOutUrl = await deps.signOutUrl(session);
      await sessions.end(session.id);
      const ended = { action: 'sign-out', outcome: 'success', callerRole: session.role?.role ?? '' } as const;
      await audit.record(signOnEvent('endSession', session.account, visitor, ended));
      return { status: 200, body: { signOutUrl }, cookies: sessionCookies(null, visitor.secure) };
    },
    listIdentityProviders: async () => ({
      status: 200,
      body: { items: deps.providers.map((one) => ({ ...one, loginUrl: `/saml/${one.id}/login` })) },
    }),
  };
}
