/** The law of visits: what a hospital said of one, in any order and any of it repeated, is one state. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { foldEntry } from '../../hub/core/fold.ts';
import type { VisitFields, VisitRecord } from '../../hub/core/record.ts';
import { EMPTY } from '../../hub/core/slice.ts';
import { siteId } from '../../hub/core/identifier.ts';
import { visitFields } from '../../hub/core/visit.ts';
import { DERIVE } from '../support/scenario.ts';

const told = (minute: number, fields: VisitFields, value = 'V1'): VisitRecord => ({
  ...{ kind: 'visit', site: siteId('h1'), at: `2026-03-01T08:${String(minute).padStart(2, '0')}:00.000Z` },
  patient: { authority: '2.999.156.1.1', value: 'P1' },
  visit: { type: 'VN', authority: '2.999.156.8.1', value },
  fields,
});
const admit = (minute: number): VisitRecord =>
  told(minute, { place: { pointOfCare: 'ICU', bed: '1' }, cancelled: false });
const cancel = (minute: number): VisitRecord => told(minute, { cancelled: true });
const move = (minute: number, bed: string): VisitRecord => told(minute, { place: { pointOfCare: 'ICU', bed } });
const discharge = (minute: number): VisitRecord =>
  told(minute, { dischargedAt: '2026-03-01T08:30:00.000Z', disposition: '01' });
const recall = (minute: number): VisitRecord => told(minute, { dischargedAt: null, disposition: null });

interface Numbered {
  readonly record: VisitRecord;
  readonly n: number;
}

function fold(records: readonly Numbered[]): readonly (readonly [string, VisitFields])[] {
  const slice = records.reduce((at, { record, n }) => {
    const step = foldEntry(at, [{ record, journalId: String(n), tie: `tie-${String(n)}`, forced: false }], DERIVE);
    assert.ok(step.ok);
    return step.value.slice;
  }, EMPTY);
  return [...slice.visits.values()]
    .map((visit) => [visit.ref.value, visitFields(visit)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

const words = fc.oneof(
  ...[admit, cancel, discharge, recall].map((word) => fc.nat(6).map(word)),
  fc.tuple(fc.nat(6), fc.constantFrom('1', '2')).map(([minute, bed]) => move(minute, bed)),
  fc.nat(6).map((minute) => told(minute, { place: { bed: '9' } }, 'V2')),
);

test('any words about visits, in any order and repeated, end in one state', () => {
  const history = fc
    .array(words, { minLength: 1, maxLength: 8 })
    .map((records) => records.map((record, n) => ({ record, n })))
    .chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.array(fc.constantFrom(...all), { maxLength: 4 }).chain((again) => {
          const heard = [...all, ...again];
          return fc.shuffledSubarray(heard, { minLength: heard.length });
        }),
      ),
    );
  fc.assert(
    fc.property(history, ([all, heard]) => assert.deepEqual(fold(heard), fold(all))),
    { numRuns: 1_000 },
  );
});

/** Every order of the words; gives the one state that all of them end in. */
function always(...records: readonly VisitRecord[]): VisitFields | undefined {
  const numbered = records.map((record, n) => ({ record, n }));
  const orders = permutations(numbered).map(fold);
  for (const one of orders) assert.deepEqual(one, orders[0]);
  return orders[0]?.[0]?.[1];
}

const permutations = <T>(all: readonly T[]): T[][] =>
  all.length === 0 ? [[]] : all.flatMap((one, at) => permutations(all.toSpliced(at, 1)).map((rest) => [one, ...rest]));

test('an admission that was called off stays so, whatever arrives late, until it is told anew', () => {
  assert.equal(always(admit(1), move(2, '2'), cancel(3))?.cancelled, true);
  assert.equal(always(admit(1), cancel(3), move(4, '2'))?.cancelled, true, 'a change is no admission');
  assert.equal(always(admit(1), cancel(3), admit(5))?.cancelled, false);
});

test('a discharge that was taken back is none; the next one stands; a place is the last that was told', () => {
  assert.equal(always(admit(1), discharge(2), recall(3))?.dischargedAt, undefined);
  assert.equal(always(admit(1), discharge(2), recall(3), discharge(5))?.disposition, '01');
  assert.equal(always(admit(1), move(2, '2'), move(4, '7'), discharge(3))?.place?.bed, '7');
});
