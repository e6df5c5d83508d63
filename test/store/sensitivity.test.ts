/** Labels of sensitivity by rule and by hand, as the access desk sees them: exams of after a rule, of before it, and in between. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { HubId } from '../../hub/core/identifier.ts';
import type { SensitivityRuleTerms } from '../../hub/core/sensitivity.ts';
import { createLabelStep, createSensitivityDesk } from '../../hub/store/sensitivity.ts';
import { createSubjectIndex } from '../../hub/store/subject-index.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';

let fresh: FreshDatabase;
const clock = (): Date => new Date();
const id = (n: number): string => `00000000-0000-5000-8000-${String(n).padStart(12, '0')}`;
before(async () => {
  fresh = await freshDatabase();
  await fresh.database.pool.query(`insert into person (person_id) values ($1)`, [id(1)]);
  for (const [n, site] of [
    [1, 'h1'],
    [2, 'h2'],
  ] as const)
    await fresh.database.pool.query(
      `insert into patient_record (record_id, site, authority, local_id, person_id, facts) values ($1, $2, 'a', 'P', $3, '{}')`,
      [id(n), site, id(1)],
    );
});

const desk = () => createSensitivityDesk({ database: fresh.database, clock });
const coded = (code: string): unknown => ['2|t|00|x', { code, system: 'urn:x', display: '' }];

/** An exam of h1 (record 1) or h2 (record 2) whose order says this. */
async function exam(n: number, record: 1 | 2, order: Record<string, unknown>): Promise<string> {
  const facts = { orders: [{ keys: [], facts: order }], studies: {}, reports: [] };
  await fresh.database.pool.query(
    `insert into exam (record_id, exam_id, site, facts, cancelled, has_order, has_report, has_images)
     values ($1, $2, $3, $4, false, true, false, false)`,
    [id(record), id(n), `h${String(record)}`, JSON.stringify(facts)],
  );
  return id(n);
}
const labels = async (examId: string): Promise<readonly string[]> =>
  (await createSubjectIndex({ database: fresh.database, affinityDomainOid: '2.999' }).ofExams([examId as HubId])).get(
    examId as HubId,
  )?.exam?.labels ?? [];
const rule = (terms: Partial<SensitivityRuleTerms>): SensitivityRuleTerms => ({
  ...{ field: 'requestingDepartment', code: '1401', label: 'psychiatry', site: null, reason: '精神科' },
  ...terms,
});
async function sweep(piece = 2): Promise<number> {
  let all = 0;
  for (let done = piece; done === piece; all += done)
    done = await createLabelStep({ database: fresh.database, clock })(piece);
  return all;
}

test('a rule labels what comes after it at once, and what was there piece by piece; taken away, so are its labels', async () => {
  const old = [
    await exam(101, 1, { requestingDepartment: coded('1401') }),
    await exam(102, 2, { requestingDepartment: coded('1401') }),
  ];
  const other = await exam(103, 1, { requestingDepartment: coded('0101') });
  const made = await desk().addRule(rule({}), 'sec');
  assert.ok(made.ok);
  const fresher = await exam(104, 1, { requestingDepartment: coded('1401') });
  assert.deepEqual(await labels(fresher), ['psychiatry']);
  assert.deepEqual(await labels(old[0] ?? ''), [], 'not yet');
  assert.equal((await desk().rules()).sweep.endedAt, null);
  assert.equal(await sweep(), 4);
  for (const one of old) assert.deepEqual(await labels(one), ['psychiatry']);
  assert.deepEqual(await labels(other), []);
  const { sweep: done } = await desk().rules();
  assert.ok(done.endedAt !== null && done.exams === 4);
  const twice = await desk().addRule(rule({}), 'sec');
  assert.equal(twice.ok ? '' : twice.problem.code, 'conflict');
  assert.ok((await desk().removeRule(made.value.ruleId)).ok);
  await sweep();
  assert.deepEqual(await labels(fresher), []);
  const gone = await desk().removeRule(made.value.ruleId);
  assert.equal(gone.ok ? '' : gone.problem.code, 'not-found');
});

test('rules speak of a class, of one hospital alone, and of a whole hospital', async () => {
  await desk().addRule(rule({ field: 'modality', code: 'MG', label: 'reproduction' }), 'sec');
  await desk().addRule(rule({ field: 'procedure', code: 'X1', label: 'hiv', site: 'h2' as never }), 'sec');
  const class1 = await exam(201, 1, { modality: ['2|t|00|x', 'MG'] });
  const here = await exam(202, 1, { procedure: coded('X1') });
  const there = await exam(203, 2, { procedure: coded('X1') });
  assert.deepEqual([await labels(class1), await labels(here), await labels(there)], [['reproduction'], [], ['hiv']]);
  await desk().addRule(rule({ field: 'site', code: 'h2', label: 'addiction' }), 'sec');
  await sweep();
  assert.deepEqual([...(await labels(there))].sort(), ['addiction', 'hiv']);
  assert.deepEqual(await labels(here), []);
});

test('a rule waits for exams that are being written, so that none stays without its label', async () => {
  const { database } = fresh;
  const facts = JSON.stringify({
    orders: [{ keys: [], facts: { diagnosis: coded('B20') } }],
    studies: {},
    reports: [],
  });
  const ruled: { state: string } = { state: 'waits' };
  let ruling: Promise<unknown> = Promise.resolve();
  await database.transaction(async (connection) => {
    await connection.query(
      `insert into exam (record_id, exam_id, site, facts, cancelled, has_order, has_report, has_images)
       values ($1, $2, 'h1', $3, false, true, false, false)`,
      [id(1), id(301), facts],
    );
    ruling = desk()
      .addRule(rule({ field: 'diagnosis', code: 'B20', label: 'hiv' }), 'sec')
      .then(() => (ruled.state = 'stands'));
    // The rule is in its queue for the lock before this transaction ends.
    for (let waits = 0; waits === 0;) {
      const { rows } = await database.pool.query<{ n: number }>(
        `select count(*)::int as n from pg_locks where not granted and mode = 'ShareLock'`,
      );
      waits = rows[0]?.n ?? 0;
    }
    assert.equal(ruled.state, 'waits');
  });
  await ruling;
  await sweep();
  assert.deepEqual(await labels(id(301)), ['hiv']);
});

test('labels by hand are set, kept by rules, and taken away by hand alone', async () => {
  const one = await exam(401, 1, { requestingDepartment: coded('7777') });
  const set = await desk().setLabels(one, ['vip', 'genetics'], { id: 'sec', reason: '保健对象' });
  assert.deepEqual(
    set?.labels.map(({ label, source, setBy, reason }) => [label, source, setBy, reason]),
    [
      ['genetics', 'hand', 'sec', '保健对象'],
      ['vip', 'hand', 'sec', '保健对象'],
    ],
  );
  await desk().addRule(rule({ code: '7777', label: 'std' }), 'sec');
  await sweep();
  const changed = await desk().setLabels(one, ['vip'], { id: 'sec', reason: '误标' });
  assert.deepEqual(
    changed?.labels.map(({ label, source }) => `${label} ${source}`),
    ['std rule', 'vip hand'],
  );
  assert.equal(changed.personId, id(1));
  assert.equal(await desk().labelsOf(id(999)), null);
  assert.equal(await desk().setLabels('x', [], { id: 'sec', reason: '' }), null);
});
