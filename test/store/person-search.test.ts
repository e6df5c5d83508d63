/** Finding persons: each way finds whom it should and nobody else, through its index, whatever stands around it. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { PersonQuestion } from '../../hub/core/clinical.ts';
import { createMatching } from '../../hub/core/match/matcher.ts';
import { createExamHistory, EXAMS_OF_PERSON } from '../../hub/store/exam-history.ts';
import { createPersonSearch, MARKS, personStatement } from '../../hub/store/person-search.ts';
import { romanise } from '../../mappings/romanise.ts';
import { exam, personHub, recordId, registration } from '../support/person-hub.ts';
import type { PersonHub } from '../support/person-hub.ts';
import { DERIVE } from '../support/scenario.ts';
import { vaultOf } from '../../hub/store/database.ts';

const matching = createMatching(romanise);
const RESIDENT = '210102198003151239';
let hub: PersonHub;

before(async () => {
  hub = await personHub();
  const told = { name: '张三', sex: 'male', birthDate: '1980-03-15', phone: '13800001111' } as const;
  await hub.send(
    registration('h1', 'P1', { ...told, residentId: RESIDENT }),
    registration('h2', 'Q1', { ...told, residentId: RESIDENT, phone: '010-8888 7777' }, 2),
    registration('h1', 'P2', { ...told, sex: 'female', name: '李四', birthDate: '1980-03-15', phone: '13900002222' }),
    // The same name and birth date: another person, as far as anybody knows.
    registration('h3', 'R1', { name: '张三', sex: 'female', birthDate: '1980-03-15' }),
    exam('h1', 'P1', 'CT1'),
    exam('h2', 'Q1', 'DX1', '2026-04-01T09:00:00.000Z'),
  );
  await around(20_000);
});

/** Strangers, so that a plan has something to choose from. */
async function around(many: number): Promise<void> {
  const { pool } = hub.database;
  await pool.query(
    `insert into patient_record (record_id, site, authority, local_id, person_id, facts, resident_id, sex, birth_date)
     select gen_random_uuid(), 'h1', 'x', 'S' || k, gen_random_uuid(), '{}', 'S' || k, 'male',
       to_char(date '1930-01-01' + (k * 7919) % 33000, 'YYYY-MM-DD') from generate_series(1, $1::int) k`,
    [many],
  );
  await pool.query(
    `insert into patient_name (record_id, key) select record_id, case when right(local_id, 1) = '0' then '张三' else '王' || local_id end
     from patient_record where authority = 'x'`,
  );
  await pool.query(
    `insert into match_key (record_id, key) select record_id, hashtextextended('ph|' || local_id, 21) from patient_record where authority = 'x'`,
  );
  await pool.query(
    `insert into match_record (record_id, features) select record_id, '{"phones": []}' from patient_record where authority = 'x'`,
  );
  await pool.query(
    `insert into exam (record_id, exam_id, site, facts, cancelled, has_order, has_report, has_images)
     select record_id, gen_random_uuid(), site, '{}', false, false, false, false from patient_record where authority = 'x'`,
  );
  await pool.query(
    `insert into exam_key (site, kind, value, record_id, exam_id) select site, 'accession', 'A' || exam_id, record_id, exam_id from exam
     on conflict do nothing`,
  );
  await pool.query(
    `insert into study (record_id, study_uid, study_id, exam_id, site, availability)
     select record_id, '2.25.' || row_number() over (), gen_random_uuid(), exam_id, site, 'complete' from exam`,
  );
  await pool.query('analyze');
}

