/** A hub whose people sign in by hospitals' identity providers, over HTTP and PostgreSQL. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readKeys, readProviders } from '../../hub/config-saml.ts';
import type { RestServer } from './rest-server.ts';
import { startRest } from './rest-server.ts';
import { startIdp } from './saml-idp.ts';
import type { SamlIdp } from './saml-idp.ts';
import { newSigner } from './xua.ts';

export interface SamlHub {
  readonly hub: RestServer;
  readonly h1: SamlIdp;
  readonly h2: SamlIdp;
  readonly citizens: SamlIdp;
  close(): Promise<void>;
}

/** Files of three providers and of the hub's own key, as an operator lays them down; and a port that is free. */
export interface SamlGround {
  readonly h1: SamlIdp;
  readonly h2: SamlIdp;
  readonly citizens: SamlIdp;
  /** HUB_SAML_IDPS and the others, for a hub as a process; `port` is where it has to listen. */
  readonly env: Readonly<Record<'HUB_SAML_IDPS' | 'HUB_SAML_KEY' | 'HUB_SAML_CERT' | 'HUB_PUBLIC_URL', string>>;
  readonly port: number;
  close(): Promise<void>;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** h1 shows both factors itself and gives roles by a table; h2 leaves the second factor to the hub; patients come by citizens. */
export async function samlGround(idpHost = '127.0.0.1', institution = '12210000463400001X'): Promise<SamlGround> {
  const [h1, h2] = [await startIdp('h1', idpHost), await startIdp('h2', idpHost)];
  const citizens = await startIdp('citizens', idpHost);
  const dir = await mkdtemp(join(tmpdir(), 'hutong-saml-'));
  const own = newSigner();
  h1.partner = own.certificate;
  h2.partner = own.certificate;
  citizens.partner = own.certificate;
  const files = {
    'h1.xml': h1.metadata,
    'h2.xml': h2.metadata,
    'citizens.xml': citizens.metadata,
    'key.pem': own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'cert.pem': own.certificate,
    'idps.yaml': `- id: h1
  name: 省第一人民医院
  nameEn: First Provincial Hospital
  institution: '${institution}'
  site: h1
  metadata: h1.xml
  secondFactor: idp
  attributes: { name: displayName, department: department, roles: role }
  roles: { 医师: physician, 工程师: interface-engineer, 运维: operator }
- id: h2
  name: 城东社区卫生服务中心
  metadata: h2.xml
  secondFactor: ['urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI']
  attributes: { name: displayName, roles: role }
  defaultRole: physician
  provision: review
- id: citizens
  name: 省政务服务网
  nameEn: Provincial citizen sign-on
  metadata: citizens.xml
  secondFactor: idp
  attributes: { name: displayName, residentId: idNumber }
  defaultRole: patient
`,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content);
  const port = await freePort();
  return {
    ...{ h1, h2, citizens, port },
    env: {
      HUB_SAML_IDPS: join(dir, 'idps.yaml'),
      HUB_SAML_KEY: join(dir, 'key.pem'),
      HUB_SAML_CERT: join(dir, 'cert.pem'),
      HUB_PUBLIC_URL: `http://127.0.0.1:${String(port)}`,
    },
    async close() {
      await h1.close();
      await h2.close();
      await citizens.close();
      await rm(dir, { recursive: true });
    },
  };
}

export async function startSamlHub(idpHost = '127.0.0.1'): Promise<SamlHub> {
  const ground = await samlGround(idpHost);
  const { h1, h2, citizens, env, port } = ground;
  const saml = { providers: readProviders(env.HUB_SAML_IDPS), ...readKeys(env.HUB_SAML_KEY, env.HUB_SAML_CERT) };
  const hub = await startRest(undefined, { saml, publicUrl: env.HUB_PUBLIC_URL }, port);
  return {
    ...{ hub, h1, h2, citizens },
    async close() {
      await hub.close();
      await ground.close();
    },
  };
}
