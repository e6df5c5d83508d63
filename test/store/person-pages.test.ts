/** Pages, `_include` and `_revinclude` of FHIR while persons are joined and parted between one page and the next. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Patient, ServiceRequest } from 'fhir/r4.js';
import { included } from '../../hub/api/fhir/include.ts';
import type { StoredVersion } from '../../hub/core/fhir.ts';
import type { HubId } from '../../hub/core/identifier.ts';
import { exam, OPERATOR, personHub, recordId, registration, type PersonHub } from '../support/person-hub.ts';

let hub: PersonHub;
before(async () => {
  hub = await personHub();
});

const by = { caller: OPERATOR, reason: '本人到院核实' };
const PATIENT = { source: 'ServiceRequest', param: 'patient', target: null, iterate: false } as const;

const about = (person: HubId): Promise<readonly string[]> =>
  hub.fhir.search({
    type: 'ServiceRequest',
    criteria: [{ kind: 'tokens', any: [`patient=Patient/${person}`], negate: false, selective: true }],
    sort: [],
    limit: 100,
  });
const subjects = (page: readonly StoredVersion[]): readonly string[] => [
  ...new Set(page.map((one) => (one.body as ServiceRequest).subject.reference ?? '')),
];
const patientsBeside = async (page: readonly StoredVersion[]): Promise<readonly string[]> =>
  (await included(hub.fhir, page, [PATIENT], [])).versions.map(({ id }) => id);

test('pages that were begun before a merge go on as the person of today, with one Patient beside them, and back', async () => {
  await hub.send(registration('h1', 'A', { name: '张晓梅', birthDate: '1980-03-15' }));
  await hub.send(registration('h2', 'B', { name: '李雷', birthDate: '1975-01-02' }));
  for (let n = 0; n < 12; n++) await hub.accept(exam('h1', 'A', `A${String(n)}`));
  for (let n = 0; n < 3; n++) await hub.accept(exam('h2', 'B', `B${String(n)}`));
  await hub.ingest.drain();
  const [a, b] = [await hub.personOf(recordId('h1', 'A')), await hub.personOf(recordId('h2', 'B'))];
  const [ofA, ofB] = [await about(a), await about(b)];
  assert.deepEqual([ofA.length, ofB.length], [12, 3]);
  const first = await hub.fhir.fetch('ServiceRequest', ofB.slice(0, 1));
  assert.deepEqual([subjects(first), await patientsBeside(first)], [[`Patient/${b}`], [b]]);

  const merged = await hub.desk.merge(a, b, by);
  assert.ok(merged.ok, JSON.stringify(merged));
  const rest = await hub.fhir.fetch('ServiceRequest', ofB.slice(1));
  assert.equal(rest.length, 2, 'no page loses a resource');
  assert.deepEqual([subjects(rest), await patientsBeside(rest)], [[`Patient/${a}`], [a]]);
  const all = [...ofA, ...ofB].sort();
  for (const name of [a, b]) {
    assert.deepEqual([...(await about(name))].sort(), all, 'either name asks for the whole person');
    const patient = await hub.fhir.fetch('Patient', [name]);
    assert.equal((patient[0]?.body as Patient).active, name === a);
    const behind = await included(hub.fhir, patient, [], [PATIENT]);
    assert.deepEqual(behind.versions.map(({ id }) => id).sort(), all, 'and so does what refers to it');
  }
  const both = await included(hub.fhir, await hub.fhir.fetch('Patient', [a, b]), [], [PATIENT]);
  assert.equal(both.versions.length, all.length, 'each once, where both names are on the page');
  const chained = await hub.fhir.search({
    type: 'Patient',
    criteria: [{ kind: 'ids', any: subjects(await hub.fhir.fetch('ServiceRequest', all)).map((one) => one.slice(8)) }],
    sort: [],
    limit: 10,
  });
  assert.deepEqual(chained, [a]);

  assert.ok((await hub.desk.undo(a, merged.value.decision.decisionId, by)).ok);
  const again = await hub.fhir.fetch('ServiceRequest', ofB);
  assert.deepEqual([subjects(again), await patientsBeside(again)], [[`Patient/${b}`], [b]]);
  assert.deepEqual([...(await about(a))].sort(), [...ofA].sort());
});