const SITES = ['h1', 'h2', 'h3'];
const WAYS: readonly (readonly [string, PersonQuestion, readonly string[], string])[] = [
  ['resident ID', { by: 'resident-id', residentId: RESIDENT }, ['P1'], 'patient_record_by_resident'],
  ['patient number', { by: 'number', number: 'Q1', sites: SITES }, ['P1'], 'patient_record_by_local'],
  ['exam number', { by: 'number', number: 'DX1', sites: SITES }, ['P1'], 'exam_key_pkey'],
  ['phone', { by: 'phone', phone: '+86 138 0000 1111' }, ['P1'], 'match_key_by_key'],
  ['land line', { by: 'phone', phone: '01088887777' }, ['P1'], 'match_key_by_key'],
  ['name and birth date', { by: 'name', name: '张三', birthDate: '19800315' }, ['P1', 'R1'], 'patient_record_by_birth'],
  [
    'name, birth date and sex',
    { by: 'name', name: ' 张三 ', birthDate: '19800315', sex: 'female' },
    ['R1'],
    'patient_record_by_birth',
  ],
];
const SITE_OF: Readonly<Record<string, string>> = { P1: 'h1', P2: 'h1', R1: 'h3' };

for (const [what, question, expected, index] of WAYS)
  test(`a person is found by ${what}, through ${index}`, async () => {
    const found = await createPersonSearch({ database: hub.database, matching }).find(question, 50);
    const wanted = await Promise.all(expected.map((local) => hub.personOf(recordId(SITE_OF[local] ?? '', local))));
    assert.deepEqual(found.toSorted(), wanted.toSorted());
    const statement = personStatement(question, { matching, vault: vaultOf(hub.database.pool) }, 50);
    assert.ok(statement);
    await planned(statement.text, statement.values, index);
  });

test('who has no such number, or a number that nobody can have, is nobody', async () => {
  const search = createPersonSearch({ database: hub.database, matching });
  assert.deepEqual(await search.find({ by: 'number', number: 'P', sites: SITES }, 50), []);
  assert.deepEqual(await search.find({ by: 'number', number: 'P1', sites: ['h2'] }, 50), []);
  assert.deepEqual(await search.find({ by: 'phone', phone: '111' }, 50), []);
  assert.deepEqual(await search.find({ by: 'name', name: "张三' or true --", birthDate: '19800315' }, 50), []);
});

test('a list counts exams, and a time line holds them, newest first, each through its index', async () => {
  const search = createPersonSearch({ database: hub.database, matching });
  const person = await hub.personOf(recordId('h1', 'P1'));
  const marks = await search.marks([person], 10);
  assert.deepEqual(
    marks.map(({ site }) => site),
    ['h2', 'h1'],
  );
  const history = createExamHistory({ database: hub.database, derive: DERIVE });
  const exams = await history.examsOf(person, 10);
  assert.deepEqual(exams.map(({ keys }) => keys.accession).toSorted(), ['CT1', 'DX1']);
  assert.deepEqual(
    exams.map(({ personId }) => personId),
    [person, person],
  );
  await planned(MARKS, [[person], 200], 'patient_record_by_person');
  await planned(EXAMS_OF_PERSON, [person, 1_000], 'patient_record_by_person');
});

test('the messages that an exam was made of are told with what became of them', async () => {
  const history = createExamHistory({ database: hub.database, derive: DERIVE });
  const person = await hub.personOf(recordId('h1', 'P1'));
  const view = (await history.examsOf(person, 10)).find(({ keys }) => keys.accession === 'CT1');
  assert.ok(view);
  const origins = await history.origins(view);
  assert.deepEqual(
    origins.map(({ site, state }) => `${String(site)} ${String(state)}`),
    ['h1 applied', 'h1 applied'],
    'its registration and its order, and nothing of the other hospital',
  );
});

interface Plan {
  readonly 'Index Name'?: string;
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly Plan[];
}
const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];

async function planned(text: string, values: readonly unknown[], index: string): Promise<void> {
  const { rows } = await hub.database.pool.query<{ 'QUERY PLAN': readonly { Plan: Plan }[] }>(
    `explain (format json) ${text}`,
    [...values],
  );
  const plan = nodes(rows[0]!['QUERY PLAN'][0]!.Plan);
  const used = plan.flatMap((node) => node['Index Name'] ?? []);
  assert.ok(used.includes(index), used.join(', '));
  const whole = plan.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']);
  assert.deepEqual(whole, [], 'no table is read whole');
}
