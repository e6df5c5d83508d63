/** Wires how people come in: accounts, what they sign on with, and their sessions. */
import type { SignOnConfig } from './config.ts';
import type { AccountStore, CredentialStore } from './core/account.ts';
import type { SessionStore } from './core/session.ts';
import { createPasswords } from './security/password.ts';
import { createSeal } from './security/seal.ts';
import { SignOn } from './security/sign-on.ts';
import { createAccountStore } from './store/account.ts';
import { createCredentialStore } from './store/credential.ts';
import type { Database } from './store/database.ts';
import { hubKey } from './store/hub-key.ts';
import { createSessionStore } from './store/session.ts';

export interface SignOnRooms {
  readonly accounts: AccountStore;
  readonly credentials: CredentialStore;
  readonly sessions: SessionStore;
  readonly signOn: SignOn;
}

export async function composeSignOn(ground: {
  readonly database: Database;
  readonly clock: () => Date;
  readonly config: { readonly signOn: SignOnConfig };
}): Promise<SignOnRooms> {
  const { database, clock } = ground;
  const { policy, idleSeconds, longestSeconds } = ground.config.signOn;
  const rooms = {
    accounts: createAccountStore({ database, clock }),
    credentials: createCredentialStore(database),
    sessions: createSessionStore({ database, clock }),
  };
  const seal = createSeal(await hubKey(database, 'sign-on'), 'totp');
  const passwords = createPasswords();
  const limits = { idleSeconds, longestSeconds };
  return { ...rooms, signOn: new SignOn({ ...rooms, passwords, seal, clock, policy, limits }) };
}
