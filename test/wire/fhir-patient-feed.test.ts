/** PIXm ITI-104 and PMIR ITI-93 over HTTP to a real index: who may tell what of whom, and what becomes of it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Bundle, CapabilityStatement, OperationOutcome, Patient } from 'fhir/r4.js';
import type { FhirBody } from '../../hub/core/fhir.ts';
import { feedHub, H1, H3, type FeedHub } from '../support/feed-hub.ts';
import { faultsOf } from '../support/fhir-validation.ts';
import { useGuides } from '../support/ihe-guides.ts';
import { bytesOf, type SealedBytesRow } from '../../hub/store/journal-entry.ts';
import { vaultOf } from '../../hub/store/database.ts';

let hub: FeedHub;
before(async () => {
  useGuides();
  hub = await feedHub();
});
after(() => hub.close());

const sys = (authority: string): string => `urn:oid:${authority}`;
function patient(value: string, more: Partial<Patient> = {}, authority = H1): Patient {
  return {
    resourceType: 'Patient',
    identifier: [{ system: sys(authority), value }],
    active: true,
    name: [{ use: 'official', family: '欧阳', given: ['修远'] }],
    gender: 'male',
    birthDate: '1958-01-30',
    telecom: [{ system: 'phone', value: '13800001111' }],
    ...more,
  };
}

interface As {
  readonly as?: string;
  readonly role?: 'administrator' | 'query-platform' | 'hospital-feed';
  readonly type?: string;
}

function put(
  query: string,
  body: unknown,
  { as = 'h1', role, type = 'application/fhir+json' }: As = {},
): Promise<Response> {
  return hub.fetch(`/fhir/Patient${query}`, {
    ...{ method: 'PUT', headers: { 'content-type': type }, ...(role === 'administrator' ? {} : { as }) },
    ...(role === undefined ? {} : { role }),
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}
const by = (value: string, authority = H1): string => `?identifier=${sys(authority)}%7C${value}`;

async function refusal(response: Response, status: number): Promise<string> {
  const body = (await response.json()) as OperationOutcome;
  assert.equal(response.status, status, JSON.stringify(body));
  assert.deepEqual(faultsOf(body as FhirBody), []);
  return `${body.issue[0]?.code ?? ''} ${body.issue[0]?.expression?.[0] ?? ''}`.trim();
}

async function read(location: string): Promise<Patient> {
  const response = await fetch(location, { headers: { 'x-role': 'query-platform' } });
  assert.equal(response.status, 200);
  return (await response.json()) as Patient;
}

test('ITI-104 creates, revises, and the next question finds it', async () => {
  const created = await put(by('F1'), patient('F1'));
  assert.equal(created.status, 201, await created.clone().text());
  const location = created.headers.get('location') ?? '';
  assert.match(location, /\/fhir\/Patient\/[0-9a-f-]{36}$/);
  assert.deepEqual((await read(location)).name?.[0]?.text, '欧阳修远');
  const revised = await put(by('F1'), patient('F1', { telecom: [{ system: 'phone', value: '13900002222' }] }));
  assert.deepEqual([revised.status, revised.headers.get('location')], [200, location]);
  assert.deepEqual((await read(location)).telecom, [{ system: 'phone', value: '13900002222' }]);
  assert.deepEqual(await hub.pix('F1', H1), []);
  const event = hub.audits.find(({ operation }) => operation === 'PUT /fhir/Patient?identifier');
  assert.deepEqual([event?.action, event?.outcome, event?.persons], ['feed', 'success', [location.split('/').at(-1)]]);
  const { rows } = await hub.database.pool.query<SealedBytesRow>(
    `select * from journal where message_type = 'PUT Patient' order by id limit 1`,
  );
  const [row] = rows;
  assert.ok(row);
  assert.deepEqual([rows[0]?.channel, rows[0]?.site], ['fhir', 'h1']);
  assert.match(
    bytesOf(vaultOf(hub.database.pool).fields, row).toString(),
    /^PUT \/fhir\/Patient\?identifier=.*\r\n\r\n\{"resourceType":"Patient"/s,
  );
});

test('the same registration as by HL7 v2: one number, one person', async () => {
  await hub.hl7('RIS|H1', 'ADT^A04', 'EVN||20260101', 'PID|1||F2^^^H1^PI||李^雷||19700203|M');
  const revised = await put(by('F2'), patient('F2', { name: [{ text: '李雷' }], birthDate: '1970-02-03' }));
  assert.equal(revised.status, 200);
});

test('XML is taken as JSON is', async () => {
  const xml = `<Patient xmlns="http://hl7.org/fhir"><identifier><system value="${sys(H1)}"/><value value="F3"/></identifier><active value="true"/><name><text value="王小明"/></name><gender value="male"/></Patient>`;
  const created = await put(by('F3'), xml, { type: 'application/fhir+xml' });
  assert.equal(created.status, 201);
  assert.equal((await read(created.headers.get('location') ?? '')).name?.[0]?.text, '王小明');
});

test('a merge is a replaced-by link: the number that ended leads nowhere, and cannot be merged back', async () => {
  await put(by('G1'), patient('G1', { birthDate: '1961-02-03' }));
  await put(by('G2'), patient('G2', { birthDate: '1961-02-03' }));
  const link = (value: string): Partial<Patient> => ({
    active: false,
    link: [{ other: { identifier: { system: sys(H1), value } }, type: 'replaced-by' }],
  });
  const merged = await put(by('G2'), patient('G2', link('G1')));
  assert.equal(merged.status, 200, await merged.clone().text());
  assert.equal(await hub.pix('G2', H1), null);
  assert.notEqual(await hub.pix('G1', H1), null);
  assert.equal(await refusal(await put(by('G1'), patient('G1', link('G2'))), 409), 'conflict MRG-1');
  assert.equal(await refusal(await put(by('G1'), patient('G1', link('G1'))), 409), 'conflict MRG-1');
});

test('whom a merge names by literal reference is the Patient of this server with one number of the site', async () => {
  const idOf = (response: Response): string => response.headers.get('location')?.split('/').at(-1) ?? '';
  const named = (value: string): Patient => patient(value, { birthDate: '1971-02-03', name: [{ text: `赵${value}` }] });
  const survivor = idOf(await put(by('L1'), named('L1')));
  const ended = (value: string, reference: string): Patient => ({
    ...named(value),
    ...{ name: [{ text: '赵L1' }], active: false },
    link: [{ other: { reference }, type: 'replaced-by' }],
  });
  for (const [value, reference] of [
    ['L2', `Patient/${survivor}`],
    ['L3', `${hub.origin}/fhir/Patient/${survivor}`],
  ] as const) {
    await put(by(value), { ...named(value), name: [{ text: '赵L1' }] });
    const merged = await put(by(value), ended(value, reference));
    assert.equal(merged.status, 200, `${reference}: ${await merged.clone().text()}`);
    assert.equal(await hub.pix(value, H1), null, 'the number that ended leads nowhere');
  }
  await put(by('L4'), { ...named('L4'), name: [{ text: '赵L1' }] });
  const byMessage = await post(message([{ method: 'PUT', patient: ended('L4', `Patient/${survivor}`) }]));
  assert.equal(byMessage.status, 200, await byMessage.clone().text());
  assert.equal(await hub.pix('L4', H1), null);
  await put(by('L5'), named('L5'));
  for (const reference of [
    'Patient/00000000-0000-4000-8000-000000000000',
    `http://other.example/fhir/Patient/${survivor}`,
    `Person/${survivor}`,
    'Patient/a b',
    `Patient/${survivor}/_history/1`,
  ])
    assert.match(await refusal(await put(by('L5'), ended('L5', reference)), 422), /other\.identifier$/, reference);
  assert.notEqual(await hub.pix('L5', H1), null);
  const { rows: all } = await hub.database.pool.query<SealedBytesRow>(
    `select * from journal where message_type = 'PUT Patient'`,
  );
  const bodies = all.map((row) => bytesOf(vaultOf(hub.database.pool).fields, row).toString());
  const rows = bodies
    .filter((body) => body.includes(`"reference":"Patient/${survivor}"`))
    .map((body) => ({ bytes: body }));
  assert.equal(rows.length, 1);
  assert.match(rows[0]?.bytes ?? '', /^Hub-Named-Patient: Patient%2F[^ ]+ .*%7CL1/m, 'kept with the request');
});

test('a site speaks of its own numbers only; who may not feed is refused; nothing of it is applied', async () => {
  assert.equal(await refusal(await put(by('N1', H3), patient('N1', {}, H3)), 403), 'forbidden patient identifier');
  assert.equal(
    await refusal(await put(by('N1', '9.9.9'), patient('N1', {}, '9.9.9')), 403),
    'forbidden patient identifier',
  );
  assert.equal(
    await refusal(await put(by('N1'), patient('N1'), { as: 'region' }), 403),
    'forbidden patient identifier',
  );
  assert.equal(await refusal(await put(by('N1'), patient('N1'), { role: 'query-platform' }), 403), 'forbidden');
  const survivor = { other: { identifier: { system: sys(H3), value: 'X' } }, type: 'replaced-by' as const };
  assert.match(
    await refusal(await put(by('N1'), patient('N1', { active: false, link: [survivor] })), 422),
    /link\[0\]\.other\.identifier$/,
  );
  assert.equal(await hub.pix('N1', H1), null);
  assert.equal(await hub.pix('N1', H3), null);
  const asAdministrator = await put(by('N2', H3), patient('N2', { name: [{ text: '赵六' }] }, H3), {
    role: 'administrator',
  });
  assert.equal(asAdministrator.status, 201, 'an administrator speaks for the site whose number it is');
});

test('what is not a conditional update of one Patient is refused with its place', async () => {
  for (const [query, body, status, issue] of [
    ['', patient('B1'), 400, 'required identifier'],
    ['?identifier=B1', patient('B1'), 400, 'required identifier'],
    [`${by('B1')}&name=x`, patient('B1'), 400, 'required identifier'],
    [by('B1'), patient('B2'), 422, 'invalid Patient.identifier'],
    [by('B1'), { resourceType: 'Person' }, 422, 'invalid resourceType'],
    [by('B1'), { ...patient('B1'), nonsense: 1 }, 400, 'structure Patient.nonsense'],
    [by('B1'), { ...patient('B1'), birthDate: '1958-13-30' }, 400, 'structure Patient.birthDate'],
    [by('B1'), patient('B1', { active: false }), 422, 'invalid Patient.link'],
    [by('B1'), '{', 400, 'structure'],
  ] as const)
    assert.equal(await refusal(await put(query, body), status), issue, `${query} ${JSON.stringify(body)}`);
  const gone = await hub.fetch(`/fhir/Patient${by('F1')}`, { method: 'DELETE', as: 'h1' });
  assert.equal(await refusal(gone, 405), 'not-supported');
  assert.equal(await hub.pix('B1', H1), null);
});

test('a revision that contradicts the person waits for an operator, and the sender hears so', async () => {
  await put(by('D1'), patient('D1', { gender: 'male' }));
  assert.equal(await refusal(await put(by('D1'), patient('D1', { gender: 'female' })), 409), 'conflict sex');
});

const HEADER = {
  resourceType: 'MessageHeader',
  eventUri: 'urn:ihe:iti:pmir:2019:patient-feed',
  source: { endpoint: 'http://h1.example' },
};
interface Change {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly patient: Patient;
}
let messages = 0;
const message = (changes: readonly Change[], id = `m-${String(++messages)}`): object => ({
  resourceType: 'Bundle',
  type: 'message',
  entry: [
    { fullUrl: `urn:uuid:${id}`, resource: { ...HEADER, id, focus: [{ reference: 'Bundle/b1' }] } },
    {
      fullUrl: 'Bundle/b1',
      resource: {
        resourceType: 'Bundle',
        id: 'b1',
        type: 'history',
        entry: changes.map(({ method, patient: resource }, at) => ({
          fullUrl: `Patient/p${String(at)}`,
          resource: { ...resource, id: `p${String(at)}` },
          request: { method, url: `Patient/p${String(at)}` },
          response: { status: '200' },
        })),
      },
    },
  ],
});
const post = (body: object, path = '/$process-message', as = 'h1'): Promise<Response> =>
  hub.fetch(`/fhir${path}`, {
    ...{ method: 'POST', headers: { 'content-type': 'application/fhir+json' }, as },
    body: JSON.stringify(body),
  });

test('ITI-93 creates, revises and merges; the answer is a message that names the one it answers', async () => {
  const named = (value: string): Patient => patient(value, { birthDate: '1999-09-09', name: [{ text: '钱多多' }] });
  const created = await post(
    message(
      [
        { method: 'POST', patient: named('M1') },
        { method: 'POST', patient: named('M2') },
      ],
      'first',
    ),
  );
  const body = (await created.json()) as Bundle;
  assert.equal(created.status, 200, JSON.stringify(body));
  assert.deepEqual(faultsOf(body as FhirBody), []);
  const header = body.entry?.[0]?.resource as { response?: { identifier: string; code: string } };
  assert.deepEqual(header.response, { identifier: 'first', code: 'ok' });
  assert.ok((await hub.pix('M1', H1)) && (await hub.pix('M2', H1)));
  const ended = {
    ...named('M2'),
    active: false,
    link: [{ other: { reference: 'Patient/p1' }, type: 'replaced-by' as const }],
  };
  const merged = await post(
    message([
      { method: 'PUT', patient: ended },
      { method: 'PUT', patient: named('M1') },
    ]),
    '',
  );
  assert.equal(merged.status, 200, await merged.clone().text());
  assert.equal(await hub.pix('M2', H1), null);
  assert.notEqual(await hub.pix('M1', H1), null);
  assert.equal(
    await refusal(await post(message([{ method: 'PUT', patient: named('M2') }])), 405),
    'not-supported Bundle.entry[1].resource',
  );
});

/** As PMIR's own example: an entry without a resource, which names the Patient by its url. */
const removal = (url: string): object => {
  const told = message([{ method: 'DELETE', patient: patient('none') }]) as Bundle;
  const history = told.entry?.[1]?.resource as Bundle;
  history.entry = [{ fullUrl: 'urn:x', request: { method: 'DELETE', url }, response: { status: '202' } }];
  return told;
};

