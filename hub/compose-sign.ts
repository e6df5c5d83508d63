/** Wires how people come in: accounts, what they sign on with, and their sessions. */
import { oauthFace, smartConfiguration } from './api/oauth/index.ts';
import { samlFace, signOutUrlOf } from './api/saml/index.ts';
import type { SessionDeps } from './api/rest/session.ts';
import type { Config } from './config.ts';
import type { AccountStore, CredentialStore } from './core/account.ts';
import type { ApprovalDesk } from './core/approval.ts';
import { isOfCitizens } from './core/identity-provider.ts';
import type { AuditTrail } from './core/audit.ts';
import type { SessionStore } from './core/session.ts';
import { createDevices } from './security/device.ts';
import { createPasswords } from './security/password.ts';
import { SamlProvider } from './security/saml.ts';
import type { SamlDeps } from './security/saml.ts';
import { createSeal } from './security/seal.ts';
import { SignOn } from './security/sign-on.ts';
import { createAssertionLedger } from './store/assertion.ts';
import { createApprovalDesk } from './store/approval.ts';
import { createAccountStore } from './store/account.ts';
import { createTokenDesk } from './store/client.ts';
import { createCredentialStore } from './store/credential.ts';
import { vaultOf, type Database } from './store/database.ts';
import { hubKey } from './store/hub-key.ts';
import { createPatientFinder } from './store/patient-finder.ts';
import { createSamlRequestStore } from './store/saml-request.ts';
import { createSessionStore } from './store/session.ts';

export interface SignOnRooms extends Pick<SessionDeps, 'providers' | 'signOutUrl'> {
  readonly accounts: AccountStore;
  readonly credentials: CredentialStore;
  readonly sessions: SessionStore;
  readonly approvals: ApprovalDesk;
  readonly signOn: SignOn;
  /** `/oauth` and what tells of it; `/saml` where a hospital's provider is configured. */
  readonly signOnFaces: Readonly<Record<string, ReturnType<typeof samlFace>>>;
}

export async function composeSignOn(ground: {
  readonly database: Database;
  readonly clock: () => Date;
  readonly audit: AuditTrail;
  readonly config: Pick<Config, 'signOn' | 'saml' | 'publicUrl' | 'xua'>;
}): Promise<SignOnRooms> {
  const { database, clock, config, audit } = ground;
  const { policy, idleSeconds, longestSeconds } = config.signOn;
  const rooms = {
    accounts: createAccountStore({ database, clock }),
    credentials: createCredentialStore(database),
    sessions: createSessionStore({ database, clock }),
    approvals: createApprovalDesk({ database, clock }),
  };
  const key = await hubKey(database, 'sign-on');
  const { fields } = vaultOf(database.pool);
  const passwords = createPasswords();
  const limits = { idleSeconds, longestSeconds };
  const devices = createDevices(key, clock);
  const seal = createSeal(fields, 'totp', key);
  const signOn = new SignOn({ ...rooms, passwords, seal, devices, clock, policy, limits });
  const ledger = createAssertionLedger(database);
  const providers = samlProviders(config, { ledger, clock });
  const oauth = { desk: createTokenDesk(database), ledger, clock, audit, publicUrl: config.publicUrl };
  const requests = createSamlRequestStore({ database, clock });
  const patients = createPatientFinder(database);
  const saml = { ...rooms, patients, signOn, providers, requests, seal: createSeal(fields, 'saml', key), audit, clock };
  return {
    ...rooms,
    signOn,
    providers: providers.map(({ provider }) => ({
      id: provider.id,
      name: provider.name,
      citizens: isOfCitizens(provider),
      ...(provider.nameEn === undefined ? {} : { nameEn: provider.nameEn }),
    })),
    signOutUrl: signOutUrlOf(saml),
    signOnFaces: {
      ...(providers.length === 0 ? {} : { '/saml': samlFace(saml) }),
      '/oauth': oauthFace(oauth),
      '/.well-known': smartConfiguration(oauth),
      '/fhir/.well-known': smartConfiguration(oauth),
    },
  };
}

/** Rejects where a provider's metadata cannot be used. */
function samlProviders(
  { saml, publicUrl, xua }: Pick<Config, 'saml' | 'publicUrl' | 'xua'>,
  ground: Pick<SamlDeps, 'ledger' | 'clock'>,
): readonly SamlProvider[] {
  if (saml === null || publicUrl === null) return [];
  const { key, certificate } = saml;
  return saml.providers.map((provider) => {
    try {
      return new SamlProvider(provider, { ...ground, key, certificate, publicUrl, skewMs: xua.skewMs });
    } catch (error) {
      throw new Error(`HUB_SAML_IDPS takes of ${provider.id} ${error instanceof Error ? error.message : 'metadata'}`);
    }
  });
}
