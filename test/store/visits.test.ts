/** Visits in PostgreSQL: found by index whatever their number, hidden as exams are, and read while persons change. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Caller } from '../../hub/core/access.ts';
import { siteId } from '../../hub/core/identifier.ts';
import type { Demographics, PatientQueries } from '../../hub/core/patient-query.ts';
import type { VisitFields, VisitRecord } from '../../hub/core/record.ts';
import { visitKey, type VisitDemand } from '../../hub/core/visit.ts';
import { createPatientQueries } from '../../hub/flow/patient-queries.ts';
import { createAffinityPatients } from '../../hub/store/affinity-patients.ts';
import { createVisitIndex, visitSearch } from '../../hub/store/visit.ts';
import { identifierSystems } from '../../mappings/fhir/index.ts';
import { accessDesk } from '../support/access.ts';
import { OPERATOR, patientOf, personHub, recordId, registration, type PersonHub } from '../support/person-hub.ts';

const DOMAIN = '2.999.156.1';
let hub: PersonHub;
let queries: PatientQueries;
before(async () => {
  hub = await personHub();
  queries = createPatientQueries({
    store: hub.fhir,
    patients: createAffinityPatients({ database: hub.database, affinityDomainOid: DOMAIN }),
    domains: identifierSystems([DOMAIN]),
    affinityDomainOid: DOMAIN,
    visits: createVisitIndex(hub.database),
  });
});

const visit = (site: string, patient: string, number: string, fields: VisitFields, minute = 1): VisitRecord => ({
  ...{ kind: 'visit', site: siteId(site), at: `2026-03-01T09:${String(minute).padStart(2, '0')}:00.000Z` },
  patient: patientOf(site, patient),
  visit: { type: 'VN', authority: `2.999.156.8.${site}`, value: number },
  fields: { cancelled: false, ...fields },
});
const NOBODY = { numbers: [], names: [], birthDate: null, sex: null, phone: null, address: [] };
const asked = (visits: Partial<VisitDemand>, of = queries): Promise<Demographics> =>
  of.find({ ...NOBODY, visits: { numbers: [], accounts: [], keys: [], ...visits } }, [], {
    ...{ callerId: 'c', tag: 't', limit: 10, each: 'visit' },
  });
const told = (found: Demographics): readonly string[] => {
  assert.equal(found.kind, 'found');
  return found.page.patients.map(({ personId, visit: one }) => `${personId} ${one?.ref.value ?? '-'}`).sort();
};
const numbered = (value: string): Partial<VisitDemand> => ({ numbers: [{ value, authority: null }] });

test('a person’s visits are read under whoever they belong to now: merged, and undone', async () => {
  await hub.send(
    ...[registration('h1', 'M1', { name: '甲一' }, 1), registration('h2', 'M2', { name: '乙二' }, 1)],
    ...[visit('h1', 'M1', 'MV1', {}), visit('h2', 'M2', 'MV2', {})],
  );
  const [one, two] = [await hub.personOf(recordId('h1', 'M1')), await hub.personOf(recordId('h2', 'M2'))];
  assert.notEqual(one, two);
  const merged = await hub.desk.merge(one, two, { caller: OPERATOR, reason: '同一人' });
  assert.ok(merged.ok, JSON.stringify(merged));
  const both = await hub.personOf(recordId('h1', 'M1'));
  assert.deepEqual(told(await asked(numbered('MV1'))), [`${both} MV1`]);
  assert.deepEqual(told(await asked(numbered('MV2'))), [`${both} MV2`]);
  const undone = await hub.desk.undo(both, merged.value.decision.decisionId, { caller: OPERATOR, reason: '弄错了' });
  assert.ok(undone.ok, JSON.stringify(undone));
  assert.deepEqual(told(await asked(numbered('MV2'))), [`${two} MV2`]);
});

test('a visit in a sensitive department, or that a hospital’s patient refused to show, is not there', async () => {
  await hub.send(
    registration('h1', 'S1', { name: '丙三' }, 1),
    visit('h1', 'S1', 'SV1', { place: { pointOfCare: 'W1', department: 'PSY' } }),
    visit('h1', 'S1', 'SV2', { place: { pointOfCare: 'W1' } }),
  );
  const person = await hub.personOf(recordId('h1', 'S1'));
  const platform: Caller = { id: 'p', name: 'p', role: 'query-platform', peer: 'test' };
  const seen = async (): Promise<PatientQueries> => queries.seenBy(await accessDesk(hub.database).sight(platform));
  const inWard = { keys: [visitKey('3.1', 'W1')] };
  assert.deepEqual(told(await asked(inWard, await seen())), [`${person} SV1`, `${person} SV2`]);
  await hub.database.pool.query(
    `insert into sensitivity_rule (field, code, label, created_by) values ('requestingDepartment', 'PSY', 'psychiatry', 'test')`,
  );
  assert.deepEqual(told(await asked(inWard, await seen())), [`${person} SV2`]);
  assert.deepEqual(told(await asked(numbered('SV1'), await seen())), []);
  assert.deepEqual(told(await asked(inWard)), [`${person} SV1`, `${person} SV2`], 'whom nothing is hidden from');
});

test('numbers, accounts and wards are found by their index among many visits, and a patient’s by the patient', async () => {
  const { pool } = hub.database;
  await pool.query(`insert into visit (record_id, visit_id, site, type, authority, number, facts, account, account_authority,
      keys, departments, cancelled, ended, created_at, updated_at)
    select gen_random_uuid(), gen_random_uuid(), 'h1', 'VN', 'a', 'N' || i, '{}', 'A' || i, 'b',
      array['2.1|I', '3.1|W' || (i % 200)], '{}', false, i % 10 > 0, now(), now()
    from generate_series(1, 40000) i`);
  await pool.query(`insert into patient_record (record_id, site, authority, local_id, person_id, facts)
    select record_id, 'h1', 'a', number, gen_random_uuid(), '{}' from visit v
    where not exists (select from patient_record p where p.record_id = v.record_id)`);
  await pool.query('analyze visit, patient_record');
  const none = { numbers: [], accounts: [], keys: [] };
  const one = { value: 'N77', authority: 'a' };
  const { rows } = await pool.query<{ person_id: string }>(
    `select person_id from patient_record where local_id = 'N77'`,
  );
  for (const [demand, persons, index] of [
    [{ ...none, numbers: [one] }, null, 'visit_by_number'],
    [{ ...none, accounts: [{ value: 'A77', authority: null }] }, null, 'visit_by_account'],
    [{ ...none, keys: ['3.1|W20'] }, null, 'visit_open_by_key'],
    [none, rows.map((row) => row.person_id), 'visit_pkey'],
  ] as const) {
    const { text, values } = visitSearch(demand, persons, 100);
    const plan = await pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, [...values]);
    const lines = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
    assert.match(lines, new RegExp(index), lines);
    assert.doesNotMatch(lines, /Seq Scan on (visit|patient_record)/, lines);
  }
  assert.equal((await createVisitIndex(hub.database).find({ ...none, numbers: [one] }, null, 10)).length, 1);
});

test('who asks for more than anybody pages through is told to say more', async () => {
  assert.equal((await asked({ keys: ['2.1|I'] })).kind, 'too-many');
});
