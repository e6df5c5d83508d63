/**
 * Every SOAP path of a whole hub, asked in the name of a user who lacks the right: by role, by purpose of use, by patient.
 * Each is a proper fault and in the audit, and nothing was stored or shown; and the assertion that names an id which was
 * merged away since is good for who remained.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import type { Bundle } from 'fhir/r4.js';
import type { PatientCx } from '../../hub/core/document.ts';
import { ITI38_REQUEST } from '../../mappings/xds/cross-query.ts';
import { ITI39_REQUEST, RAD75_REQUEST } from '../../mappings/xds/cross-retrieve.ts';
import { ITI41_REQUEST, ITI43_REQUEST, ITI86_REQUEST } from '../../mappings/xds/document-set.ts';
import { writeRemoveRequest, writeRetrieveRequest } from '../../mappings/xds/document-set.ts';
import { LCM, RIM } from '../../mappings/xds/ebrim-names.ts';
import { writeObjectRefs, writeSubmission } from '../../mappings/xds/ebrim-write.ts';
import { SUBSCRIBE } from '../../mappings/xds/notification-names.ts';
import { RAD69_REQUEST, XDSB } from '../../mappings/xds/rad-69.ts';
import { association, documentEntry, submissionSet } from '../support/documents.ts';
import { dataFolder, startHub } from '../support/hub.ts';
import type { HubProcess } from '../support/hub.ts';
import { adhocQuery } from '../support/registry-peer.ts';
import { EXPLICIT, requestBody } from '../support/xds-peer.ts';
import { assertionXml, message, newSigner, pemFile, signAssertion } from '../support/xua.ts';
import type { AssertionParts } from '../support/xua.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
const DOMAIN = '2.999.156.1';
const REPOSITORY = '2.999.156.3';
const ISSUER = 'https://idp.h1.example';
const u = (n: number): string => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const signer = newSigner();
let hub: HubProcess;
let folder: Awaited<ReturnType<typeof dataFolder>>;
const tokens = new Map<string, string>([['administrator', TOKEN]]);
const persons: string[] = [];
const cxOf = (person = ''): PatientCx => `${person}^^^&${DOMAIN}&ISO` as PatientCx;

const call = (path: string, init: RequestInit & { token?: string } = {}): Promise<Response> =>
  fetch(`${hub.address()}${path}`, {
    ...init,
    headers: {
      ...(init.headers as Record<string, string> | undefined),
      ...(init.token === undefined ? {} : { Authorization: `Bearer ${init.token}` }),
    },
  });
const json = (path: string, body: object): Promise<Response> =>
  call(path, {
    method: 'POST',
    token: TOKEN,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });

async function register(site: string, patientId: string, more: object = {}): Promise<string> {
  const made = await json(`/api/v1/sites/${site}/registrations`, {
    ...{
      patientId,
      name: `测试${patientId}`,
      sex: '2',
      birthDate: '1991-04-05',
      eventTime: '2026-03-03 08:00:00',
      ...more,
    },
  });
  assert.equal(made.status, 202, await made.clone().text());
  for (let tries = 0; tries < 400; tries++) {
    const path = `/fhir/Patient?identifier=urn:oid:2.999.156.1.${site.slice(1)}%7C${patientId}`;
    const found = (await (await call(path, { token: TOKEN })).json()) as Bundle;
    const id = found.entry?.[0]?.resource?.id;
    if (id !== undefined) return id;
    await pause(50);
  }
  throw new Error('the patient was not indexed');
}

const soap = (path: string, action: string, body: string, security: string, token?: string): Promise<Response> =>
  call(path, {
    method: 'POST',
    headers: { 'Content-Type': `application/soap+xml; charset=UTF-8; action="${action}"` },
    body: message(Date.now(), security, { action, body }),
    ...(token === undefined ? {} : { token }),
  });
const assertion = (parts: AssertionParts = {}): string => signAssertion(assertionXml(Date.now(), parts), signer);

/** A document of the first person with its submission set, as ITI-41 sends it in one plain envelope. */
const submission = (patient: PatientCx, n: number): string => {
  const {
    hash: _hash,
    size: _size,
    repositoryUniqueId: _repository,
    ...entry
  } = documentEntry(u(n), patient, `1.2.7.${String(n)}`);
  const set = submissionSet(u(n + 1), patient, `1.2.8.${String(n)}`);
  const member = association(u(n + 2), 'HasMember', u(n + 1), u(n), { submissionSetStatus: 'Original' });
  return writeSubmission([entry, set, member]);
};
const provide = (patient: PatientCx, n: number): string =>
  `<ihe:ProvideAndRegisterDocumentSetRequest xmlns:ihe="${XDSB}">${submission(patient, n)}<ihe:Document id="${u(n)}">${Buffer.from('SECRET').toString('base64')}</ihe:Document></ihe:ProvideAndRegisterDocumentSetRequest>`;

