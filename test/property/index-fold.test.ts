/** The law of the index: the same facts in any order, any of them repeated, end in the same state. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { currentReport, isCancelled, isVoided, orderStatus, ordersOf } from '../../hub/core/exam.ts';
import { foldEntry } from '../../hub/core/fold.ts';
import { EMPTY, type Slice } from '../../hub/core/slice.ts';
import type { Uid } from '../../hub/core/identifier.ts';
import { patientView } from '../../hub/core/patient.ts';
import type { CanonicalRecord } from '../../hub/core/record.ts';
import { DERIVE, instance, STORY, STUDY } from '../support/scenario.ts';

function fold(records: readonly { record: CanonicalRecord; n: number }[]): Slice {
  return records.reduce<Slice>((slice, { record, n }) => {
    const step = foldEntry(slice, [{ record, journalId: String(n), tie: `tie-${String(n)}`, forced: false }], DERIVE);
    assert.ok(step.ok, step.ok ? '' : `${step.problem.code} ${step.problem.where ?? ''}`);
    return step.value.slice;
  }, EMPTY);
}

/** Everything but the order of arrivals, which is history and not state. */
const state = (slice: Slice): unknown => ({
  patients: [...slice.patients.values()].sort((a, b) => (a.recordId < b.recordId ? -1 : 1)),
  exams: [...slice.exams.values()].sort((a, b) => (a.examId < b.examId ? -1 : 1)),
});

const numbered = STORY.map((record, n) => ({ record, n }));

test('any order of arrival, with any repetition, ends in one state', () => {
  const expected = state(fold(numbered));
  const anyOrder = fc
    .tuple(
      fc.shuffledSubarray(numbered, { minLength: numbered.length }),
      fc.array(fc.constantFrom(...numbered), { maxLength: 6 }),
    )
    .chain(([all, again]) => fc.shuffledSubarray([...all, ...again], { minLength: all.length + again.length }));
  fc.assert(
    fc.property(anyOrder, (order) => assert.deepEqual(state(fold(order)), expected)),
    { numRuns: 500 },
  );
});

test('the story ends with one exam, the completed order and the revised report', () => {
  const slice = fold(numbered);
  assert.equal(slice.exams.size, 1);
  const [exam] = slice.exams.values();
  assert.ok(exam);
  assert.equal(currentReport(exam)?.content.impression, '右肺上叶结节');
  assert.equal(exam.reports.length, 2);
  assert.deepEqual(exam.orders.map(orderStatus), ['completed']);
  assert.equal(slice.arrivals.length, 3);
});

test('a cancelled order that is sent again stays cancelled', () => {
  const order = STORY.find((record) => record.kind === 'order' && record.keys.accession !== undefined);
  assert.ok(order?.kind === 'order');
  const cancel = { ...order, at: '2026-03-01T09:00:00.000Z', status: 'cancelled' as const };
  const again = { ...order, at: '2026-03-01T10:00:00.000Z', status: 'ordered' as const };
  for (const records of [
    [order, cancel, again],
    [again, order, cancel],
    [cancel, again, order],
  ]) {
    const [exam] = fold(records.map((record, n) => ({ record, n }))).exams.values();
    assert.ok(exam && isCancelled(exam));
  }
});

test('a void by accession number calls the exam off and is no second order, in any order', () => {
  const sent = STORY.find((record) => record.kind === 'order');
  assert.ok(sent?.kind === 'order');
  const order = { ...sent, keys: { placer: 'PL9', filler: 'FL9', accession: 'A900' } };
  const about = { ...sent, at: '2026-03-02T09:00:00.000Z', keys: { accession: 'A900' } };
  const voided = { ...about, fields: {}, status: 'cancelled' as const };
  const shown = (...records: CanonicalRecord[]): unknown => {
    const [exam, more] = fold(records.map((record, n) => ({ record, n }))).exams.values();
    assert.ok(exam && more === undefined);
    return [isCancelled(exam), ordersOf(exam).map((one) => [one.keys, orderStatus(one)])];
  };
  const called = [true, [[['filler|FL9', 'placer|PL9'], 'cancelled']]];
  assert.deepEqual(shown(order, voided), called);
  assert.deepEqual(shown(voided, order), called);
  assert.deepEqual(shown(voided), [true, [[['accession|A900'], 'cancelled']]]);
});

