/** The life of a person through PostgreSQL: linked, merged, parted, taken back, and never an exam lost or rewritten. */
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { residentCheck } from '../../hub/core/identifier.ts';
import type { Deciding } from '../../hub/core/identity.ts';
import {
  exam,
  OPERATOR,
  personHub,
  recordId,
  registration,
  SECOND,
  type PersonHub,
  type Told,
} from '../support/person-hub.ts';

let hub: PersonHub;
before(async () => {
  hub = await personHub();
});
beforeEach(() => hub.wipe());

const numbered = (first17: string): string => first17 + residentCheck(first17);
const ZHANG: Told = {
  name: '张晓梅',
  sex: 'female',
  birthDate: '1980-03-15',
  phone: '13812345678',
  residentId: numbered('21010219800315122'),
};
const { residentId: _hidden, ...WITHOUT_ID } = ZHANG;
const by = (reason = '家属确认', caller: Deciding['caller'] = OPERATOR): Deciding => ({ caller, reason });

async function counts(): Promise<unknown> {
  const { rows } = await hub.database.pool.query(
    `select (select count(*)::int from exam) as exams, (select count(*)::int from fhir_version where type <> 'Patient') as versions,
       (select count(*)::int from report_version) as reports`,
  );
  return rows[0];
}

const found = async (person: string): Promise<readonly string[]> =>
  [
    ...(await hub.fhir.search({
      type: 'ServiceRequest',
      criteria: [{ kind: 'tokens', any: [`patient=Patient/${person}`], negate: false, selective: true }],
      sort: [],
      limit: 100,
    })),
  ].sort();

test('one valid resident ID at two hospitals is one person, whose file says why', async () => {
  await hub.send(registration('h1', 'A', ZHANG));
  await hub.send(registration('h2', 'B', ZHANG));
  const [a, b] = [recordId('h1', 'A'), recordId('h2', 'B')];
  assert.deepEqual(await hub.partition(), [[a, b].sort()]);
  const file = await hub.desk.person(await hub.personOf(b));
  assert.equal(file?.personId, await hub.personOf(a), 'the person is called after the first registration');
  const [link] = file?.links ?? [];
  assert.equal(link?.says, 'same');
  assert.ok(link?.contributions.some((one) => one.attribute === 'residentId' && one.level === 'equal'));
  assert.equal(file?.survivors.birthDate?.value, '1980-03-15');
  assert.equal(file?.survivors.birthDate?.recordId, a);
});

test('a merge joins the exams for every reader and writes none; its undo parts them again', async () => {
  await hub.send(registration('h1', 'A', { name: '李雷', sex: 'male', birthDate: '1975-01-02' }));
  await hub.send(registration('h2', 'B', { name: '王芳', sex: 'male', birthDate: '1990-07-08' }));
  await hub.send(exam('h1', 'A', 'A1'), exam('h2', 'B', 'B1'));
  const [a, b] = [await hub.personOf(recordId('h1', 'A')), await hub.personOf(recordId('h2', 'B'))];
  assert.notEqual(a, b);
  const before = await counts();
  const merged = await hub.desk.merge(b, a, by());
  assert.ok(merged.ok, JSON.stringify(merged));
  assert.deepEqual(merged.value.persons, [a], 'the older name stays');
  assert.deepEqual(await counts(), before, 'no resource of an exam has a new version');
  const both = await found(a);
  assert.equal(both.length, 2);
  assert.deepEqual(await found(b), both, 'the old id finds the same');
  const shown = await hub.fhir.fetch('ServiceRequest', both);
  assert.deepEqual(
    [...new Set(shown.map((one) => (one.body as { subject?: { reference: string } }).subject?.reference))],
    [`Patient/${a}`],
  );
  assert.equal((await hub.desk.person(b))?.personId, a);
  const patient = await hub.fhir.read('Patient', b);
  assert.equal((patient?.body as { active?: boolean }).active, false);

  const undone = await hub.desk.undo(a, merged.value.decision.decisionId, by());
  assert.ok(undone.ok, JSON.stringify(undone));
  assert.deepEqual([...undone.value.persons].sort(), [a, b].sort());
  assert.deepEqual([(await found(a)).length, (await found(b)).length], [1, 1]);
  assert.deepEqual(await counts(), before);
  const again = await hub.desk.undo(a, merged.value.decision.decisionId, by());
  assert.equal(again.ok ? 'done' : again.problem.code, 'conflict');
});

