/** A hub whose people sign in by hospitals' identity providers, over HTTP and PostgreSQL. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readProviders } from '../../hub/config-saml.ts';
import type { RestServer } from './rest-server.ts';
import { startRest } from './rest-server.ts';
import { startIdp } from './saml-idp.ts';
import type { SamlIdp } from './saml-idp.ts';
import { newSigner } from './xua.ts';

export interface SamlHub {
  readonly hub: RestServer;
  readonly h1: SamlIdp;
  readonly h2: SamlIdp;
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

/** h1 shows both factors itself and gives roles by a table; h2 leaves the second factor to the hub. */
export async function startSamlHub(idpHost = '127.0.0.1'): Promise<SamlHub> {
  const [h1, h2] = [await startIdp('h1', idpHost), await startIdp('h2', idpHost)];
  const dir = await mkdtemp(join(tmpdir(), 'hutong-saml-'));
  const own = newSigner();
  h1.partner = own.certificate;
  h2.partner = own.certificate;
  for (const [name, idp] of [
    ['h1', h1],
    ['h2', h2],
  ] as const)
    await writeFile(join(dir, `${name}.xml`), idp.metadata);
  await writeFile(
    join(dir, 'idps.yaml'),
    `- id: h1
  name: 省第一人民医院
  nameEn: First Provincial Hospital
  institution: '12210000463400001X'
  site: h1
  metadata: h1.xml
  secondFactor: idp
  attributes: { name: displayName, department: department, roles: role }
  roles: { 医师: physician, 工程师: interface-engineer }
- id: h2
  name: 城东社区卫生服务中心
  metadata: h2.xml
  secondFactor: ['urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI']
  attributes: { name: displayName, roles: role }
  defaultRole: physician
  provision: review
`,
  );
  const port = await freePort();
  const key = own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const saml = { providers: readProviders(join(dir, 'idps.yaml')), key, certificate: own.certificate };
  const hub = await startRest(undefined, { saml, publicUrl: `http://127.0.0.1:${String(port)}` }, port);
  return {
    hub,
    h1,
    h2,
    async close() {
      await hub.close();
      await h1.close();
      await h2.close();
      await rm(dir, { recursive: true });
    },
  };
}
