/** The operations about sessions, as hub/api/session offers them; the one file that knows their shapes. */
import type { Answer } from './api.ts';
import type { Role } from './areas.ts';
import type { Purpose, Session } from './session.tsx';

export interface IdentityProvider {
  readonly id: string;
  readonly name: string;
}

/** What the hub wants next of somebody who signs in. */
export type Step =
  | { readonly next: 'done' }
  | { readonly next: 'totp' }
  | { readonly next: 'enrol'; readonly secret: string }
  | { readonly next: 'change-password' };

const BASE = '/api/v1';

async function call(method: string, path: string, body?: object): Promise<Response> {
  const token = /(?:^|; )hutong_csrf=([^;]*)/.exec(document.cookie)?.[1] ?? '';
  return fetch(`${BASE}${path}`, {
    method,
    credentials: 'same-origin',
    cache: 'no-store',
    headers: { 'Content-Type': 'application/json', 'X-Hutong-CSRF': token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

export async function readSession(): Promise<Session | null> {
  const response = await call('GET', '/session');
  return response.ok ? ((await response.json()) as Session) : null;
}

export async function changeSession(to: {
  readonly role?: Role;
  readonly purpose?: Purpose;
}): Promise<Answer<unknown>> {
  const response = await call('PATCH', '/session', to);
  return response.ok
    ? { ok: true, value: null }
    : { ok: false, trouble: { code: 'forbidden', status: response.status, detail: '', fields: [], requestId: '' } };
}

export async function endSession(): Promise<string | null> {
  await call('DELETE', '/session');
  return null;
}

export async function identityProviders(): Promise<Answer<readonly IdentityProvider[]>> {
  const response = await call('GET', '/identity-providers');
  if (!response.ok) return { ok: true, value: [] };
  return { ok: true, value: ((await response.json()) as { items: IdentityProvider[] }).items };
}

/** Where the browser goes to sign in at a hospital, and comes back to `back`. */
export const samlLogin = (id: string, back: string): string =>
  `/saml/${encodeURIComponent(id)}/login?return=${encodeURIComponent(back)}`;

/** The next step of signing in: `step` is what the hub asked for last, `given` what was written into the form. */
export async function signIn(step: Step | null, given: Readonly<Record<string, string>>): Promise<Answer<Step>> {
  const response = await call('POST', step === null ? '/session' : '/session/totp', given);
  if (!response.ok)
    return {
      ok: false,
      trouble: { code: 'unauthenticated', status: response.status, detail: '', fields: [], requestId: '' },
    };
  return { ok: true, value: (await response.json()) as Step };
}