before(async () => {
  folder = await dataFolder();
  const issuers = [
    {
      issuer: ISSUER,
      certificates: [pemFile(folder.dir, 'idp.pem', signer)],
      audience: 'urn:hutong:test',
      purposes: ['TREATMENT'],
    },
  ];
  hub = startHub(join(folder.dir, 'hub'), [], {
    HUB_ADMIN_TOKEN: TOKEN,
    HUB_XUA_ISSUERS: JSON.stringify(issuers.map((one) => ({ ...one, roles: { physician: 'query-platform' } }))),
  });
  await hub.up();
  persons.push(await register('h2', 'X1'), await register('h2', 'X2'));
  for (const [role, more] of [
    ['query-platform', {}],
    ['hospital-feed', { site: 'h2' }],
    ['operator', {}],
  ] as const) {
    const made = (await (await json('/api/v1/clients', { name: role, role, ...more })).json()) as { token: string };
    tokens.set(role, made.token);
  }
  const kept = await soap('/xds/repository', ITI41_REQUEST, provide(cxOf(persons[0]), 100), '', TOKEN);
  const answer = await kept.text();
  assert.match(answer, /ResponseStatusType:Success/, answer);
});
after(async () => {
  hub.signal('SIGTERM');
  await hub.ended();
  await folder.remove();
});

interface Row {
  readonly operation: string;
  readonly path: string;
  readonly action: string;
  readonly body: () => string;
  /** The system whose own right would do. */
  readonly system: 'query-platform' | 'hospital-feed' | 'administrator';
}
const FIND = '14d4debf-8f97-4251-9a74-a90016b0af0d';
const MULTI = '3d1bdb10-39a2-11de-89c2-2f44d94eaa9f';
const APPROVED = ['$XDSDocumentEntryStatus', "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"] as const;
const query = (uuid = FIND): string =>
  adhocQuery(uuid, [
    ['$XDSDocumentEntryPatientId', uuid === FIND ? `'${cxOf(persons[0])}'` : `('${cxOf(persons[0])}')`],
    APPROVED,
  ]);
const wanted = { homeCommunityId: null, repositoryUniqueId: REPOSITORY, documentUniqueId: '1.2.7.100' };
const images = (home?: string): string =>
  requestBody(
    [{ study: '1.2.3', series: '1.2.3.1', sop: '1.2.3.1.1', ...(home === undefined ? {} : { home }) }],
    [EXPLICIT],
  );
