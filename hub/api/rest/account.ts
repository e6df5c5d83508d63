/** Accounts of people over REST: invited, given roles, suspended, ended; secrets are shown once or never. */
import { LOGIN_NAME, plainLoginName } from '../../core/account.ts';
import type { Account, AccountRole, AccountStore, CredentialStore } from '../../core/account.ts';
import { institutionCode } from '../../core/institution.ts';
import { rightsOf, widens } from '../../core/approval.ts';
import type { ApprovalDesk } from '../../core/approval.ts';
import { problem } from '../../core/problem.ts';
import type { SiteProfile, Sites } from '../../core/site.ts';
import type { SignOn } from '../../security/sign-on.ts';
import { drawCodeHalf } from '../../security/halves.ts';
import { askSecond, needsSecond, type SecondAsked } from './approvals.ts';
import type { Disclosure, Handlers, Refused } from './operation.ts';

export interface AccountDeps {
  readonly accounts: AccountStore;
  readonly credentials: CredentialStore;
  readonly signOn: SignOn;
  readonly approvals: ApprovalDesk;
  readonly sites: Sites;
  readonly clock: () => Date;
}

type Told = readonly { readonly role: AccountRole['role']; readonly site?: string | null }[];
type Administering =
  'listAccounts' | 'createAccount' | 'readAccount' | 'changeAccount' | 'endAccount' | 'resetAccount' | 'endSessions';

const DAY = 86_400_000;
const notFound = (): Refused => ({ problem: problem('not-found') });

const done = ({ id }: Account, reason?: string): Disclosure => ({
  action: 'administer',
  persons: [],
  objects: [`account/${id}`],
  ...(reason === undefined ? {} : { reason }),
});

const RIGHTS_ALONE = problem(
  'invalid-value',
  undefined,
  'Wider rights wait for a second administrator: ask for roles, institution and staff number by themselves.',
);

const bodyOf = (account: Account) => ({ ...account, roles: [...account.roles] });

