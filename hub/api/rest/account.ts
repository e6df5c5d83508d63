/** Accounts of people over REST: invited, given roles, suspended, ended; secrets are shown once or never. */
import { LOGIN_NAME, plainLoginName } from '../../core/account.ts';
import type { Account, AccountRole, AccountStore, CredentialStore } from '../../core/account.ts';
import { institutionCode } from '../../core/institution.ts';
import { problem } from '../../core/problem.ts';
import type { SiteProfile, Sites } from '../../core/site.ts';
import type { SignOn } from '../../security/sign-on.ts';
import type { Disclosure, Handlers, Refused } from './operation.ts';

export interface AccountDeps {
  readonly accounts: AccountStore;
  readonly credentials: CredentialStore;
  readonly signOn: SignOn;
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

const bodyOf = (account: Account) => ({ ...account, roles: [...account.roles] });

export function accountHandlers(deps: AccountDeps): Pick<Handlers, Administering> {
  const { accounts, credentials, signOn, sites, clock } = deps;
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
      const { code, activation } = await signOn.invite();
      const made = {
        loginName,
        displayName: body.displayName.trim(),
        institution: institutionOf(body.institution),
        department: body.department ?? null,
        practitionerId: body.practitionerId ?? null,
        language: body.language ?? 'zh',
        roles,
        createdBy: caller.id,
      } as const;
      const added = await accounts.add(made, activation);
      if (!added.ok) return { problem: added.problem };
      const invited = { activationCode: code, activationUntil: activation.until.toISOString() };
      const given = roles.map(({ role }) => role).join(' ');
      return { status: 201, body: { ...bodyOf(added.value), ...invited }, disclosure: done(added.value, given) };
    },
    changeAccount: async ({ path, body: { roles: told, reason, institution, ...words }, caller }) => {
      // Who gives rights gives none to themselves (GB/T 22239 8.1.4.2 d).
      if (told !== undefined && caller.user?.accountId === path.id)
        return { problem: problem('forbidden', 'roles', 'Nobody changes their own roles.') };
      const roles = told === undefined ? null : rolesOf(told);
      if (roles !== null && 'problem' in roles) return roles;
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
      const { code, activation } = await signOn.invite();
      if (!(await credentials.reset(path.id, activation))) return notFound();
      const account = await accounts.byId(path.id);
      if (account === null) return notFound();
      const isLocal = account.source === 'local';
      const invited = {
        activationCode: isLocal ? code : null,
        activationUntil: isLocal ? activation.until.toISOString() : null,
      };
      return { status: 200, body: { ...bodyOf(account), ...invited }, disclosure: done(account, 'reset') };
    },
  };
}