const HOME = 'urn:oid:2.999.156.2';
const subscribe = (): string =>
  `<wsnt:Subscribe xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:wsa="http://www.w3.org/2005/08/addressing"><wsnt:ConsumerReference><wsa:Address>http://127.0.0.1:1/consumer</wsa:Address></wsnt:ConsumerReference><wsnt:Filter><wsnt:TopicExpression Dialect="http://docs.oasis-open.org/wsn/t-1/TopicExpression/Simple">ihe:FullDocumentEntry</wsnt:TopicExpression>` +
  `<rim:AdhocQuery xmlns:rim="${RIM}" id="urn:uuid:aa2332d0-f8fe-11e0-be50-0800200c9a66"><rim:Slot name="$XDSDocumentEntryPatientId"><rim:ValueList><rim:Value>'${cxOf(persons[0]).replaceAll('&', '&amp;')}'</rim:Value></rim:ValueList></rim:Slot></rim:AdhocQuery></wsnt:Filter></wsnt:Subscribe>`;
const removal = (): string =>
  `<lcm:RemoveObjectsRequest xmlns:lcm="${LCM}" xmlns:rim="${RIM}"><rim:ObjectRefList>${writeObjectRefs([u(100)])}</rim:ObjectRefList></lcm:RemoveObjectsRequest>`;

const read = (operation: string, path: string, action: string, body: () => string): Row => ({
  operation,
  path,
  action,
  body,
  system: 'query-platform',
});
const send = (operation: string, path: string, action: string, body: () => string): Row => ({
  operation,
  path,
  action,
  body,
  system: 'hospital-feed',
});
const ROWS: readonly Row[] = [
  read('ITI-18', '/xds/registry', 'urn:ihe:iti:2007:RegistryStoredQuery', query),
  read('ITI-51', '/xds/registry', 'urn:ihe:iti:2009:MultiPatientStoredQuery', () => query(MULTI)),
  send('ITI-42', '/xds/registry', 'urn:ihe:iti:2007:RegisterDocumentSet-b', () => submission(cxOf(persons[0]), 200)),
  send('ITI-57', '/xds/registry', 'urn:ihe:iti:2010:UpdateDocumentSet', () => submission(cxOf(persons[0]), 210)),
  send('ITI-61', '/xds/registry', 'urn:ihe:iti:2010:RegisterOnDemandDocumentEntry', () =>
    submission(cxOf(persons[0]), 220),
  ),
  send('ITI-62', '/xds/registry', 'urn:ihe:iti:2010:DeleteDocumentSet', removal),
  send('ITI-41', '/xds/repository', ITI41_REQUEST, () => provide(cxOf(persons[0]), 230)),
  read('ITI-43', '/xds/repository', ITI43_REQUEST, () => writeRetrieveRequest([wanted])),
  { ...send('ITI-86', '/xds/repository', ITI86_REQUEST, () => writeRemoveRequest([wanted])), system: 'administrator' },
  read('ITI-52', '/xds/subscription', SUBSCRIBE, subscribe),
  read('ITI-38', '/xds/responding-gateway', ITI38_REQUEST, query),
  read('ITI-39', '/xds/responding-gateway', ITI39_REQUEST, () =>
    writeRetrieveRequest([{ ...wanted, homeCommunityId: HOME }]),
  ),
  read('RAD-75', '/xds/responding-gateway', RAD75_REQUEST, () => images(HOME)),
  read('RAD-69', '/xds/imaging-source', RAD69_REQUEST, () => images()),
  read('ITI-18 XCA', '/xds/initiating-gateway', 'urn:ihe:iti:2007:RegistryStoredQuery', query),
  read('ITI-43 XCA', '/xds/initiating-gateway', ITI43_REQUEST, () =>
    writeRetrieveRequest([{ ...wanted, homeCommunityId: HOME }]),
  ),
];

interface Standing {
  readonly documents: number;
  readonly refusals: number;
}
async function standing(): Promise<Standing> {
  const path = `/fhir/DocumentReference?patient=${persons[0] ?? ''}&status=current&_summary=count`;
  const bundle = (await (await call(path, { token: TOKEN })).json()) as Bundle;
  const audit = await call('/api/v1/audit?outcome=refused&face=xds&limit=200', { token: TOKEN });
  const { items } = (await audit.json()) as { items: unknown[] };
  return { documents: bundle.total ?? -1, refusals: items.length };
}