test('what was parted stays parted when a registration arrives that resembles both', async () => {
  await hub.send(registration('h1', 'A', ZHANG));
  await hub.send(registration('h2', 'B', ZHANG), exam('h2', 'B', 'B1'));
  const [a, b] = [recordId('h1', 'A'), recordId('h2', 'B')];
  const person = await hub.personOf(a);
  const split = await hub.desk.split(person, [b], by('双胞胎姐妹登记成一人'));
  assert.ok(split.ok, JSON.stringify(split));
  const other = await hub.personOf(b);
  assert.notEqual(other, person);
  assert.equal((await found(other)).length, 1, 'the exam goes with its registration');
  await hub.send(registration('h3', 'C', ZHANG, 5), exam('h3', 'C', 'C1'), exam('h2', 'B', 'B2'));
  assert.notEqual(await hub.personOf(b), await hub.personOf(a));
  assert.equal((await found(await hub.personOf(b))).length + (await found(await hub.personOf(a))).length, 3);
  await hub.send(registration('h1', 'A', { ...ZHANG, phone: '13911112222' }, 9));
  assert.notEqual(await hub.personOf(b), await hub.personOf(a), 'nor does a new message about one of them join them');
});

test('the same request twice is one decision', async () => {
  await hub.send(registration('h1', 'A', { name: '李雷', birthDate: '1975-01-02' }));
  await hub.send(registration('h2', 'B', { name: '王芳', birthDate: '1990-07-08' }));
  const [a, b] = [await hub.personOf(recordId('h1', 'A')), await hub.personOf(recordId('h2', 'B'))];
  const asked = { ...by(), requestId: 'r-1' };
  const [first, second] = [await hub.desk.merge(a, b, asked), await hub.desk.merge(a, b, asked)];
  assert.ok(first.ok && second.ok);
  assert.equal(first.value.decision.decisionId, second.value.decision.decisionId);
  const third = await hub.desk.merge(a, b, by());
  assert.equal(third.ok ? 'done' : third.problem.code, 'conflict', 'they are one person already');
});

test('conflicting resident IDs never link by themselves, wait for a person, and need two to join', async () => {
  const other = numbered('21010219800315142');
  await hub.send(registration('h1', 'A', ZHANG), registration('h2', 'B', { ...ZHANG, residentId: other }));
  const [a, b] = [recordId('h1', 'A'), recordId('h2', 'B')];
  assert.equal((await hub.partition()).length, 2);
  const { items } = await hub.reviews.list({ kind: 'identity' }, { limit: 10 });
  const [item] = items;
  assert.equal(items.length, 1);
  assert.equal(item?.veto, 'resident-id-conflict');
  assert.deepEqual([...(item?.records ?? [])].sort(), [a, b].sort());
  const id = item?.reviewId ?? '';
  const sides = await hub.reviews.sides(id);
  assert.equal(sides?.sides.length, 2);
  assert.ok((sides?.comparison?.contributions.length ?? 0) > 3);
  const refused = await hub.desk.merge(await hub.personOf(a), await hub.personOf(b), by());
  assert.equal(refused.ok ? 'done' : refused.problem.code, 'conflict', 'a merge does not go round the two');
  const first = await hub.reviews.decide(id, 'same', by('身份证补办'));
  assert.ok(first.ok);
  assert.deepEqual([first.value.state, first.value.proposal?.decision], ['open', 'same']);
  const alone = await hub.reviews.decide(id, 'same', by('身份证补办'));
  assert.equal(alone.ok ? 'done' : alone.problem.code, 'conflict');
  const second = await hub.reviews.decide(id, 'same', by('核对原件', SECOND));
  assert.ok(second.ok, JSON.stringify(second));
  assert.equal(second.value.state, 'resolved');
  assert.equal(await hub.personOf(a), await hub.personOf(b));
});

test('a doubt that is decided apart does not come back; one that no longer holds closes by itself', async () => {
  await hub.send(registration('h1', 'A', ZHANG), registration('h1', 'B', WITHOUT_ID));
  const open = async (): Promise<string[]> =>
    (await hub.reviews.list({ kind: 'identity' }, { limit: 10, })).items.map((one) => one.reviewId);
  const [id = ''] = await open();
  assert.notEqual(id, '', 'two numbers of one hospital are a doubt, not a link');
  const decided = await hub.reviews.decide(id, 'not-same', by('同名同日生'));
  assert.ok(decided.ok, JSON.stringify(decided));
  assert.deepEqual(await open(), []);
  await hub.send(registration('h1', 'B', { ...WITHOUT_ID, address: { text: '沈阳市和平区' } }, 5));
  assert.deepEqual(await open(), []);
  await hub.send(registration('h1', 'C', WITHOUT_ID, 6));
  assert.ok((await open()).length > 0);
  await hub.send(registration('h1', 'C', { name: '赵铁柱', birthDate: '1931-12-01', phone: '13700000001', sex: 'male' }, 7));
});
