/** The operations about sessions, as hub/api/rest/session.ts offers them; the one file that knows their shapes. */
import type { Answer } from './api.ts';
import { request } from './api.ts';
import type { Role } from './page.ts';

export type Purpose =
  | 'TREATMENT'
  | 'CONSULTATION'
  | 'RECOGNITION'
  | 'SHARE'
  | 'QC'
  | 'REGULATION'
  | 'OPS'
  | 'RESEARCH'
  | 'EMERGENCY'
  | 'PATIENT';

/** `open`: everything was shown; else what is still to be shown, or chosen. */
export type Stage = 'password' | 'enrolment' | 'totp' | 'role' | 'open';

export interface Session {
  readonly stage: Stage;
  readonly account: {
    readonly id: string;
    readonly loginName: string;
    readonly displayName: string;
    readonly institution: string | null;
  };
  readonly role: Role | null;
  readonly roles: readonly { readonly role: Role }[];
  readonly purpose: Purpose;
  /** Those that the role may choose. */
  readonly purposes: readonly Purpose[];
  /** Of a patient: who they are in the index now; null: nobody, or it is in doubt. */
  readonly person: string | null;
  /** Until it is over where nobody uses it again. */
  readonly secondsLeft: number;
  /** Once, when a second factor was enrolled. */
  readonly recoveryCodes?: readonly string[];
}

export interface IdentityProvider {
  readonly id: string;
  readonly name: string;
  readonly nameEn?: string;
  readonly loginUrl: string;
  /** Patients sign in there. */
  readonly citizens: boolean;
}

/** null: nobody is signed in. A hub that is away says nothing of that. Asking alone is no use; what the reader did is. */
export async function readSession(used = false): Promise<Answer<Session | null>> {
  const answer = await request<Session>('GET', used ? '/session?used=true' : '/session');
  return answer.ok || answer.trouble.status !== 401 ? answer : { ok: true, value: null };
}

export const changeSession = (to: { readonly role?: Role; readonly purpose?: Purpose }): Promise<Answer<Session>> =>
  request('PATCH', '/session', to);

/** Where the browser goes next, where the hospital's provider has to know; null: nowhere. */
export async function endSession(): Promise<Answer<string | null>> {
  const answer = await request<{ readonly signOutUrl: string | null }>('DELETE', '/session');
  if (answer.ok) return { ok: true, value: answer.value.signOutUrl };
  return answer.trouble.status === 401 ? { ok: true, value: null } : answer;
}

export async function identityProviders(): Promise<Answer<readonly IdentityProvider[]>> {
  const answer = await request<{ readonly items: readonly IdentityProvider[] }>('GET', '/identity-providers');
  return answer.ok ? { ok: true, value: answer.value.items } : answer;
}

export const signIn = (loginName: string, password: string): Promise<Answer<Session>> =>
  request('POST', '/session', { loginName, password });

/** `secondCode`: the other half, where two administrators gave one each. */
export const activate = (given: {
  readonly loginName: string;
  readonly code: string;
  readonly secondCode?: string;
  readonly password: string;
}): Promise<Answer<Session>> => request('POST', '/session/activation', given);

export const beginEnrolment = (): Promise<Answer<{ readonly secret: string; readonly uri: string }>> =>
  request('POST', '/session/enrolment');

export const enterCode = (code: string): Promise<Answer<Session>> => request('POST', '/session/totp', { code });

export const changePassword = (current: string, next: string): Promise<Answer<Session>> =>
  request('POST', '/session/password', { current, next });