async function refusedAs(row: Row, security: string, token: string | undefined, why: RegExp): Promise<void> {
  const before = await standing();
  const response = await soap(row.path, row.action, row.body(), security, token);
  const text = await response.text();
  assert.equal(response.status, 403, `${row.operation}: ${text}`);
  assert.match(text, /:Fault/, row.operation);
  assert.match(text, why, row.operation);
  assert.doesNotMatch(text, /ExtrinsicObject|DocumentResponse|SubscribeResponse|U0VDUkVU|SECRET/, row.operation);
  assert.deepEqual(await standing(), { ...before, refusals: before.refusals + 1 }, row.operation);
}

test('by role: a user whose role gives no right, alone; and one who may only read, where something is changed', async () => {
  for (const row of ROWS) {
    await refusedAs(row, assertion({ roles: ['janitor'] }), undefined, /roles of the user give no right/);
    if (row.system === 'query-platform')
      await refusedAs(row, assertion({ roles: ['janitor'] }), tokens.get(row.system), /may not read records/);
    else await refusedAs(row, assertion(), undefined, /only a/);
  }
});

test('by bearer alone: each system that may not, and an operator', async () => {
  for (const row of ROWS) {
    const others = ['query-platform', 'hospital-feed', 'operator'].filter((role) => role !== row.system);
    for (const role of others) await refusedAs(row, '', tokens.get(role), /Refused: (only a|this role)/);
  }
});

test('by purpose of use, though role and system would do', async () => {
  for (const row of ROWS)
    await refusedAs(row, assertion({ purposes: ['MARKETING'] }), tokens.get(row.system), /purpose of use/);
});

test('by patient, though role, purpose and system would do', async () => {
  const patient = cxOf(persons[1]).replaceAll('&', '&amp;');
  for (const row of ROWS) {
    // Nothing that is known here has these images: there is nobody of whom they could be.
    if (row.operation.startsWith('RAD')) continue;
    await refusedAs(row, assertion({ patient }), tokens.get(row.system), /issued for another patient/);
  }
});

test('an id that was merged away names who remained, and nobody else', async () => {
  const idNumber = '210102198003151239';
  const stays = await register('h2', 'M1', { idNumber, name: '李四', sex: '1', birthDate: '1980-03-15' });
  const goes = await register('h1', 'M2', { name: '李四', sex: '1', birthDate: '1980-03-15' });
  assert.notEqual(stays, goes);
  await register('h1', 'M2', {
    idNumber,
    name: '李四',
    sex: '1',
    birthDate: '1980-03-15',
    eventTime: '2026-03-03 09:00:00',
  });
  for (let tries = 0; ; tries++) {
    const { link, active } = (await (await call(`/fhir/Patient/${goes}`, { token: TOKEN })).json()) as {
      link?: unknown[];
      active?: boolean;
    };
    if (link !== undefined || active === false) break;
    assert.ok(tries < 200, 'the persons were not joined');
    await pause(50);
  }
  const [kept, gone] = [stays, goes].map((person) => cxOf(person));
  const ask = async (asked: string, named: string): Promise<number> => {
    const body = adhocQuery(FIND, [['$XDSDocumentEntryPatientId', `'${asked}'`], APPROVED]);
    const security = assertion({ patient: named.replaceAll('&', '&amp;') });
    const token = tokens.get('query-platform');
    return (await soap('/xds/registry', 'urn:ihe:iti:2007:RegistryStoredQuery', body, security, token)).status;
  };
  assert.equal(await ask(kept ?? '', gone ?? ''), 200);
  assert.equal(await ask(kept ?? '', (gone ?? '').replace('^^^&', '^^^DOM&')), 200);
  assert.equal(await ask(cxOf(persons[0]), gone ?? ''), 403);
  assert.equal(await ask(gone ?? '', cxOf(persons[0])), 403);
});
