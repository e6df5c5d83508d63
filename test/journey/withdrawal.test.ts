/** ADT^A29 by MLLP: a hospital takes a registration back. It names nobody any more, nothing of it is lost, and it may return. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { foldEntry } from '../../hub/core/fold.ts';
import { siteId } from '../../hub/core/identifier.ts';
import { patientView } from '../../hub/core/patient.ts';
import type { PatientFields, PatientRecord } from '../../hub/core/record.ts';
import { EMPTY } from '../../hub/core/slice.ts';
import { feedHub, H1, type FeedHub } from '../support/feed-hub.ts';
import { DERIVE } from '../support/scenario.ts';

let hub: FeedHub;
before(async () => {
  hub = await feedHub();
});
after(() => hub.close());

const pid = (value: string, name = '郑七'): string => `PID|||${value}^^^&${H1}&ISO^PI||${name}||19750101|M`;
const said = async (type: string, ...segments: readonly string[]): Promise<void> => {
  const answer = await hub.hl7('RIS|H1', type, 'EVN||20260101', ...segments);
  assert.equal(answer.first('MSA')?.text(1), 'AA');
};
const pdq = async (criteria: string): Promise<readonly string[]> => {
  const answer = await hub.hl7('PLATFORM|REGION', 'QBP^Q22^QBP_Q21', `QPD|IHE PDQ Query|T|${criteria}`, 'RCP|I');
  return answer.all('PID').map((one) =>
    one
      .repetitions(3)
      .filter(({ field }) => field.text(4, 2) === H1)
      .map(({ field }) => field.text(1))
      .sort()
      .join('+'),
  );
};

test('a registration that was taken back leaves PIX and PDQ; its exams stay under it, and a new word brings it back', async () => {
  await said('ADT^A04^ADT_A01', pid('G1'));
  const order = ['ORC|NW|PL9', 'OBR|1|PL9|FL9|CT01^CT|||||||||||||||ACC9'];
  await said('ORM^O01', pid('G1'), ...order);
  const exams = async (): Promise<unknown> =>
    (
      await hub.database.pool.query(
        `select e.exam_id, p.person_id from exam e join patient_record p using (record_id) where p.local_id = 'G1'`,
      )
    ).rows;
  const before_ = await exams();
  assert.equal((before_ as unknown[]).length, 1);
  await said('ADT^A29^ADT_A21', pid('G1'));
  assert.equal(await hub.pix('G1', H1), null);
  assert.deepEqual(await pdq('@PID.5.1^郑七'), []);
  assert.deepEqual(await exams(), before_, 'no exam leaves its patient');
  const search = await hub.fetch(`/fhir/ServiceRequest?patient.identifier=urn:oid:${H1}%7CG1`, {
    role: 'query-platform',
  });
  assert.equal(((await search.json()) as { total: number }).total, 1, 'by the number that it was made under');
  await said('ADT^A08', pid('G1'));
  assert.deepEqual(await hub.pix('G1', H1), []);
  assert.deepEqual(await pdq('@PID.5.1^郑七'), ['G1']);
});

test('of a person with two registrations the other one stands and speaks', async () => {
  await said('ADT^A04^ADT_A01', pid('G2', '钱前'));
  await said('ADT^A04^ADT_A01', pid('G3', '孙后'));
  await said('ADT^A24', pid('G2', '钱前'), pid('G3', '孙后'));
  assert.deepEqual(await hub.pix('G3', H1), [`G2 ${H1}`]);
  await said('ADT^A29^ADT_A21', pid('G2', '钱前'));
  assert.deepEqual(await hub.pix('G3', H1), []);
  assert.equal(await hub.pix('G2', H1), null);
  assert.deepEqual(await pdq('@PID.5.1^孙后'), ['G3']);
});

const told = (minute: number, fields: PatientFields): PatientRecord => ({
  ...{ kind: 'patient', site: siteId('h1'), at: `2026-03-01T08:0${String(minute)}:00.000Z` },
  patient: { authority: H1, value: 'G' },
  fields,
});

test('whether it stands is what was said last, in any order of arrival', () => {
  const word = fc.tuple(
    fc.nat(5),
    fc.constantFrom<PatientFields>({ withdrawn: true }, { phone: '1' }, { sex: 'male' }),
  );
  const fold = (records: readonly { readonly record: PatientRecord; readonly n: number }[]): unknown => {
    const slice = records.reduce((at, { record, n }) => {
      const step = foldEntry(at, [{ record, journalId: String(n), tie: `t${String(n)}`, forced: false }], DERIVE);
      assert.ok(step.ok);
      return step.value.slice;
    }, EMPTY);
    return [...slice.patients.values()].map(patientView);
  };
  const history = fc
    .array(word, { minLength: 1, maxLength: 7 })
    .map((words) => words.map(([minute, fields], n) => ({ record: told(minute, fields), n })))
    .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
  fc.assert(
    fc.property(history, ([all, heard]) => {
      const [view] = fold(all) as { withdrawnAt: string | null }[];
      assert.deepEqual(fold(heard), fold(all));
      const last = all
        .toSorted((a, b) => (a.record.at < b.record.at ? -1 : a.record.at > b.record.at ? 1 : a.n - b.n))
        .at(-1);
      assert.equal(view?.withdrawnAt, last?.record.fields.withdrawn === true ? last.record.at : null);
    }),
    { numRuns: 500 },
  );
});
