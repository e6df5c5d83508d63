/** Patient/$match over HTTP (PDQm ITI-119) with the matcher that links the feed: grades, doubts, limits, refusals, audit. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Bundle, OperationOutcome, Patient } from 'fhir/r4.js';
import { residentCheck } from '../../hub/core/identifier.ts';
import { openStore, READER, serveFhir, type Served } from '../support/fhir.ts';
import { faultsOf } from '../support/fhir-validation.ts';
import { iheSamples, noIheSamples } from '../support/ihe-samples.ts';
import { useGuides } from '../support/ihe-guides.ts';
import { personHub, recordId, registration, type PersonHub, type Told } from '../support/person-hub.ts';

const numbered = (first17: string): string => first17 + residentCheck(first17);
const RESIDENT = 'urn:oid:2.16.156.10011.1.3';
const MEI: Told = {
  name: '张晓梅',
  sex: 'female',
  birthDate: '1980-03-15',
  phone: '13812345678',
  residentId: numbered('21010219800315122'),
  address: { text: '虚构市东城区长青路7号' },
};

let hub: PersonHub;
let served: Served;
before(async () => {
  useGuides();
  hub = await personHub();
  await hub.send(registration('h1', 'A', MEI), registration('h2', 'B', MEI));
  await hub.send(registration('h1', 'C', { name: '李雷', sex: 'male', birthDate: '1975-01-02', phone: '13900000001' }));
  served = await serveFhir(openStore(hub.database));
});
after(() => served.close());

const mei: Patient = {
  resourceType: 'Patient',
  name: [{ family: '张', given: ['晓梅'] }],
  gender: 'female',
  birthDate: '1980-03-15',
  telecom: [{ system: 'phone', value: '138 1234 5678' }],
  identifier: [{ system: RESIDENT, value: MEI.residentId ?? '' }],
};

const post = (body: unknown): Promise<Response> =>
  fetch(`${served.base}/Patient/$match`, {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

async function match(resource: object, more: readonly object[] = []): Promise<Bundle> {
  const response = await post({ resourceType: 'Parameters', parameter: [{ name: 'resource', resource }, ...more] });
  const body = (await response.json()) as Bundle;
  assert.equal(response.status, 200, JSON.stringify(body));
  assert.deepEqual(faultsOf(body), []);
  return body;
}

const graded = ({ entry = [] }: Bundle): (string | undefined)[][] =>
  entry
    .filter(({ search }) => search?.mode === 'match')
    .map(({ resource, search }) => [resource?.id, search?.extension?.[0]?.valueCode]);

test('the same person is certain, whichever registration fits, once, with a probability', async () => {
  const person = await hub.personOf(recordId('h1', 'A'));
  assert.equal(await hub.personOf(recordId('h2', 'B')), person);
  const found = await match(mei);
  assert.deepEqual(graded(found), [[person, 'certain']]);
  assert.equal(found.total, 1);
  const score = found.entry?.[0]?.search?.score ?? 0;
  assert.ok(score > 0.99 && score <= 1, String(score));
  assert.equal(found.entry?.[0]?.fullUrl, `${served.base}/Patient/${person}`);
  assert.deepEqual([served.audited.at(-1)?.action, served.audited.at(-1)?.persons], ['search', [person]]);
});

test('asking registers nobody and links nobody', async () => {
  const before_ = await hub.partition();
  await match(mei);
  assert.deepEqual(await hub.partition(), before_);
  const { rows } = await hub.database.pool.query<{ n: number }>(
    `select count(*)::int as n from match_record where record_id::text = 'asked'`,
  );
  assert.equal(rows[0]?.n, 0);
});

test('a name and a birth date alone are no certainty; a stranger is nobody', async () => {
  const vague = await match({ resourceType: 'Patient', name: [{ text: '张晓梅' }], birthDate: '1980-03-15' });
  assert.ok(
    graded(vague).every(([, grade]) => grade !== 'certain'),
    JSON.stringify(graded(vague)),
  );
  assert.deepEqual(
    graded(await match({ resourceType: 'Patient', name: [{ text: '诸葛孔明' }], birthDate: '1901-02-03' })),
    [],
  );
  assert.deepEqual(graded(await match({ resourceType: 'Patient' })), []);
});

test('the resident ID of another with another name, sex and birth is not certain', async () => {
  const borrowed = await match({
    ...mei,
    name: [{ text: '王大力' }],
    gender: 'male',
    birthDate: '1955-05-05',
    telecom: [{ system: 'phone', value: '13700000002' }],
  });
  assert.ok(
    graded(borrowed).every(([, grade]) => grade !== 'certain'),
    JSON.stringify(graded(borrowed)),
  );
});

test('onlyCertainMatches leaves out the doubtful, count cuts', async () => {
  const only = [{ name: 'onlyCertainMatches', valueBoolean: true }];
  assert.equal(graded(await match(mei, only)).length, 1);
  assert.deepEqual(
    graded(await match({ resourceType: 'Patient', name: [{ text: '张晓梅' }], birthDate: '1980-03-15' }, only)),
    [],
  );
  assert.equal(graded(await match(mei, [{ name: 'count', valueInteger: 1 }])).length, 1);
});

test('what is no question is told so, and who may not search may not ask', async () => {
  for (const [body, status, code] of [
    [{ resourceType: 'Patient' }, 400, 'structure'],
    [{ resourceType: 'Parameters' }, 400, 'required'],
    [
      {
        resourceType: 'Parameters',
        parameter: [{ name: 'resource', resource: { resourceType: 'Organization', name: 'x' } }],
      },
      400,
      'required',
    ],
    [
      {
        resourceType: 'Parameters',
        parameter: [
          { name: 'resource', resource: mei },
          { name: 'count', valueInteger: 0 },
        ],
      },
      400,
      'value',
    ],
  ] as const) {
    const response = await post(body);
    assert.equal(response.status, status, JSON.stringify(body));
    assert.equal(((await response.json()) as OperationOutcome).issue[0]?.code, code);
  }
  assert.equal((await served.get('/Patient/$match')).status, 405);
  served.caller = { ...READER, role: 'hospital-feed' };
  assert.equal((await post({ resourceType: 'Parameters' })).status, 403);
  served.caller = READER;
});

test('the guide’s own questions are answered', { skip: noIheSamples }, async () => {
  const questions = iheSamples('FHIR-IG-examples').filter(({ name }) => name.includes('/Parameters-ex-match-input'));
  assert.equal(questions.length, 3);
  for (const { name, verdict, text } of questions) {
    const response = await post(text());
    assert.equal(response.status, 200, name);
    assert.equal(verdict, 'accepted');
    assert.equal(((await response.json()) as Bundle).type, 'searchset');
  }
});
