/**
 * The walk: as every role every operation of the contract and of the faces, with the outcome that the generated table
 * (openapi/roles.md) says; and as readers of different institutions every resource of patients who are theirs, nobody's,
 * refused, sensitive, of another province or long gone (IDOR on every resource type).
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Bundle } from 'fhir/r4.js';
import { readDocument } from '../../openapi/document.ts';
import { cellOf } from '../../openapi/roles.ts';
import { ROLES, type Caller, type Role, type SignedIn } from '../../hub/core/access.ts';
import { siteId } from '../../hub/core/identifier.ts';
import { institutionCode } from '../../hub/core/institution.ts';
import { createSeeing } from '../../hub/flow/sighted-index.ts';
import { derive } from '../support/fhir.ts';
import { AUTHORITY, I1, startAccessHub, type AccessHub, type Laid } from '../support/access-hub.ts';
import { requestBody, requestEnvelope, SOAP_TYPE } from '../support/xds-peer.ts';
import { vaultOf } from '../../hub/store/database.ts';
import { bytesContext } from '../../hub/store/journal-entry.ts';

let hub: AccessHub;
const laid: Record<string, Laid> = {};

before(async () => {
  hub = await startAccessHub();
  laid['own'] = await hub.lay('A', 'h1', 'A1');
  laid['related'] = await hub.lay('A', 'h3', 'A3');
  laid['stranger'] = await hub.lay('B', 'h3', 'B3');
  laid['refusedOwn'] = await hub.lay('C', 'h1', 'C1');
  laid['refused'] = await hub.lay('C', 'h3', 'C3');
  await hub.register('D', 'h1');
  laid['sensitive'] = await hub.lay('D', 'h3', 'D3', { label: 'psychiatry' });
  laid['sensitiveOwn'] = await hub.lay('D', 'h1', 'D1', { label: 'hiv' });
  await hub.register('E', 'h1');
  laid['province'] = await hub.lay('E', 'h5', 'E5');
  await hub.register('F', 'h1', '2023-03-01T08:00:00.000Z');
  laid['longGone'] = await hub.lay('F', 'h3', 'F3');
  const everything = { recipients: [], sources: [], purposes: [], classes: [], labels: [], from: null, until: null };
  hub.consents.set(at('refused').person, [
    { consentId: 'no', version: 1, rules: [{ ...everything, effect: 'deny', exceptionOf: null }] },
  ]);
});
after(() => hub.close());

const at = (name: string): Laid => {
  const found = laid[name];
  assert.ok(found, name);
  return found;
};

const user = (institution: string, more: Partial<SignedIn> = {}): SignedIn => ({
  ...{
    accountId: `acc-${institution}`,
    loginName: 'li',
    displayName: '李医生',
    institution: institutionCode(institution),
  },
  ...{ purpose: 'TREATMENT', factors: ['password', 'totp'], sessionId: 's' },
  ...more,
});
const physician = (institution: string, more: Partial<SignedIn> = {}): Caller => {
  const signed = user(institution, more);
  return { id: signed.accountId, name: signed.displayName, role: 'physician', peer: 'test', user: signed };
};
const client = (role: Role, site?: string): Caller => ({
  ...{ id: `c-${role}`, name: role, role, peer: 'test' },
  ...(site === undefined ? {} : { site: siteId(site) }),
});

const EVERYTHING = [
  'own',
  'related',
  'stranger',
  'refusedOwn',
  'refused',
  'sensitive',
  'sensitiveOwn',
  'province',
  'longGone',
];
const but = (...hidden: string[]): string[] => EVERYTHING.filter((name) => !hidden.includes(name));

/** Persons are laid down later; who they are is derived from their names. */
const PATIENTS: Readonly<Record<string, string>> = { own: 'A', refused: 'C', sensitive: 'D' };
function patient(name: string | null): Caller {
  const person = name === null ? {} : { person: derive.id('person', PATIENTS[name] ?? '') };
  const signed = {
    ...user('', { accountId: `acc-patient-${name ?? ''}`, purpose: 'PATIENT', ...person }),
    institution: null,
  };
  return { id: signed.accountId, name: '本人', role: 'patient', peer: 'test', user: signed };
}

