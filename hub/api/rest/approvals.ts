/** What waits for a second administrator over REST: listed, approved or refused; the second half is shown once, here. */
import type { Caller } from '../../core/access.ts';
import type { Administrator, Approval, ApprovalDesk, Stopped, Wanted } from '../../core/approval.ts';
import { problem } from '../../core/problem.ts';
import { drawCodeHalf, drawTokenHalf, joined, type Half } from '../../security/halves.ts';
import type { SignOn } from '../../security/sign-on.ts';
import type { components } from '../../../openapi/generated/hub.ts';
import type { Disclosure, Handlers, Refused } from './operation.ts';
import { pageOf } from './page.ts';
import { notFound } from './scope.ts';

export interface ApprovalDeps {
  readonly approvals: ApprovalDesk;
  readonly signOn: SignOn;
}

export const administratorOf = ({ id, name, user }: Caller): Administrator => ({
  id,
  name,
  person: user !== undefined,
});

/**
 * As long as no security administrator is in, the token of the first start has every right and needs nobody beside it
 * (core/access.ts, standingRole): somebody has to appoint the first. From then on everybody needs a second person.
 */
export const needsSecond = ({ role }: Caller): boolean => role !== 'administrator';

export const refusedBy = ({ problem: why, obstacle }: Stopped): Refused =>
  obstacle === undefined
    ? { problem: why }
    : { problem: why, errors: [{ pointer: '', code: obstacle, text: why.text }] };

/** Both administrators, and what it is about, so that the audit finds the act by any of them. */
export const approvalObjects = ({ id, clientId, accountId, askedBy, decidedBy }: Approval): readonly string[] => [
  `approval/${id}`,
  clientId === null ? `account/${accountId ?? ''}` : `client/${clientId}`,
  `account/${askedBy}`,
  ...(decidedBy === null || decidedBy === askedBy ? [] : [`account/${decidedBy}`]),
];

const done = (approval: Approval, reason: string): Disclosure => ({
  action: 'administer',
  persons: [],
  objects: approvalObjects(approval),
  reason: `${approval.kind} ${reason}`,
});

type AskedApproval = components['schemas']['AskedApproval'];

export interface SecondAsked {
  readonly approval: Approval;
  readonly told: AskedApproval;
  readonly disclosure: Disclosure;
}

/** Asks for a second person; what the asker is told, with the first half where there is a secret. */
export async function askSecond(
  approvals: ApprovalDesk,
  wanted: Wanted,
  caller: Caller,
  half: Half | null,
): Promise<SecondAsked | { readonly refused: Refused }> {
  const asked = await approvals.ask(wanted, administratorOf(caller), half?.hash ?? null);
  if ('problem' in asked) return { refused: refusedBy(asked) };
  const { approval, approvers } = asked;
  const { id, lapsesAt } = approval;
  const told = { id, lapsesAt, firstHalf: half?.text ?? null, approvers };
  return { approval, told, disclosure: done(approval, 'asked') };
}

const bodyOf = ({ asked, ...approval }: Approval): components['schemas']['Approval'] => ({
  ...approval,
  name: asked.name,
  loginName: asked.loginName,
  now: asked.now === null ? null : { ...asked.now, roles: [...asked.now.roles] },
  wanted: { ...asked.wanted, roles: [...asked.wanted.roles] },
  certificate: asked.certificate,
  thumbprints: [...asked.thumbprints],
});

export function approvalHandlers({
  approvals,
  signOn,
}: ApprovalDeps): Pick<Handlers, 'listApprovals' | 'decideApproval'> {
  return {
    listApprovals: async ({ query: { state, ...page } }) => {
      const { items, next } = await approvals.list(state === undefined ? {} : { state }, pageOf(page));
      return { status: 200, body: { items: items.map(bodyOf), next } };
    },
    decideApproval: async ({ path, body: { decision, reason = '' }, caller }) => {
      const by = administratorOf(caller);
      const why = reason.trim();
      if (decision === 'refuse') {
        if (why.length < 3)
          return { problem: problem('required-missing', 'reason', 'A refusal says why, in three characters or more.') };
        const refused = await approvals.refuse(path.id, by, why);
        if (refused === null) return notFound();
        if ('problem' in refused) return refusedBy(refused);
        const body = { ...bodyOf(refused), secondHalf: null, activationUntil: null };
        return { status: 200, body, disclosure: done(refused, 'refused') };
      }
      const halves = { token: drawTokenHalf('second'), code: drawCodeHalf() };
      const halfFor = (kind: Approval['kind']): Half => (kind === 'client' ? halves.token : halves.code);
      const until = signOn.activationUntil();
      const whole = (kind: Approval['kind'], first: Uint8Array): Uint8Array => joined(first, halfFor(kind).hash);
      const approved = await approvals.approve(path.id, by, { whole, until }, why === '' ? null : why);
      if (approved === null) return notFound();
      if ('problem' in approved) return refusedBy(approved);
      const secret = approved.hasSecret
        ? {
            secondHalf: halfFor(approved.kind).text,
            activationUntil: approved.kind === 'client' ? null : until.toISOString(),
          }
        : { secondHalf: null, activationUntil: null };
      return { status: 200, body: { ...bodyOf(approved), ...secret }, disclosure: done(approved, 'approved') };
    },
  };
}
