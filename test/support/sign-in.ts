/** People for tests: an account of a role with an open session, as a browser has it after both factors were shown. */
import { randomUUID } from 'node:crypto';
import type { People } from '../../hub/api/authenticate.ts';
import type { composeSignOn, SignOnRooms } from '../../hub/compose-sign.ts';
import type { PersonRole, Purpose } from '../../hub/core/access.ts';
import { USUAL_POLICY } from '../../hub/core/account.ts';
import { siteId } from '../../hub/core/identifier.ts';
import { institutionCode } from '../../hub/core/institution.ts';
import { purposesOf } from '../../hub/core/session.ts';
import { csrfOf, drawPass, hashPass } from '../../hub/security/session.ts';
import { createAccountStore } from '../../hub/store/account.ts';
import { createCredentialStore } from '../../hub/store/credential.ts';
import type { Database } from '../../hub/store/database.ts';
import { createSessionStore } from '../../hub/store/session.ts';

export type SignOnGround = Parameters<typeof composeSignOn>[0]['config'];

const SIGN_ON = { idleSeconds: 1_800, longestSeconds: 43_200, policy: USUAL_POLICY };

export const SIGN_ON_CONFIG: SignOnGround = {
  signOn: SIGN_ON,
  saml: null,
  publicUrl: null,
  xua: { issuers: [], skewMs: 60_000 },
};

/** What createApp asks of the rooms of signing on. */
export const peopleOf = ({ signOn, accounts }: SignOnRooms): People => ({
  find: (pass, isUse) => signOn.find(pass, isUse),
  hasSecurityAdministrator: () => accounts.hasSecurityAdministrator(),
});

export interface SignedInTest {
  readonly accountId: string;
  readonly loginName: string;
  /** `Cookie` header, and the value of `X-Hutong-CSRF`. */
  readonly cookie: string;
  readonly csrf: string;
  /** Both, for fetch. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface SignInOptions {
  readonly institution?: string;
  /** Where the role is bound to one; an interface engineer's is h1 where none is given. */
  readonly site?: string;
  readonly loginName?: string;
  readonly displayName?: string;
  readonly department?: string;
  readonly practitionerId?: string;
  readonly purpose?: Purpose;
  /** Roles that the account holds beside the one of the session. */
  readonly alsoRoles?: readonly PersonRole[];
}

/** Straight into the store: what is tested is what a person may do, not how they came in. */
export async function signIn(
  { database }: { readonly database: Database },
  role: PersonRole,
  options: SignInOptions = {},
): Promise<SignedInTest> {
  const clock = (): Date => new Date();
  const accounts = createAccountStore({ database, clock });
  const loginName = options.loginName ?? `${role}-${randomUUID().slice(0, 8)}`;
  const boundTo = (one: PersonRole): string | null =>
    one === 'interface-engineer' ? (options.site ?? 'h1') : one === role ? (options.site ?? null) : null;
  const roles = [role, ...(options.alsoRoles ?? [])].map((one) => {
    const site = boundTo(one);
    return { role: one, site: site === null ? null : siteId(site) };
  });
  const made = await accounts.add(
    {
      loginName,
      displayName: options.displayName ?? loginName,
      institution: options.institution === undefined ? null : institutionCode(options.institution),
      department: options.department ?? null,
      practitionerId: options.practitionerId ?? null,
      language: 'zh',
      roles,
      createdBy: 'test',
    },
    { hash: Buffer.alloc(32), until: new Date() },
  );
  if (!made.ok) throw new Error(made.problem.text);
  await accounts.change(made.value.id, { state: 'active' });
  await createCredentialStore(database).entered(made.value.id, clock());
  const pass = drawPass();
  const startedAt = clock();
  await createSessionStore({ database, clock }).start(hashPass(pass) ?? Buffer.alloc(32), {
    accountId: made.value.id,
    stage: 'open',
    role,
    purpose: options.purpose ?? purposesOf(role)[0],
    factors: ['password', 'totp'],
    saml: null,
    peer: '127.0.0.1',
    startedAt,
    endsAt: new Date(startedAt.getTime() + SIGN_ON.longestSeconds * 1_000),
    idleSeconds: SIGN_ON.idleSeconds,
  });
  const csrf = csrfOf(pass);
  const cookie = `hutong_session=${pass}; hutong_csrf=${csrf}`;
  const headers = { Cookie: cookie, 'X-Hutong-CSRF': csrf };
  return { accountId: made.value.id, loginName, cookie, csrf, headers };
}