test('ITI-93 removes: the number names nobody until it is told anew, and whoever it named is inactive', async () => {
  const told = (): object => message([{ method: 'POST', patient: patient('X1', { name: [{ text: '吴退' }] }) }]);
  assert.equal((await post(told())).status, 200);
  const search = await hub.fetch(`/fhir/Patient?identifier=urn:oid:${H1}%7CX1`, { role: 'query-platform' });
  const id = ((await search.json()) as Bundle).entry?.[0]?.resource?.id ?? '';
  for (const url of [`Patient/${id}`, `Patient?identifier=urn:oid:${H1}%7CX1`, `${hub.origin}/fhir/Patient/${id}`]) {
    const removed = await post(removal(url));
    assert.equal(removed.status, 200, `${url} ${await removed.clone().text()}`);
    assert.equal(await hub.pix('X1', H1), null, url);
    const read = await hub.fetch(`/fhir/Patient/${id}`, { role: 'query-platform' });
    const body = (await read.json()) as Patient;
    assert.deepEqual([read.status, body.active, body.identifier?.[0]?.use], [200, false, 'old']);
    assert.match(body.identifier?.[0]?.period?.end ?? '', /^20/);
    assert.deepEqual(faultsOf(body as FhirBody), []);
    assert.equal((await post(told())).status, 200, 'told anew it stands, and that is no unmerge');
    assert.deepEqual(await hub.pix('X1', H1), [], url);
  }
});

