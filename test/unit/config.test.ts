/** The environment: defaults, and a bad value of each variable named without showing the value. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { ConfigError, readConfig } from '../../hub/config.ts';
import { newSigner, pemFile } from '../support/xua.ts';

test('an empty environment gives the defaults of the surface, frozen', () => {
  const config = readConfig({});
  assert.deepEqual(
    [config.host, config.httpPort, config.mllpPort, config.dimsePort, config.aeTitle],
    ['127.0.0.1', 8080, 2575, 11_112, 'HUTONG'],
  );
  assert.deepEqual(
    [config.homeCommunityOid, config.repositoryOid, config.affinityDomainOid],
    ['2.999.156.2', '2.999.156.3', '2.999.156.1'],
  );
  assert.deepEqual([config.databaseUrl, config.redisUrl, config.adminToken, config.tls], [null, null, null, null]);
  assert.equal(config.dataDir, resolve('var/hub'));
  assert.deepEqual(config.objectStore, { kind: 'file', dir: resolve('var/hub/objects') });
  assert.ok(Object.isFrozen(config) && Object.isFrozen(config.limits) && Object.isFrozen(config.objectStore));
});

test('an empty value counts as unset', () => {
  assert.equal(readConfig({ HUB_HTTP_PORT: ' ', DATABASE_URL: '' }).httpPort, 8080);
});

test('issuers of assertions: inline or in a file, with their certificates, and clinicians as readers by default', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hutong-config-'));
  try {
    const pem = pemFile(dir, 'idp.pem', newSigner());
    const inline = `- { issuer: https://idp, certificates: [${pem}], audience: [urn:a, urn:b] }\n- { issuer: other, certificates: ${pem}, audience: urn:a, confirmation: holder-of-key, oneTime: true, site: h1, roles: { clerk: hospital-feed } }`;
    const { issuers, skewMs } = readConfig({ HUB_XUA_ISSUERS: inline, HUB_XUA_SKEW_SECONDS: '5' }).xua;
    assert.equal(skewMs, 5_000);
    assert.deepEqual(
      issuers.map(({ issuer, audiences, confirmations, oneTime, site }) => [
        issuer,
        audiences,
        confirmations,
        oneTime,
        site,
      ]),
      [
        ['https://idp', ['urn:a', 'urn:b'], ['bearer', 'holder-of-key'], false, null],
        ['other', ['urn:a'], ['holder-of-key'], true, 'h1'],
      ],
    );
    assert.deepEqual([issuers[0]?.roles.get('physician'), issuers[0]?.roles.get('PAT')], ['query-platform', undefined]);
    assert.deepEqual([...(issuers[1]?.roles ?? [])], [['clerk', 'hospital-feed']]);
    const file = join(dir, 'issuers.yaml');
    writeFileSync(file, '- { issuer: i, certificates: [idp.pem], audience: a }');
    assert.equal(readConfig({ HUB_XUA_ISSUERS: file }).xua.issuers[0]?.certificates.length, 1);
    pemFile(dir, 'weak.pem', newSigner('weak'));
    writeFileSync(file, '- { issuer: i, certificates: [weak.pem], audience: a }');
    assert.throws(() => readConfig({ HUB_XUA_ISSUERS: file }), /^Error: HUB_XUA_ISSUERS takes .*2048/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('objects are sealed as fields are where a master key is given, unless it says otherwise', () => {
  const key = { HUB_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') };
  const of = (given: Record<string, string>): string | null => readConfig({ ...key, ...given }).keys.objectCipher;
  assert.equal(readConfig({}).keys.objectCipher, null, 'a key beside the data guards nothing there');
  assert.equal(readConfig({ HUB_OBJECT_CIPHER: 'aes-256-gcm' }).keys.objectCipher, 'aes-256-gcm');
  assert.equal(of({}), 'aes-256-gcm');
  assert.equal(of({ HUB_SEAL_ALGORITHM: 'sm4-ctr-hmac-sm3' }), 'sm4-ctr-hmac-sm3');
  assert.equal(of({ HUB_SEAL_ALGORITHM: 'sm4-ctr-hmac-sm3', HUB_OBJECT_CIPHER: 'aes-256-gcm' }), 'aes-256-gcm');
  assert.equal(of({ HUB_OBJECT_CIPHER: 'none' }), null);
  assert.ok(readConfig(key).keys.readsClearObjects, 'after an upgrade there are some');
  assert.ok(!readConfig({ ...key, HUB_CLEAR_OBJECTS: 'refuse' }).keys.readsClearObjects);
});

test('hosts of subscribers: none unless told, as URLs name them', () => {
  assert.equal(readConfig({}).subscriberHosts.size, 0);
  const { subscriberHosts } = readConfig({ HUB_SUBSCRIBER_HOSTS: 'A.example, b.example:8443 [::1]' });
  assert.deepEqual([...subscriberHosts], ['a.example', 'b.example:8443', '[::1]']);
});

const BAD: readonly (readonly [name: string, value: string])[] = [
  ['HUB_HOST', 'no host!'],
  ['HUB_OBJECT_CIPHER', 'aes-128-cbc'],
  ['HUB_CLEAR_OBJECTS', 'none'],
  ['HUB_CLEAR_OBJECTS', 'refuse'], // nothing is sealed without a master key
  ['HUB_HTTP_PORT', '65536'],
  ['HUB_HTTP_PORT', '80a'],
  ['HUB_MLLP_PORT', '-1'],
  ['HUB_DIMSE_PORT', '1e3'],
  ['HUB_HEALTH_PORT', 'x'],
  ['HUB_AE_TITLE', 'SEVENTEEN-LETTERS'],
  ['HUB_AE_TITLE', 'A\\B'],
  ['DATABASE_URL', 'mysql://secret-word@host/db'],
  ['REDIS_URL', 'secret-word'],
  ['HUB_OBJECT_STORE', 'file:relative'],
  ['HUB_OBJECT_STORE', 's3://'],
  ['HUB_ADMIN_TOKEN', 'secret-word'],
  ['HUB_HOME_COMMUNITY_OID', '2.999.01'],
  ['HUB_REPOSITORY_OID', `2.${'9.'.repeat(40)}1`],
  ['HUB_AFFINITY_DOMAIN_OID', '3.1'],
  ['HUB_LOG_LEVEL', 'loud'],
  ['HUB_DRAIN_SECONDS', '0'],
  ['HUB_MAX_MESSAGE_MB', '9999'],
  ['HUB_TLS_KEY', 'key.pem'],
  ['HUB_HTTPS_PORT', '8443'],
  ['HUB_XUA_ISSUERS', '- issuer: secret-word'],
  ['HUB_ATNA_SYSLOG', 'tcp://secret-word:514'],
  ['HUB_ATNA_SYSLOG', 'tls://secret-word:70000'],
  ['HUB_ATNA_SYSLOG', 'tls://user:secret-word@host'],
  ['HUB_ATNA_SYSLOG', 'tls://host/secret-word'],
  ['HUB_ATNA_CA', 'ca.pem'],
  ['HUB_XUA_ISSUERS', 'secret-word'],
  ['HUB_XUA_ISSUERS', '{ secret-word'],
  ['HUB_TRUSTED_PROXIES', '10.0.0.0/33'],
  ['HUB_TRUSTED_PROXIES', 'secret-word'],
  ['HUB_SESSION_HOURS', '0'],
  ['HUB_XUA_ISSUERS', '[]'],
  ['HUB_XUA_ISSUERS', './secret-word.yaml'],
  ['HUB_XUA_ISSUERS', '[{ issuer: i, certificates: [./secret-word.pem], audience: a }]'],
  ['HUB_XUA_ISSUERS', '[{ issuer: i, certificates: [package.json], audience: a }]'],
  ['HUB_XUA_ISSUERS', '[{ issuer: i, certificates: [package.json], audience: a, secret-word: 1 }]'],
  ['HUB_XUA_ISSUERS', '[{ issuer: i, certificates: [package.json], audience: a, confirmation: secret-word }]'],
  ['HUB_XUA_ISSUERS', '[{ issuer: i, certificates: [package.json], audience: a, roles: { x: administrator } }]'],
  ['HUB_XUA_ISSUERS', '[{ issuer: i, certificates: [package.json], audience: a, roles: { x: hospital-feed } }]'],
  ['HUB_XUA_SKEW_SECONDS', '601'],
  ['HUB_SUBSCRIBER_HOSTS', 'https://secret-word/'],
  ['HUB_SUBSCRIBER_HOSTS', '*'],
  ['HUB_NOTICE_URL', 'http://hospital.example/secret-word'],
  ['HUB_NOTICE_URL', 'https://secret-word@hospital.example/'],
  ['HUB_NOTICE_SECRET', 'secret-word'],
  ['HUB_EMERGENCY_CLOSED_LABELS', 'vip, secret-word'],
  ['HUB_EMERGENCY_REFUSALS', 'secret-word'],
  ['HUB_SUBSCRIBER_TOKENS', 'secret-word'],
  ['HUB_SUBSCRIBER_TOKENS', 'a.example=secret-word!'],
  ['HUB_SUBSCRIBER_TOKENS', 'a.example=secret-word,A.example=secret-word'],
];

for (const [name, value] of BAD)
  test(`${name}=${value.slice(0, 30)} stops the start and is named`, () => {
    assert.throws(
      () => readConfig({ [name]: value }),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /^HUB_[A-Z_]+ takes |^(DATABASE|REDIS)_URL takes /);
        assert.ok(error.message.includes(name) || name === 'HUB_TLS_KEY');
        assert.doesNotMatch(error.message, /secret-word|\n/);
        return true;
      },
    );
  });
