/**
 * The walk of a patient (IDOR): every operation of the contract that a patient may ask, with every id of somebody else,
 * answers word for word as with an id that nobody has; with one's own it answers. And reports before they are signed.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Bundle, DiagnosticReport } from 'fhir/r4.js';
import { readDocument } from '../../openapi/document.ts';
import { cellOf } from '../../openapi/roles.ts';
import type { Caller } from '../../hub/core/access.ts';
import { isSigned } from '../../hub/core/view.ts';
import { projectExam } from '../../mappings/fhir/index.ts';
import { AUTHORITY, startAccessHub, type AccessHub, type Laid } from '../support/access-hub.ts';
import { context, documented, namedExam, patientView, reportView, save } from '../support/fhir.ts';

const NOBODY = '00000000-0000-4000-8000-000000000000';
const FORM = 'urn:hutong:consent-form:2026-1';

let hub: AccessHub;
let own: Laid;
let other: Laid;
let me: Caller;
/** Consents of the two. */
const consents: Record<'own' | 'other', string> = { own: '', other: '' };

const json = async <T>(answer: Response): Promise<T> => (await answer.json()) as T;
const post = (caller: Caller, path: string, body: object): Promise<Response> =>
  hub.call(caller, path, {
    ...{ method: 'POST', headers: { 'Content-Type': 'application/json' } },
    body: JSON.stringify(body),
  });

before(async () => {
  hub = await startAccessHub();
  own = await hub.lay('A', 'h1', 'A1');
  other = await hub.lay('B', 'h3', 'B3');
  me = {
    ...{ id: 'acc-me', name: '本人', role: 'patient', peer: 'test' },
    user: {
      ...{ accountId: 'acc-me', loginName: 'patient-1', displayName: '本人', institution: null, sessionId: 's' },
      ...{ purpose: 'PATIENT', factors: ['saml'], person: own.person },
    },
  };
  const desk: Caller = { id: 'c-app', name: 'app', role: 'query-platform', peer: 'test' };
  for (const [whose, { person }] of [
    ['own', own],
    ['other', other],
  ] as const) {
    const made = await post(desk, '/api/v1/consents', { personId: person, form: FORM, rules: [{ effect: 'deny' }] });
    consents[whose] = (await json<{ consentId: string }>(made)).consentId;
  }
});
after(() => hub.close());

/** Bodies that a person asks with; `id` is somebody's, of each kind of id in turn. */
const BODIES: Readonly<Record<string, (id: string) => object>> = {
  recordConsent: (personId) => ({ personId, form: FORM, rules: [{ effect: 'deny', recipients: ['X'] }] }),
  issuePresentCode: (personId) => ({ personId, kind: 'digits', minutes: 5, hours: 24, form: FORM }),
  launchViewer: (examId) => ({ examId }),
  withdrawConsent: () => ({}),
  searchExams: (value) => ({ identifier: { authority: AUTHORITY, value } }),
  giveAccessReason: (personId) => ({ personId, purpose: 'PATIENT', text: 'of mine' }),
  explainFlag: () => ({ text: 'nothing of mine' }),
};
/** What is about no patient. */
const OF_NOBODY = ['listSites', 'listInstitutions', 'listConsortia', 'listOwnFlags', 'readWorklist'];

const operations = () =>
  Object.entries(readDocument().paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) => {
      const act = operation['x-act'];
      return act === 'public' || cellOf('patient', act) === 'no' ? [] : [{ path, method, id: operation.operationId }];
    }),
  );

function ask({ path, method, id }: ReturnType<typeof operations>[number], subject: string): Promise<Response> {
  const body = BODIES[id];
  const init = body === undefined ? {} : { body: JSON.stringify(body(subject)) };
  const headers = { 'Content-Type': 'application/json' };
  return hub.call(me, `/api/v1${path.replace(/\{\w+\}/, subject)}`, { method: method.toUpperCase(), headers, ...init });
}