/** Who sees which exams. */
const READERS: readonly (readonly [string, Caller, readonly string[]])[] = [
  ['a physician of h1', physician(I1), ['own', 'related', 'refusedOwn', 'sensitiveOwn']],
  ['a physician of h3', physician('CODE-h3'), ['own', 'related', 'stranger', 'refused', 'sensitive', 'longGone']],
  ['a physician of nowhere', physician('CODE-none'), []],
  ['a physician who does research', physician(I1, { purpose: 'RESEARCH' }), []],
  ['a platform', client('query-platform'), but('refused', 'refusedOwn', 'sensitive', 'sensitiveOwn')],
  ['the patient A', patient('own'), ['own', 'related']],
  ['the patient C, who refused everybody', patient('refused'), ['refusedOwn', 'refused']],
  ['the patient D, of sensitive exams', patient('sensitive'), []],
  ['a patient of whom it is in doubt who they are', patient(null), []],
  ["h1's own system", client('query-platform', 'h1'), but('refused', 'sensitive')],
  ['the bootstrap', client('administrator'), EVERYTHING],
];

const json = async <T>(answer: Response): Promise<T> => (await answer.json()) as T;
const bundleIds = async (answer: Response): Promise<readonly string[]> => {
  const body = await json<Bundle>(answer);
  return (body.entry ?? []).flatMap(({ resource }) => (resource?.id === undefined ? [] : [resource.id]));
};

for (const [who, caller, sees] of READERS)
  test(`${who} sees what is theirs to see by every face, and nothing tells of the rest`, async () => {
    for (const name of EVERYTHING) {
      const { exam, study, order, person } = at(name);
      const seen = sees.includes(name);
      const told = `${who}: ${name}`;
      const status = async (path: string): Promise<number> => {
        const answer = await hub.call(caller, path);
        const text = await answer.text();
        if (!seen) {
          const unknown = path.replaceAll(exam, NOBODY).replaceAll(order, NOBODY).replaceAll(study, '2.25.1');
          const absent = await hub.call(caller, unknown);
          // What is hidden and what does not exist are told in the same words.
          assert.equal(text.replaceAll(study, '2.25.1'), await absent.text(), `${told} ${path}`);
          assert.equal(answer.status, absent.status, `${told} ${path}`);
        }
        return answer.status;
      };
      assert.equal(await status(`/api/v1/exams/${exam}`), seen ? 200 : 404, told);
      assert.equal(await status(`/fhir/ServiceRequest/${order}`), seen ? 200 : 404, told);
      assert.equal(await status(`/fhir/ServiceRequest/${order}/_history/1`), seen ? 200 : 404, told);
      assert.equal(await status(`/fhir/ServiceRequest/${order}/_history`), seen ? 200 : 404, told);
      assert.equal(await status(`/fhir/Provenance/ServiceRequest.${order}.1`), seen ? 200 : 404, told);
      const found = await hub.call(caller, `/fhir/ServiceRequest?_id=${order}&_include=ServiceRequest:patient`);
      assert.deepEqual((await bundleIds(found)).includes(order), seen, told);
      const counted = await json<Bundle>(await hub.call(caller, `/fhir/ServiceRequest?_id=${order}&_summary=count`));
      assert.equal(counted.total, seen ? 1 : 0, told);
      const around = await bundleIds(
        await hub.call(caller, `/fhir/Patient?_id=${person}&_revinclude=ServiceRequest:patient`),
      );
      assert.equal(around.includes(order), seen, told);
      const chained = await bundleIds(await hub.call(caller, `/fhir/Patient?_has:ServiceRequest:patient:_id=${order}`));
      assert.ok(seen || !chained.includes(person), told);
      const history = await bundleIds(await hub.call(caller, '/fhir/ServiceRequest/_history?_count=100'));
      assert.equal(history.includes(order), seen, told);
      const qido = await json<unknown[]>(await hub.call(caller, `/dicomweb/studies?StudyInstanceUID=${study}`));
      assert.equal(qido.length, seen ? 1 : 0, told);
      const series = await json<unknown[]>(await hub.call(caller, `/dicomweb/studies/${study}/series`));
      assert.equal(series.length, seen ? 1 : 0, told);
      for (const path of IMAGES(study)) assert.equal((await status(path)) !== 404, seen, `${told} ${path}`);
      const rad69 = await hub.call(caller, '/xds/imaging-source', {
        ...{ method: 'POST', headers: { 'Content-Type': SOAP_TYPE } },
        body: requestEnvelope(
          requestBody([{ study, series: `${study}.1`, sop: `${study}.1.1`, repository: '2.999.3' }], []),
        ),
      });
      const answer = await rad69.text();
      assert.equal(
        /XDSDocumentUniqueIdError|DocumentUniqueIdError/.test(answer),
        !seen,
        `${told} ${answer.slice(0, 2000)}`,
      );
      // DIMSE reads through this port (adapters/dicom/provider.ts).
      const { index, reader } = await createSeeing(hub.access, hub.index, hub.reader)(caller);
      const query = { level: 'STUDY', match: { StudyInstanceUID: study }, fuzzy: false, limit: 5, offset: 0 } as const;
      assert.equal((await index.find(query)).length, seen ? 1 : 0, told);
      assert.equal((await reader.study(study)) !== null, seen, told);
    }
    const all = await json<unknown[]>(await hub.call(caller, '/dicomweb/studies?limit=100'));
    assert.equal(all.length, sees.length, `${who}: all studies`);
    const total = await json<Bundle>(await hub.call(caller, '/fhir/ServiceRequest?_summary=count'));
    assert.equal(total.total, sees.length, `${who}: the total counts what is seen`);
  });

