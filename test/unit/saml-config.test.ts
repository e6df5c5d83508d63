/** HUB_SAML_IDPS: data that cannot be used stops the start; nobody becomes an administrator by a hospital's word. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readKeys, readProviders } from '../../hub/config-saml.ts';
import { readProviderMetadata } from '../../hub/security/saml-metadata.ts';
import { newSigner } from '../support/xua.ts';

const dir = mkdtempSync(join(tmpdir(), 'hutong-saml-config-'));
after(() => rmSync(dir, { recursive: true }));
writeFileSync(join(dir, 'm.xml'), '<x/>');

const read = (fields: object): ReturnType<typeof readProviders> =>
  readProviders(
    JSON.stringify([{ id: 'h1', name: '一院', metadata: join(dir, 'm.xml'), secondFactor: 'idp', ...fields }]),
  );

test('what is told is read, what is not told has a cautious default', () => {
  const [provider] = read({ site: 'h1', roles: { 医师: 'physician', 工程师: 'interface-engineer' } });
  assert.deepEqual(
    [...(provider?.roles ?? [])],
    [
      ['医师', 'physician'],
      ['工程师', 'interface-engineer'],
    ],
  );
  assert.deepEqual([provider?.defaultRole, provider?.provision, provider?.signedResponse], [null, 'approved', false]);
  assert.equal(provider?.attributes.login, null);
});

const WRONG: readonly (readonly [object, RegExp])[] = [
  [{ id: 'H 1' }, /small letters/],
  [{ name: '' }, /name/],
  [{ secondFactor: undefined }, /secondFactor/],
  [{ secondFactor: [] }, /secondFactor/],
  [{ roles: { x: 'security-administrator' } }, /roles/],
  [{ roles: { x: 'auditor' } }, /roles/],
  [{ defaultRole: 'system-administrator' }, /defaultRole/],
  [{ roles: { x: 'interface-engineer' } }, /site/],
  [{ metadata: join(dir, 'none.xml') }, /can be read/],
  [{ attributes: { mail: 'mail' } }, /attributes/],
  [{ provision: 'yes' }, /provision/],
  [{ signedResponse: 'yes' }, /signedResponse/],
  [{ other: 1 }, /no other members/],
];

test('entries that cannot be used are named', () => {
  for (const [fields, why] of WRONG) assert.throws(() => read(fields), why, JSON.stringify(fields));
  assert.throws(() => readProviders('[]'), /a YAML list/);
  assert.throws(() => readProviders('- *x'), /YAML/);
});

test('the hub’s key is RSA and fits its certificate', () => {
  const write = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const [one, other, ec] = [newSigner(), newSigner(), newSigner('ec')];
  const pem = ({ privateKey }: ReturnType<typeof newSigner>): string =>
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const key = write('key.pem', pem(one));
  assert.ok(readKeys(key, write('cert.pem', one.certificate)).key.includes('PRIVATE'));
  assert.throws(() => readKeys(key, write('other.pem', other.certificate)), /RSA key and its certificate/);
  assert.throws(() => readKeys(write('ec.pem', pem(ec)), write('ec-cert.pem', ec.certificate)), /RSA key/);
  assert.throws(() => readKeys(write('bad.pem', 'x'), key), /PEM/);
});

test('metadata of a provider: weak keys, no redirect binding, or no provider at all are refused', () => {
  const md = (inner: string): string =>
    `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="e"><IDPSSODescriptor>${inner}</IDPSSODescriptor></EntityDescriptor>`;
  const key = (certificate: string): string =>
    `<KeyDescriptor><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${certificate.replace(/-----[^-]+-----|\s/g, '')}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>`;
  const service = (binding: string): string =>
    `<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:${binding}" Location="https://idp.example/sso"/>`;
  const good = newSigner().certificate;
  assert.equal(readProviderMetadata(md(key(good) + service('HTTP-Redirect'))).signOnUrl, 'https://idp.example/sso');
  assert.throws(() => readProviderMetadata(md(key(good) + service('HTTP-POST'))), /HTTP-Redirect/);
  assert.throws(() => readProviderMetadata(md(key(newSigner('weak').certificate) + service('HTTP-Redirect'))), /2048/);
  assert.throws(() => readProviderMetadata('<x/>'), /EntityDescriptor/);
  assert.throws(() => readProviderMetadata('<!DOCTYPE x><x/>'), /XML/);
});
