/** `/fhir/Consent` over HTTP: create, read, revise, withdraw, history, search, after a merge, and what is refused. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Bundle, Consent, OperationOutcome } from 'fhir/r4.js';
import { patientOf, signedIn } from '../support/people.ts';
import { faultsOf } from '../support/fhir-validation.ts';
import type { Answer, Call, RestServer } from '../support/rest-server.ts';
import { startRest } from '../support/rest-server.ts';

let hub: RestServer;
const PERSON = '11111111-1111-8111-8111-111111111111';
const OTHER = '22222222-2222-8222-8222-222222222222';
/** A patient of HOSPITAL2. */
const OWN = '44444444-4444-8444-8444-444444444444';
before(async () => {
  hub = await startRest();
  await hub.fresh.database.pool.query(`insert into person (person_id) values ('${PERSON}'), ('${OTHER}')`);
  await patientOf(hub.fresh.database, OWN, 'HOSPITAL2');
  hub.people.set('doctor', signedIn('doctor', 'physician', 'HOSPITAL2'));
  hub.people.set('auditor', signedIn('auditor', 'auditor'));
});
after(() => hub.close());

const JSON_TYPE = { 'Content-Type': 'application/fhir+json' };
async function ask(
  method: string,
  path: string,
  { headers, ...call }: Call = {},
): Promise<Answer & { readonly resource: unknown }> {
  const answer = await hub.call(method, `/fhir/Consent${path}`, {
    as: 'query-platform',
    ...call,
    headers: { ...JSON_TYPE, ...headers },
  });
  return { ...answer, resource: answer.text.startsWith('{') ? (JSON.parse(answer.text) as unknown) : null };
}
const consent = (more: Partial<Consent> = {}): Consent => ({
  resourceType: 'Consent',
  status: 'active',
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
  category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
  patient: { reference: `Patient/${PERSON}` },
  policy: [{ uri: 'urn:hutong:consent-form:2026-1' }],
  policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] },
  ...more,
});