test('ITI-93 removes nobody whom it does not name by a number of its own site', async () => {
  await hub.fetch(`/fhir/Patient?identifier=urn:oid:${H3}%7CX3`, {
    ...{ method: 'PUT', as: 'h3', headers: { 'content-type': 'application/fhir+json' } },
    body: JSON.stringify(patient('X3', {}, H3)),
  });
  const known = await hub.pix('X3', H3);
  assert.notEqual(known, null);
  for (const url of ['Patient/nobody', 'Patient', `Patient?identifier=urn:oid:${H3}%7CX3`, `Patient?name=x`])
    assert.match(await refusal(await post(removal(url)), 422), /^invalid/, url);
  assert.deepEqual(await hub.pix('X3', H3), known);
});

test('a message that comes again is applied once; the same id with other content is refused', async () => {
  const told = message([{ method: 'POST', patient: patient('R1') }], 'again');
  assert.equal((await post(told)).status, 200);
  assert.equal((await post(told)).status, 200);
  const { rows } = await hub.database.pool.query(`select from journal where control_id = 'again'`);
  assert.equal(rows.length, 1);
  const other = message([{ method: 'POST', patient: patient('R2') }], 'again');
  assert.equal(await refusal(await post(other), 409), 'duplicate');
});

test('a message of another form, or about another site, is refused as a whole', async () => {
  const both = [
    { method: 'POST', patient: patient('W1') },
    { method: 'POST', patient: patient('W2', {}, H3) },
  ] as const;
  assert.match(await refusal(await post(message(both)), 422), /^invalid|required/);
  assert.equal(await hub.pix('W1', H1), null);
  assert.match(await refusal(await post({ resourceType: 'Bundle', type: 'batch' }), 422), /Bundle\.type$/);
  assert.match(
    await refusal(await post({ resourceType: 'Bundle', type: 'message', entry: [] }), 400),
    /structure|Bundle/,
  );
});

test('the capability statement says what is taken and what is not', async () => {
  const statement = (await (await fetch(`${hub.origin}/fhir/metadata`)).json()) as CapabilityStatement;
  const [rest] = statement.rest ?? [];
  const told = rest?.resource?.find(({ type }) => type === 'Patient');
  assert.deepEqual(
    [told?.conditionalUpdate, told?.conditionalDelete, told?.interaction?.some(({ code }) => code === 'update')],
    [true, 'not-supported', true],
  );
  assert.equal(rest?.operation?.[0]?.name, 'process-message');
  assert.deepEqual(faultsOf(statement as FhirBody), []);
});
