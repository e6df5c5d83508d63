/** A person who is invited, activates the account, enrols a device and is in: the way over HTTP, step by step. */
import assert from 'node:assert/strict';
import { Secret, TOTP } from 'otpauth';
import { BrowserSession, type Reply } from './browser-session.ts';
import type { RestServer } from './rest-server.ts';

export const PASSWORD = 'Correct-horse-7';
export const codeOf = (secret: string, ahead = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + ahead * 30_000 });

export interface Invited {
  readonly id: string;
  readonly loginName: string;
  readonly activationCode: string;
}

let people = 0;
/** By the bootstrap's token. */
export async function invitePerson(hub: RestServer, roles: readonly object[]): Promise<Invited> {
  const loginName = `person${String(++people)}`;
  const body = { loginName, displayName: '某人', roles };
  const made = await hub.call('POST', '/api/v1/accounts', { body });
  assert.equal(made.status, 201, made.text);
  const { id, activationCode } = made.json as Record<'id' | 'activationCode', string>;
  return { id, activationCode, loginName };
}

export async function enterAs(
  hub: RestServer,
  person: Invited,
): Promise<{ at: BrowserSession; secret: string; recovery: readonly string[]; last: Reply; used: string }> {
  const at = new BrowserSession(hub.origin);
  const { loginName, activationCode: code } = person;
  const activated = await at.send('POST', '/api/v1/session/activation', { loginName, code, password: PASSWORD });
  assert.deepEqual([activated.status, activated.json['stage']], [200, 'enrolment'], JSON.stringify(activated.json));
  const { secret } = (await at.send('POST', '/api/v1/session/enrolment')).json as { secret: string };
  const used = codeOf(secret);
  const last = await at.send('POST', '/api/v1/session/totp', { code: used });
  assert.equal(last.status, 200, JSON.stringify(last.json));
  return { at, secret, used, recovery: last.json['recoveryCodes'] as string[], last };
}