test('every id of another answers as an id that nobody has, on every operation that a patient may ask', async () => {
  const others = [other.person, other.exam, other.order, consents.other];
  const walked: string[] = [];
  for (const operation of operations()) {
    if (OF_NOBODY.includes(operation.id)) continue;
    assert.ok(operation.path.includes('{') || BODIES[operation.id] !== undefined, `${operation.id} is walked somehow`);
    const absent = await ask(operation, NOBODY);
    const text = await absent.text();
    for (const subject of operation.id === 'searchExams' ? ['B'] : others) {
      const answer = await ask(operation, subject);
      assert.deepEqual([answer.status, await answer.text()], [absent.status, text], `${operation.id} ${subject}`);
      assert.ok(answer.status === 404 || text === '{"items":[],"next":null}', operation.id);
    }
    walked.push(operation.id);
  }
  assert.ok(walked.length >= 14, walked.join(' '));
});

test('by FHIR and DICOMweb as well: a person, a version, a cross-reference, a study, thumbnails', async () => {
  const paths = (one: Laid, local: string): readonly string[] => [
    `/fhir/Patient/${one.person}`,
    `/fhir/Patient/${one.person}/_history/1`,
    `/fhir/Patient/$ihe-pix?sourceIdentifier=urn:oid:${AUTHORITY}|${local}`,
    `/fhir/ServiceRequest/${one.order}`,
    `/dicomweb/studies/${one.study}/metadata`,
    `/dicomweb/studies/${one.study}/thumbnail`,
    `/wado?requestType=WADO&studyUID=${one.study}&seriesUID=${one.study}.1&objectUID=${one.study}.1.1`,
  ];
  const nobody = { ...other, person: NOBODY, order: NOBODY, study: '2.25.1' } as Laid;
  const told = async (path: string): Promise<readonly [number, string]> => {
    const answer = await hub.call(me, path);
    const text = await answer.text();
    return [answer.status, text.replaceAll(other.study, '2.25.1').replaceAll(other.person, NOBODY)];
  };
  const absent = paths(nobody, 'Nobody');
  for (const [at, path] of paths(other, 'B').entries())
    assert.deepEqual(await told(path), await told(absent[at] ?? ''), path);
  const [person = ''] = paths(own, 'A');
  assert.equal((await told(person))[0], 200);
});

test('of oneself everything answers; what a patient says is said by the patient, whatever the request claims', async () => {
  const status = async (path: string): Promise<number> => (await hub.call(me, `/api/v1${path}`)).status;
  for (const path of ['timeline', 'accesses', 'notices', 'consents'])
    assert.equal(await status(`/persons/${own.person}/${path}`), 200, path);
  assert.equal(await status(`/exams/${own.exam}`), 200);
  assert.equal((await post(me, '/api/v1/viewer-launches', { examId: own.exam })).status, 201);
  const said = await post(me, '/api/v1/consents', {
    ...{ personId: own.person, form: FORM, rules: [{ effect: 'deny', recipients: ['CODE-h3'] }] },
    ...{ giver: 'guardian', giverName: '某人', giverRelation: 'MTH', channel: 'paper', institution: 'CODE-h3' },
  });
  const consent = await json<Record<string, unknown>>(said);
  assert.deepEqual(
    [consent['giver'], consent['giverName'], consent['channel'], consent['institution']],
    ['patient', null, 'app', null],
  );
  // Also what a hospital recorded: it is the patient's will.
  assert.equal((await post(me, `/api/v1/consents/${consents.own}/withdraw`, {})).status, 200);
  const listed = await json<{ items: { consentId: string; status: string }[] }>(
    await hub.call(me, `/api/v1/persons/${own.person}/consents`),
  );
  assert.deepEqual(listed.items.map(({ status: one }) => one).sort(), ['active', 'inactive']);
  const code = await post(me, '/api/v1/present-codes', {
    ...{ personId: own.person, kind: 'token', minutes: 5, hours: 24, form: FORM, giver: 'guardian', giverName: '某人' },
  });
  assert.equal(code.status, 201);
  const used = await post(me, '/api/v1/present-codes/redeem', await json<{ code: string }>(code));
  assert.equal(used.status, 403, 'who draws a code uses none');
});