test('created, read, revised under If-Match, withdrawn; each version is served and validates', async () => {
  const made = await ask('POST', '', { body: consent() });
  assert.equal(made.status, 201, made.text);
  const first = made.resource as Consent;
  assert.deepEqual(faultsOf(first), []);
  const id = first.id ?? '';
  assert.ok(made.headers.get('location')?.endsWith(`/fhir/Consent/${id}/_history/1`));
  assert.equal(made.headers.get('etag'), 'W/"1"');
  const read = await ask('GET', `/${id}`, { headers: { Accept: 'application/fhir+xml' } });
  assert.match(read.text, /<Consent xmlns="http:\/\/hl7.org\/fhir">/);
  const body = consent({
    provision: { purpose: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HRESCH' }] },
  });
  assert.equal((await ask('PUT', `/${id}`, { body, headers: { 'If-Match': 'W/"9"' } })).status, 412);
  const revised = await ask('PUT', `/${id}`, { body, headers: { 'If-Match': 'W/"1"' } });
  assert.equal(revised.status, 200, revised.text);
  const gone = await ask('PUT', `/${id}`, { body: consent({ status: 'inactive' }) });
  assert.equal((gone.resource as Consent).status, 'inactive');
  assert.deepEqual((gone.resource as Consent).provision, body.provision, 'it keeps the words that it had');
  assert.equal((await ask('PUT', `/${id}`, { body })).status, 409, 'it is not taken up again');
  const history = (await ask('GET', `/${id}/_history`)).resource as Bundle;
  assert.deepEqual(
    history.entry?.map(({ resource }) => [resource?.meta?.versionId, (resource as Consent).status]),
    [
      ['3', 'inactive'],
      ['2', 'active'],
      ['1', 'active'],
    ],
  );
  assert.deepEqual(faultsOf(history), []);
  assert.equal(((await ask('GET', `/${id}/_history/1`)).resource as Consent).meta?.versionId, '1');
  for (const path of [`/${id}/_history/9`, `/${id}/_history/x`, `/${OTHER}`, '/x'])
    assert.equal((await ask('GET', path)).status, 404, path);
  assert.equal((await ask('DELETE', `/${id}`)).status, 405);
});

test('it is searched by patient under every name that the person had, and says whose it is today', async () => {
  const made = (await ask('POST', '', { body: consent({ patient: { reference: `Patient/${OTHER}` } }) }))
    .resource as Consent;
  await hub.fresh.database.pool.query(`update person set replaced_by = '${PERSON}' where person_id = '${OTHER}'`);
  for (const patient of [PERSON, OTHER]) {
    const found = (await ask('GET', `?patient=Patient/${patient}&status=active`)).resource as Bundle;
    assert.deepEqual(faultsOf(found), []);
    assert.deepEqual(
      found.entry?.map(({ resource }) => resource?.id),
      [made.id],
    );
    assert.equal(found.total, 1);
    assert.equal((found.entry[0]?.resource as Consent).patient?.reference, `Patient/${PERSON}`);
  }
  const stale = await ask('PUT', `/${made.id ?? ''}`, {
    body: consent({ patient: { reference: `Patient/${OTHER}` }, status: 'inactive' }),
  });
  assert.equal(stale.status, 200, 'a copy from before the merge still withdraws');
  const posted = await hub.call('POST', '/fhir/Consent/_search', {
    as: 'query-platform',
    body: `patient=${PERSON}&_count=1`,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  });
  const page = JSON.parse(posted.text) as Bundle;
  assert.equal(page.entry?.length, 1);
  const next = page.link?.find(({ relation }) => relation === 'next')?.url ?? '';
  const second = JSON.parse(
    (await hub.call('GET', next.slice(hub.origin.length), { as: 'query-platform' })).text,
  ) as Bundle;
  assert.notEqual(second.entry?.[0]?.resource?.id, page.entry[0]?.resource?.id);
});

test('faults are told with their place and without what was sent', async () => {
  const bad = await ask('POST', '', {
    body: consent({ provision: { type: 'deny', dataPeriod: { start: '2020' } }, status: 'draft' }),
  });
  assert.equal(bad.status, 422);
  const { issue } = bad.resource as OperationOutcome;
  assert.deepEqual(
    issue.map(({ expression }) => expression?.[0]),
    ['Consent.status', 'Consent.provision.dataPeriod'],
  );
  const nobody = await ask('POST', '', {
    body: consent({ patient: { reference: 'Patient/33333333-3333-8333-8333-333333333333' } }),
  });
  assert.deepEqual(
    [nobody.status, (nobody.resource as OperationOutcome).issue[0]?.expression],
    [422, ['Consent.patient']],
  );
  assert.equal((await ask('POST', '', { body: consent({ status: 'inactive' }) })).status, 422);
  assert.equal((await ask('POST', '', { body: '{"resourceType":' })).status, 400);
  assert.equal((await ask('POST', '', { body: 'x', headers: { 'Content-Type': 'text/plain' } })).status, 415);
  assert.equal(
    (await ask('POST', '', { body: `{"resourceType":"Consent","x":"${'x'.repeat(300_000)}"}` })).status,
    413,
  );
  assert.equal((await ask('GET', '?patient=nobody')).status, 400);
  assert.equal((await ask('GET', '?date=never')).status, 400);
  assert.equal((await ask('GET', '?actor=x', { headers: { Prefer: 'handling=strict' } })).status, 400);
});

test('who may: the app all, a hospital and its doctors their own, operators and auditors none; refusals are audited', async () => {
  await hub.letFeedRecord(PERSON);
  const made = (await ask('POST', '', { as: 'hospital-feed', body: consent() })).resource as Consent;
  assert.ok(made.organization?.[0]?.identifier?.value, 'recorded for the hospital of the feed');
  const person = (name: string): Call => ({ headers: { 'X-Test-Person': name } });
  assert.equal((await ask('GET', `/${made.id ?? ''}`, { as: 'hospital-feed' })).status, 200);
  assert.equal((await ask('GET', `/${made.id ?? ''}`, person('doctor'))).status, 404);
  const found = (await ask('GET', `?patient=${PERSON}`, person('doctor'))).resource as Bundle;
  assert.deepEqual([found.total, found.entry], [undefined, undefined], 'not even how many');
  const doctor = { 'X-Test-Person': 'doctor' };
  assert.equal((await ask('POST', '', { body: consent(), headers: doctor })).status, 422, 'no patient of the doctor');
  const body = consent({ patient: { reference: `Patient/${OWN}` } });
  const own = (await ask('POST', '', { body, headers: doctor })).resource as Consent;
  assert.equal(own.organization?.[0]?.identifier?.value, 'HOSPITAL2');
  assert.equal((await ask('PUT', `/${own.id ?? ''}`, { as: 'hospital-feed', body: consent() })).status, 404);
  for (const call of [{ as: 'operator' }, person('auditor')] as const) {
    assert.equal((await ask('GET', `/${made.id ?? ''}`, call)).status, 403);
    assert.equal((await ask('POST', '', { ...call, body: consent() })).status, 403);
  }
  const refused = (await hub.audit.list({ action: 'refuse', face: 'fhir' }, { limit: 10 })).items;
  assert.ok(refused.length >= 4 && refused.every(({ reason }) => (reason ?? '') !== ''));
  assert.equal((await ask('GET', '', { as: null })).status, 401);
});
