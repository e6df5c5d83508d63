/**
 * XUA at the door, over HTTP and PostgreSQL: who may call with a token, an assertion, or both; the faults of those who may
 * not; what the audit keeps of each; and assertions that serve once in whatever process they were used.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createApp, createHttpServer } from '../../hub/api/app.ts';
import { createMetrics } from '../../hub/api/metrics.ts';
import { imagingSourceFace } from '../../hub/api/xds/rad-69.ts';
import type { Role } from '../../hub/core/access.ts';
import type { TrustedIssuer } from '../../hub/core/assertion.ts';
import type { AuditEntry } from '../../hub/core/client.ts';
import type { PatientCx } from '../../hub/core/document.ts';
import { siteId } from '../../hub/core/identifier.ts';
import { createAssertionCheck } from '../../hub/security/assertion.ts';
import { drawToken, hashToken } from '../../hub/security/token.ts';
import { createAssertionLedger } from '../../hub/store/assertion.ts';
import type { AuditStore } from '../../hub/store/audit.ts';
import { createAuditStore } from '../../hub/store/audit.ts';
import { createClientStore } from '../../hub/store/client.ts';
import { parseXml } from '../../mappings/xds/xml.ts';
import type { FreshDatabase } from '../support/database.ts';
import { freshDatabase, quiet } from '../support/database.ts';
import { EXPLICIT, image, imagingDeps, requestBody, SOAP_TYPE } from '../support/xds-peer.ts';
import {
  assertionXml,
  holderOfKey,
  message,
  newSigner,
  prove,
  signAssertion,
  tokenReference,
  trust,
} from '../support/xua.ts';
import type { AssertionParts } from '../support/xua.ts';

const issuer = newSigner();
const holder = newSigner();
const NOW = Date.now();
const one = image('1.2.3', '1.2.3.1', '1.2.3.1.1');
const body = requestBody([{ study: '1.2.3', series: '1.2.3.1', sop: '1.2.3.1.1' }], [EXPLICIT]);
const issuers: TrustedIssuer[] = [
  trust(issuer),
  trust(issuer, { issuer: 'feeder', roles: new Map<string, Role>([['clerk', 'hospital-feed']]), site: 'h1' }),
];

let fresh: FreshDatabase;
let audit: AuditStore;
const tokens = new Map<Role, string>();
const origins: string[] = [];
const stops: (() => Promise<void>)[] = [];

/** A hub process of its own: only the database is shared. */
async function startHub(): Promise<string> {
  const { database } = fresh;
  const clock = (): Date => new Date();
  const clients = createClientStore({ database, clock });
  const own = createAuditStore({ database, clock });
  const assertions = createAssertionCheck({ issuers, ledger: createAssertionLedger(database), clock, skewMs: 60_000 });
  const patients = {
    idsOf: (persons: readonly string[]) =>
      Promise.resolve(new Map(persons.map((person) => [person, `X-${person}^^^&2.999.156.1&ISO` as PatientCx]))),
  };
  const face = imagingSourceFace({ ...imagingDeps([one], []), audit: own, assertions, patients });
  const app = createApp({
    log: quiet,
    audit: own,
    clients,
    metrics: createMetrics(),
    readiness: () => Promise.resolve({}),
    faces: { '/xds/imaging-source': face },
  });
  const server = createHttpServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

before(async () => {
  fresh = await freshDatabase();
  const { database } = fresh;
  const clock = (): Date => new Date();
  audit = createAuditStore({ database, clock });
  const clients = createClientStore({ database, clock });
  for (const role of ['operator', 'query-platform', 'hospital-feed'] as const) {
    const token = drawToken();
    tokens.set(role, token);
    const site = role === 'hospital-feed' ? siteId('h1') : null;
    await clients.add({ name: `the ${role}`, role, site, createdBy: 'test' }, hashToken(token));
  }
  origins.push(await startHub(), await startHub());
});
after(async () => {
  for (const stop of stops) await stop();
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly headers: Headers;
}

async function call(envelope: string | null, as?: Role | 'nobody known', at = 0, method = 'POST'): Promise<Answer> {
  const token = as === undefined ? undefined : (tokens.get(as as Role) ?? 'hutong_wrong');
  const response = await fetch(`${origins[at] ?? ''}/xds/imaging-source`, {
    method,
    headers: {
      ...(envelope === null ? {} : { 'Content-Type': SOAP_TYPE }),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    body: envelope,
  });
  const { status, headers } = response;
  return { status, type: headers.get('content-type') ?? '', text: await response.text(), headers };
}

const assertion = (parts: AssertionParts = {}): string => signAssertion(assertionXml(NOW, parts), issuer);
const asked = (parts: AssertionParts = {}): string => message(NOW, assertion(parts), { body });
const lastAudit = async (): Promise<AuditEntry> => {
  const { items } = await audit.list({}, { limit: 1 });
  assert.ok(items[0]);
  return items[0];
};

const schemas = process.env.HUB_TEST_SCHEMA ?? join(process.env.HUB_TEST_DATA ?? '/nowhere', '../schema');
const driver = join(schemas, 'soap-xds-all.xsd');

/** SOAP 1.2 Part 1 §5.4.6: the code is a QName in scope; where the schemas are, the fault is valid by them. */
function isFault(answer: Answer, status: number, subcode: string | null): void {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.type, /^application\/soap\+xml/);
  const read = parseXml(Buffer.from(answer.text));
  assert.ok(read.ok, answer.text);
  assert.match(answer.text, /<env:Value>env:Sender<\/env:Value>/);
  if (subcode !== null) {
    const [prefix = ''] = subcode.split(':');
    const end = prefix === 'wsu' ? 'utility' : 'secext';
    const space = `http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-${end}-1.0.xsd`;
    assert.ok(answer.text.includes(`<env:Value xmlns:${prefix}="${space}">${subcode}</env:Value>`), answer.text);
  }
  assert.doesNotMatch(answer.text, /dr\.wang|王医生/);
  if (!existsSync(driver)) return;
  const run = spawnSync('xmllint', ['--nonet', '--noout', '--schema', driver, '-'], {
    input: answer.text,
    encoding: 'utf8',
  });
  if (run.error === undefined) assert.equal(run.status, 0, run.stderr);
}

describe('who calls', () => {
  test('an assertion alone: the user reads, and is in the audit with the issuer', async () => {
    const answer = await call(asked({ purposes: ['EMERGENCY'] }));
    assert.equal(answer.status, 200, answer.text);
    const { callerId, callerRole, onBehalfOf, outcome, persons } = await lastAudit();
    assert.deepEqual(
      [callerId, callerRole, outcome, persons],
      ['xua:https://idp.h1.example', 'query-platform', 'success', ['person-of-1.2.3']],
    );
    assert.deepEqual(onBehalfOf, {
      issuer: 'https://idp.h1.example',
      userId: 'dr.wang@h1',
      userName: '王医生',
      organization: '省第一人民医院',
      roles: [{ code: 'physician', system: '2.999.1', display: 'physician' }],
      purposes: [{ code: 'EMERGENCY', system: '2.999.1', display: 'EMERGENCY' }],
      emergency: true,
    });
  });
  test('a hospital system in the name of its user: both are recorded', async () => {
    const answer = await call(asked(), 'hospital-feed');
    assert.equal(answer.status, 200, answer.text);
    const { callerName, callerRole, onBehalfOf } = await lastAudit();
    assert.deepEqual(
      [callerName, callerRole, onBehalfOf?.userId, onBehalfOf?.emergency],
      ['the hospital-feed', 'hospital-feed', 'dr.wang@h1', false],
    );
  });
  test('a token alone, with an empty Security header beside it', async () => {
    assert.equal((await call(message(NOW, '', { body }), 'query-platform')).status, 200);
    assert.equal((await lastAudit()).onBehalfOf, undefined);
  });
});

describe('who does not', () => {
  test('nobody: 401 as a fault, audited', async () => {
    for (const envelope of [message(NOW, '', { body }), '<x/>', 'not xml']) {
      const answer = await call(envelope);
      isFault(answer, 401, 'wsse:FailedAuthentication');
      assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
      const { outcome, reason, face } = await lastAudit();
      assert.deepEqual([outcome, reason, face], ['refused', 'no caller', 'xds']);
    }
  });
  test('nobody, by GET', async () => isFault(await call(null, undefined, 0, 'GET'), 401, 'wsse:FailedAuthentication'));
  test('a token that is not valid, even beside a good assertion', async () => {
    isFault(await call(asked(), 'nobody known'), 401, 'wsse:FailedAuthentication');
    assert.equal((await lastAudit()).reason, 'invalid token');
  });
  test('each fault by its code', async () => {
    const tampered = asked().replace('dr.wang@h1', 'dr.wang@h2');
    const rows: readonly (readonly [string, string])[] = [
      [tampered, 'wsse:FailedCheck'],
      [asked({ issuer: 'nobody' }), 'wsse:FailedAuthentication'],
      [asked({ authn: null }), 'wsse:InvalidSecurityToken'],
      [message(NOW, assertion(), { body, timestamp: null }), 'wsse:InvalidSecurity'],
      [message(NOW, assertion(), { body, created: NOW - 600_000, expires: NOW - 300_000 }), 'wsu:MessageExpired'],
      [message(NOW, assertion().repeat(2), { body }), 'wsse:InvalidSecurity'],
      [message(NOW, '<wsse:UsernameToken/>', { body }), 'wsse:UnsupportedSecurityToken'],
    ];
    for (const [envelope, code] of rows) {
      isFault(await call(envelope), 401, code);
      const { action, outcome, reason, callerId } = await lastAudit();
      assert.deepEqual([action, outcome, callerId], ['refuse', 'refused', '']);
      assert.ok(reason?.startsWith(`${code}: `), reason);
    }
  });
  test('a bad assertion is not made good by a token', async () => {
    isFault(await call(asked().replace('dr.wang@h1', 'x'), 'query-platform'), 403, 'wsse:FailedCheck');
    assert.equal((await lastAudit()).callerName, 'the query-platform');
  });
  test('a user without a role that counts: 403, with whom it was', async () => {
    isFault(await call(asked({ roles: ['PAT'] })), 403, null);
    const { outcome, onBehalfOf } = await lastAudit();
    assert.deepEqual([outcome, onBehalfOf?.userId], ['refused', 'dr.wang@h1']);
  });
  test('what a system may by itself is not lent to a user who may not', async () => {
    isFault(await call(asked({ roles: ['PAT'] }), 'query-platform'), 403, null);
  });
  test('a feed that reads by itself, and a user who may feed only', async () => {
    isFault(await call(message(NOW, '', { body }), 'hospital-feed'), 403, null);
    isFault(await call(asked({ issuer: 'feeder', roles: ['clerk'] })), 403, null);
  });
  test('nothing is told of a message before its caller is known', async () => {
    const answer = await call(asked({ roles: ['PAT'] }).replace(/<wsa:Action[^>]*>[^<]*/, '$&x'));
    isFault(answer, 403, null);
    assert.doesNotMatch(answer.text, /action/);
  });
  test('a user known, the message wrong: its own fault', async () => {
    const answer = await call(asked().replace(/<wsa:Action[^>]*>[^<]*/, '$&x'));
    isFault(answer, 400, null);
  });
});

describe('for one patient', () => {
  test('the patient of the assertion is the one asked for, by the id of the domain or of the hospital', async () => {
    for (const patient of ['X-person-of-1.2.3^^^&amp;2.999.156.1&amp;ISO', 'P1^^^&amp;2.999.156.1.1&amp;ISO'])
      assert.equal((await call(asked({ patient }))).status, 200, patient);
  });
  test('another patient: refused, and recorded whose images were asked for', async () => {
    for (const patient of ['X-other^^^&amp;2.999.156.1&amp;ISO', 'P2^^^&amp;2.999.156.1.1&amp;ISO']) {
      isFault(await call(asked({ patient })), 403, 'wsse:FailedAuthentication');
      const { outcome, persons, onBehalfOf } = await lastAudit();
      assert.deepEqual([outcome, persons, onBehalfOf?.userId], ['refused', ['person-of-1.2.3'], 'dr.wang@h1']);
    }
  });
  test('an id of an authority that cannot be compared is that of another', async () => {
    isFault(await call(asked({ patient: 'Q1^^^&amp;1.2.3.4.5&amp;ISO' })), 403, 'wsse:FailedAuthentication');
  });
});

describe('once', () => {
  test('a one-time assertion, used at one process, is spent at the other', async () => {
    const envelope = asked({ conditions: '<saml2:OneTimeUse/>' });
    assert.equal((await call(envelope)).status, 200);
    for (const at of [1, 0]) isFault(await call(envelope, undefined, at), 401, 'wsse:FailedAuthentication');
  });
  test('of twenty that come at once to both, one is served', async () => {
    const envelope = asked({ conditions: '<saml2:OneTimeUse/>' });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => call(envelope, undefined, at % 2)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  });
  test('a holder’s proof is spent as well', async () => {
    const held = assertion({ id: '_held', confirmation: holderOfKey(holder) });
    const proven = prove(message(NOW, held, { body }), holder, tokenReference('_held'));
    assert.equal((await call(proven)).status, 200);
    isFault(await call(proven, undefined, 1), 401, 'wsse:FailedAuthentication');
  });
  test('a refused user spends nothing', async () => {
    const { rows: before_ } = await fresh.database.pool.query('select from assertion_use');
    isFault(await call(asked({ roles: ['PAT'], conditions: '<saml2:OneTimeUse/>' })), 403, null);
    const { rows } = await fresh.database.pool.query('select from assertion_use');
    assert.equal(rows.length, before_.length);
  });
  test('what has expired is cleared by later uses', async () => {
    const ledger = createAssertionLedger(fresh.database);
    const key = (at: number): Buffer => Buffer.alloc(32, at);
    for (let at = 1; at <= 5; at++) assert.ok(await ledger.firstUse(key(at), new Date(NOW - 7_200_000)));
    assert.ok(await ledger.firstUse(key(9), new Date(NOW + 60_000)));
    assert.ok(!(await ledger.firstUse(key(9), new Date(NOW + 60_000))));
    const { rows } = await fresh.database.pool.query('select from assertion_use where until < now()');
    assert.equal(rows.length, 0);
  });
});