test('a patient finds nobody by what is known of them, breaks no glass, and sends nothing', async () => {
  for (const body of [{ number: 'B' }, { phone: '13800000000' }, { name: '张三', birthDate: '19800315' }])
    assert.equal((await post(me, '/api/v1/persons/search', body)).status, 403);
  const glass = { personId: own.person, reason: 'other', text: 'curious' };
  assert.equal((await post(me, '/api/v1/break-glass', glass)).status, 403);
  assert.equal((await hub.call(me, '/dicomweb/studies', { method: 'POST', headers: { 'X-Site': 'h1' } })).status, 403);
  const found = await json<Bundle>(await hub.call(me, '/fhir/Patient?_summary=count'));
  assert.equal(found.total, 1);
});

test('a report is a patient’s from when it is signed until it is withdrawn, in all its versions and its document', async () => {
  const report = documented(reportView({ status: 'preliminary' }));
  const tell = async (status: 'preliminary' | 'final' | 'withdrawn'): Promise<void> => {
    const view = namedExam('A1', own.person, {
      report: { ...report, status },
      patient: patientView({ localId: 'A' }),
    });
    await save(
      hub.fresh.database,
      projectExam(view, context).map((resource) => ({ ...resource, owner: `exam|${own.exam}` })),
    );
  };
  const doctor: Caller = { id: 'c-admin', name: 'admin', role: 'administrator', peer: 'test' };
  const ids = async (caller: Caller, type: string): Promise<string[]> =>
    ((await json<Bundle>(await hub.call(caller, `/fhir/${type}`))).entry ?? []).flatMap(({ resource }) =>
      resource?.id === undefined ? [] : [resource.id],
    );
  const { documentId = '' } = report.document ?? {};
  const reads = async (...paths: string[]): Promise<readonly number[]> =>
    Promise.all(paths.map(async (path) => (await hub.call(me, `/fhir/${path}`)).status));
  const [whole, bytes] = [`DiagnosticReport/${report.reportId}`, `Binary/${documentId}`];
  await tell('preliminary');
  assert.ok((await ids(doctor, 'DiagnosticReport')).includes(report.reportId));
  const documents = await ids(doctor, 'DocumentReference');
  assert.ok(!(await ids(me, 'DiagnosticReport')).includes(report.reportId));
  assert.ok((await ids(me, 'DocumentReference')).every((id) => !documents.includes(id)));
  assert.deepEqual(await reads(whole, bytes), [404, 404]);
  assert.equal((await ids(me, 'ImagingStudy')).length, 1, 'the images are there');
  await tell('final');
  assert.ok((await ids(me, 'DiagnosticReport')).includes(report.reportId));
  assert.deepEqual(await reads(whole), [200]);
  const versions = await json<Bundle>(await hub.call(doctor, `/fhir/DiagnosticReport/${report.reportId}/_history`));
  const drafts = (versions.entry ?? []).filter(
    ({ resource }) => (resource as DiagnosticReport | undefined)?.status === 'preliminary',
  );
  assert.ok(drafts.length > 0);
  for (const { resource } of drafts) {
    const path = `/fhir/DiagnosticReport/${report.reportId}/_history/${resource?.meta?.versionId ?? ''}`;
    assert.deepEqual([(await hub.call(doctor, path)).status, (await hub.call(me, path)).status], [200, 404]);
  }
  const history = await (await hub.call(me, `/fhir/DiagnosticReport/${report.reportId}/_history`)).text();
  assert.doesNotMatch(history, /preliminary/);
  await tell('withdrawn');
  assert.deepEqual(await reads(whole, bytes), [404, 404]);
  for (const [status, shown] of [
    ['preliminary', false],
    ['final', true],
    ['corrected', true],
    ['withdrawn', false],
  ] as const)
    assert.equal(isSigned(status), shown, status);
});