const NOBODY = '00000000-0000-4000-8000-000000000000';
const IMAGES = (study: string): readonly string[] => [
  `/dicomweb/studies/${study}/metadata`,
  `/dicomweb/studies/${study}/series/${study}.1/metadata`,
  `/dicomweb/studies/${study}/series/${study}.1/instances/${study}.1.1/metadata`,
  `/dicomweb/studies/${study}`,
  `/dicomweb/studies/${study}/rendered`,
  `/wado?requestType=WADO&studyUID=${study}&seriesUID=${study}.1&objectUID=${study}.1.1`,
];

test('who asked for a person by an exact identifier is told the way; each refusal is in the audit with its reason', async () => {
  const { person, exam } = at('stranger');
  const caller = physician(I1, { accountId: 'acc-known' });
  const before403 = await hub.call(caller, `/api/v1/exams/${exam}`);
  assert.equal(before403.status, 404);
  const refused = hub.audits.findLast(({ outcome }) => outcome === 'refused');
  assert.deepEqual(
    [refused?.reason, refused?.persons, refused?.callerRole, refused?.purpose, refused?.institution],
    ['no-relation', [person], 'physician', 'TREATMENT', I1],
  );
  const search = await hub.call(caller, '/api/v1/exams/search', {
    ...{ method: 'POST', headers: { 'Content-Type': 'application/json' } },
    body: JSON.stringify({ identifier: { authority: AUTHORITY, value: 'B' } }),
  });
  assert.deepEqual(await json(search), { items: [], next: null });
  const told = await hub.call(caller, `/api/v1/exams/${exam}`);
  assert.equal(told.status, 403);
  assert.match(await told.text(), /break-glass/);
  assert.equal((await hub.call(caller, `/fhir/Patient/${person}`)).status, 403);
  await hub.call(physician(I1), `/api/v1/exams/${at('related').exam}`);
  assert.equal(hub.audits.at(-1)?.basis, 'treating(region)');
});

test('a label set over REST closes an exam to who only treats, on every face, and opens it again as it goes', async () => {
  const { exam, order, study, person } = at('related');
  const security = client('security-administrator');
  const label = (labels: readonly string[]) =>
    hub.call(security, `/api/v1/exams/${exam}/labels`, {
      ...{ method: 'PUT', headers: { 'Content-Type': 'application/json' } },
      body: JSON.stringify({ labels, reason: 'as the ministry says' }),
    });
  const sees = async (caller: Caller): Promise<readonly boolean[]> => {
    const paths = [
      `/api/v1/exams/${exam}`,
      `/fhir/ServiceRequest/${order}`,
      `/dicomweb/studies/${study}/metadata`,
      `/wado?requestType=WADO&studyUID=${study}&seriesUID=${study}.1&objectUID=${study}.1.1`,
    ];
    return Promise.all(paths.map(async (path) => (await hub.call(caller, path)).status !== 404));
  };
  const doctor = physician(I1, { accountId: 'acc-label' });
  const all = [true, true, true, true];
  const none = all.map(() => false);
  assert.deepEqual(await sees(doctor), all);
  const set = await label(['vip']);
  assert.equal(set.status, 200);
  assert.doesNotMatch(await set.text(), new RegExp(person), 'whose exam it is is not told');
  const told = hub.audits.findLast(({ operation }) => operation === 'setExamLabels');
  assert.deepEqual([told?.action, told?.persons, told?.objects], ['change', [person], [`exam/${exam}`]]);
  assert.deepEqual(await sees(doctor), none);
  assert.deepEqual(await sees(physician('CODE-h3')), all, 'who made it sees it');
  assert.equal((await hub.call(security, `/api/v1/exams/${exam}`)).status, 403, 'who labels does not read');
  assert.equal((await label([])).status, 200);
  assert.deepEqual(await sees(doctor), all);
});