export function accountHandlers(deps: AccountDeps): Pick<Handlers, Administering> {
  const { accounts, credentials, signOn, approvals, sites, clock } = deps;
  const rolesOf = (told: Told): readonly AccountRole[] | Refused => {
    const roles: AccountRole[] = [];
    for (const { role, site = null } of told) {
      const profile: SiteProfile | null = site === null ? null : sites.byId(site);
      if (site !== null && profile === null)
        return { problem: problem('invalid-value', 'roles', 'There is no such site.') };
      roles.push({ role, site: profile?.id ?? null });
    }
    return roles;
  };
  /** Asked for: the account as it stands, and the asker's half of a code that is no code yet. */
  const invited = async (asked: SecondAsked) => {
    const account = await accounts.byId(asked.approval.accountId ?? '');
    if (account === null) throw new Error('an account is gone right after it was asked for');
    const none = { activationCode: null, activationUntil: null };
    return { body: { ...bodyOf(account), ...none, approval: asked.told }, disclosure: asked.disclosure };
  };
  const institutionOf = (code: string | null | undefined) =>
    code === undefined || code === null || code === '' ? null : institutionCode(code);
  return {
    listAccounts: async ({ query: { limit, after, unusedDays, ...filter } }) => {
      const unusedSince =
        unusedDays === undefined ? {} : { unusedSince: new Date(clock().getTime() - unusedDays * DAY).toISOString() };
      const page = await accounts.list(
        { ...filter, ...unusedSince },
        { limit: limit ?? 50, ...(after === undefined ? {} : { after }) },
      );
      return { status: 200, body: { items: page.items.map(bodyOf), next: page.next } };
    },
    readAccount: async ({ path }) => {
      const account = await accounts.byId(path.id);
      return account === null ? notFound() : { status: 200, body: bodyOf(account) };
    },
    createAccount: async ({ body, caller }) => {
      const loginName = plainLoginName(body.loginName);
      if (!LOGIN_NAME.test(loginName))
        return { problem: problem('invalid-value', 'loginName', 'A login name has letters, digits and . _ @ -') };
      const roles = rolesOf(body.roles);
      if ('problem' in roles) return roles;
      const made = {
        loginName,
        displayName: body.displayName.trim(),
        institution: institutionOf(body.institution),
        department: body.department ?? null,
        practitionerId: body.practitionerId ?? null,
        language: body.language ?? 'zh',
        roles,
      } as const;
      if (needsSecond(caller)) {
        const asked = await askSecond(approvals, { kind: 'account', account: made }, caller, drawCodeHalf());
        return 'refused' in asked ? asked.refused : { status: 201, ...(await invited(asked)) };
      }
      const { code, activation } = await signOn.invite();
      const added = await accounts.add({ ...made, createdBy: caller.id }, activation);
      if (!added.ok) return { problem: added.problem };
      const whole = { activationCode: code, activationUntil: activation.until.toISOString(), approval: null };
      const given = roles.map(({ role }) => role).join(' ');
      return { status: 201, body: { ...bodyOf(added.value), ...whole }, disclosure: done(added.value, given) };
    },
    changeAccount: async ({ path, body: { roles: told, reason, institution, ...words }, caller }) => {
      // Who gives rights gives none to themselves (GB/T 22239 8.1.4.2 d).
      if (told !== undefined && caller.user?.accountId === path.id)
        return { problem: problem('forbidden', 'roles', 'Nobody changes their own roles.') };
      const roles = told === undefined ? null : rolesOf(told);
      if (roles !== null && 'problem' in roles) return roles;
      if (needsSecond(caller)) {
        const account = await accounts.byId(path.id);
        if (account === null) return notFound();
        const rights = {
          ...(roles === null ? {} : { roles }),
          ...(institution === undefined ? {} : { institution: institutionOf(institution) }),
          ...(words.practitionerId === undefined ? {} : { practitionerId: words.practitionerId }),
        };
        if (widens(rightsOf(account), { ...rightsOf(account), ...rights })) {
          const others = [words.displayName, words.department, words.language, words.state];
          if (others.some((one) => one !== undefined)) return { problem: RIGHTS_ALONE };
          const asked = await askSecond(approvals, { kind: 'rights', accountId: path.id, to: rights }, caller, null);
          if ('refused' in asked) return asked.refused;
          return { status: 202, body: asked.told, disclosure: asked.disclosure };
        }
      }
      const to = {
        ...words,
        ...(institution === undefined ? {} : { institution: institutionOf(institution) }),
        ...(roles === null ? {} : { roles }),
        ...(words.state === undefined ? {} : { stateReason: reason ?? null }),
      };
      const changed = await accounts.change(path.id, to);
      if (changed === null) return notFound();
      if (!changed.ok) return { problem: changed.problem };
      return { status: 200, body: bodyOf(changed.value), disclosure: done(changed.value, Object.keys(to).join(' ')) };
    },
    endAccount: async ({ path, caller }) => {
      if (caller.user?.accountId === path.id)
        return { problem: problem('forbidden', undefined, 'Nobody ends their own account.') };
      const ended = await accounts.change(path.id, { state: 'ended', stateReason: null });
      if (ended === null) return notFound();
      return ended.ok
        ? { status: 200, body: bodyOf(ended.value), disclosure: done(ended.value, 'ended') }
        : { problem: ended.problem };
    },
    endSessions: async ({ path }) => {
      const ended = await accounts.endSessions(path.id);
      const account = ended === null ? null : await accounts.byId(path.id);
      return ended === null || account === null
        ? notFound()
        : { status: 200, body: { ended }, disclosure: done(account, 'sessions ended') };
    },
    resetAccount: async ({ path, caller }) => {
      if (caller.user?.accountId === path.id)
        return { problem: problem('forbidden', undefined, 'Nobody resets their own account.') };
      const found = await accounts.byId(path.id);
      // Of a hospital's account no code comes of it: whoever has it comes in by the hospital.
      if (needsSecond(caller) && found?.source === 'local') {
        const asked = await askSecond(approvals, { kind: 'reset', accountId: path.id }, caller, drawCodeHalf());
        return 'refused' in asked ? asked.refused : { status: 200, ...(await invited(asked)) };
      }
      const { code, activation } = await signOn.invite();
      if (!(await credentials.reset(path.id, activation))) return notFound();
      const account = await accounts.byId(path.id);
      if (account === null) return notFound();
      const isLocal = account.source === 'local';
      const whole = {
        activationCode: isLocal ? code : null,
        activationUntil: isLocal ? activation.until.toISOString() : null,
        approval: null,
      };
      return { status: 200, body: { ...bodyOf(account), ...whole }, disclosure: done(account, 'reset') };
    },
  };
}