test('a void without a study UID covers every study of the exam, those that come later too', () => {
  const first = instance(1);
  const second = { ...first, keys: { ...first.keys, studyUid: `${STUDY}.2` as Uid } };
  const [at, keys] = ['2026-03-02T09:00:00.000Z', { accession: 'A100' }];
  const voided = {
    kind: 'study' as const,
    site: first.site,
    at,
    patient: first.patient,
    keys,
    fields: {},
    voided: true,
  };
  for (const records of [
    [first, second, voided],
    [voided, first, second],
    [first, voided, second],
  ]) {
    const [exam] = fold(records.map((record, n) => ({ record, n }))).exams.values();
    assert.ok(exam && isVoided(exam));
  }
});

test('an exam of one patient never takes a message about another', () => {
  const slice = fold(numbered);
  for (const record of STORY) {
    if (!('keys' in record)) continue;
    const other = { ...record, patient: { authority: '2.999.156.1.1', value: 'P0002' } };
    const step = foldEntry(slice, [{ record: other, journalId: '99', tie: 'x', forced: false }], DERIVE);
    assert.equal(step.ok ? 'applied' : step.problem.code, 'patient-mismatch');
  }
});

test('a patient who changes sex goes to a person, not into the record', () => {
  const slice = fold(numbered);
  const [registration] = STORY;
  assert.ok(registration?.kind === 'patient');
  const changed = { ...registration, at: '2026-04-01T00:00:00.000Z', fields: { sex: 'female' as const } };
  const step = foldEntry(slice, [{ record: changed, journalId: '99', tie: 'x', forced: false }], DERIVE);
  assert.equal(step.ok ? 'applied' : step.problem.code, 'identity-doubt');
});

test('an image header that contradicts the registration decides nothing, whichever came first', () => {
  const [registration] = STORY;
  const image = STORY.find((record) => record.kind === 'instance');
  assert.ok(registration?.kind === 'patient' && image?.kind === 'instance');
  const { identifiers: _none, ...fields } = registration.fields;
  const registered = { ...registration, fields };
  // Somebody chose the wrong patient at the modality: name, sex and resident ID are another person's.
  const wrong = {
    ...image,
    demographics: {
      names: [{ text: 'Zhang San', representation: 'alphabetic' as const }],
      sex: 'female' as const,
      identifiers: [{ authority: '2.16.156.10011.1.3', value: '210102199208050022', type: 'NI' }],
    },
  };
  const fieldsOf = (records: readonly CanonicalRecord[]): unknown =>
    [...fold(records.map((record, n) => ({ record, n }))).patients.values()].map(patientView);
  const expected = fieldsOf([registered, wrong]);
  assert.deepEqual(fieldsOf([wrong, registered]), expected);
  assert.equal(JSON.stringify(expected).includes('210102199208050022'), false);
  const held = fold([{ record: wrong, n: 0 }]);
  const step = foldEntry(held, [{ record: registered, journalId: '9', tie: 'x', forced: false }], DERIVE);
  assert.ok(step.ok);
  assert.deepEqual(
    step.value.findings.map(({ code, where }) => [code, where]),
    [['demographics-differ', 'sex']],
  );
});

test('a draft that comes after the signed report does not displace it, in any order', () => {
  const signed = STORY.filter((record) => record.kind === 'report');
  const [first] = signed;
  assert.ok(first?.kind === 'report');
  const late = '2026-04-02T00:00:00.000Z';
  const draft = {
    ...first,
    at: late,
    status: 'preliminary' as const,
    content: { impression: '草稿', auditedAt: late },
  };
  for (const records of [
    [...STORY, draft],
    [draft, ...STORY],
  ]) {
    const [exam] = fold(records.map((record, n) => ({ record, n }))).exams.values();
    assert.ok(exam);
    assert.equal(currentReport(exam)?.content.impression, '右肺上叶结节');
    assert.equal(exam.reports.length, 3);
  }
});

test('a merge of registrations that contradict each other goes to a person, who may insist', () => {
  const slice = fold(numbered);
  const [registration] = STORY;
  assert.ok(registration?.kind === 'patient');
  const other = { authority: '2.999.156.1.1', value: 'P0002' };
  const woman = { ...registration, patient: other, fields: { sex: 'female' as const } };
  const merge = { kind: 'merge' as const, site: registration.site, at: registration.at };
  const records = { ...merge, survivor: registration.patient, victim: other };
  const apply = (forced: boolean): ReturnType<typeof foldEntry> => {
    const both = foldEntry(slice, [{ record: woman, journalId: '98', tie: 'w', forced: false }], DERIVE);
    assert.ok(both.ok);
    return foldEntry(both.value.slice, [{ record: records, journalId: '99', tie: 'x', forced }], DERIVE);
  };
  const doubted = apply(false);
  assert.equal(doubted.ok ? 'applied' : doubted.problem.code, 'identity-doubt');
  assert.equal(apply(true).ok, true);
});