/** What a request of the operation answers to who may: never 401 or 403. */
test('role × operation of the contract: refused where the table is empty, and nowhere else', async () => {
  let walked = 0;
  for (const [path, item] of Object.entries(readDocument().paths))
    for (const [method, operation] of Object.entries(item))
      for (const role of ROLES) {
        const url = `/api/v1${path.replace('{site}', 'h1').replaceAll(/\{\w+\}/g, NOBODY)}`;
        const person = !['administrator', 'query-platform', 'hospital-feed'].includes(role);
        // Some of it a security administrator lets a hospital's system do (consent-hospital.test.ts).
        const base: Caller = { ...client(role, 'h1'), recordsConsents: true };
        const caller: Caller =
          role === 'physician'
            ? physician(I1)
            : role === 'patient'
              ? patient('own')
              : person
                ? { ...base, user: user(I1) }
                : base;
        const body = method === 'get' ? {} : { body: '{"broken', headers: { 'Content-Type': 'application/json' } };
        const { status } = await hub.call(caller, url, { method: method.toUpperCase(), ...body });
        const what = `${role} ${operation.operationId} ${String(status)}`;
        const cell = cellOf(role, operation['x-act']);
        assert.equal(status === 403, cell === 'no', what);
        // Signing on asks for a session, which these callers have none of.
        assert.ok((status !== 401 || operation['x-act'] === 'public') && status !== 500, what);
        walked++;
      }
  assert.ok(walked >= 10 * 30, String(walked));
});

test('role × operation of FHIR, DICOMweb, WADO-URI and RAD-69: refused where the table is empty', async () => {
  const { order, study } = at('own');
  const asked: readonly (readonly [string, Parameters<typeof cellOf>[1], RequestInit?])[] = [
    [`/fhir/ServiceRequest/${order}`, 'read-record'],
    ['/fhir/Binary/1', 'read-record'],
    ['/fhir/Patient/$ihe-pix?sourceIdentifier=a|b', 'read-record'],
    ['/fhir/Patient', 'search-records'],
    ['/fhir/_history', 'search-records'],
    ['/fhir/Patient/$match', 'find-persons', { method: 'POST' }],
    ['/fhir', 'submit-documents', { method: 'POST' }],
    ['/dicomweb/studies', 'search-records'],
    [`/dicomweb/studies/${study}/metadata`, 'read-images'],
    ['/dicomweb/studies', 'feed', { method: 'POST', headers: { 'X-Site': 'h1' } }],
    ['/wado?requestType=WADO', 'read-images'],
    [
      '/xds/imaging-source',
      'read-images',
      { method: 'POST', headers: { 'Content-Type': SOAP_TYPE }, body: requestEnvelope(requestBody([], [])) },
    ],
  ];
  for (const [path, act, init] of asked)
    for (const role of ROLES) {
      const { status } = await hub.call(client(role, 'h1'), path, init ?? {});
      assert.equal(status === 403, cellOf(role, act) === 'no', `${role} ${path} ${String(status)}`);
    }
});

test('an interface engineer sees the journal of their own site alone, by list and by id', async () => {
  const { pool } = hub.fresh.database;
  for (const [id, site] of [
    [1001, 'h1'],
    [1002, 'h3'],
  ] as const) {
    const at = { site, channel: 'hl7v2', sender: 's', controlId: String(id), digestHex: '' };
    const context = bytesContext({ ...at, receivedAt: new Date('2026-03-10T01:00:00Z') });
    await pool.query(
      `insert into journal (id, received_at, site, channel, sender, peer, control_id, message_type, content_type, patient_key, digest, bytes, answer)
       values ($1, '2026-03-10T01:00:00Z', $2, 'hl7v2', 's', 'p', $3, 'ADT', 'x', '', '', $4, '')`,
      [id, site, String(id), vaultOf(pool).fields.seal(Buffer.from('secret'), context)],
    );
    await pool.query(
      `insert into pending (journal_id, received_at, work_key) values ($1, '2026-03-10T01:00:00Z', 'k')`,
      [id],
    );
  }
  const engineer: Caller = { ...client('interface-engineer', 'h1'), user: user(I1) };
  const listed = await json<{ items: { site: string }[] }>(await hub.call(engineer, '/api/v1/journal'));
  assert.ok(listed.items.length > 0);
  assert.deepEqual([...new Set(listed.items.map(({ site }) => site))], ['h1']);
  assert.equal((await hub.call(engineer, '/api/v1/journal?site=h3')).status, 403);
  assert.deepEqual(
    await Promise.all(
      ['/journal/1001', '/journal/1002', '/journal/1001/raw', '/journal/1002/raw'].map(
        async (path) => (await hub.call(engineer, `/api/v1${path}`)).status,
      ),
    ),
    [200, 404, 200, 404],
  );
  const operator: Caller = { ...client('operator'), user: user(I1) };
  assert.deepEqual(
    await Promise.all(
      ['/journal/1002', '/journal/1002/raw'].map(async (path) => (await hub.call(operator, `/api/v1${path}`)).status),
    ),
    [200, 403],
  );
});
