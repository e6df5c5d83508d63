/**
 * Laws of persons through PostgreSQL, over random histories: the order of arrival does not matter, a merge that is parted
 * or taken back leaves what was, and no history loses an exam.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { residentCheck, type HubId } from '../../hub/core/identifier.ts';
import type { CanonicalRecord } from '../../hub/core/record.ts';
import {
  exam,
  OPERATOR,
  patientOf,
  personHub,
  recordId,
  registration,
  type PersonHub,
  type Told,
} from '../support/person-hub.ts';

let hub: PersonHub;
before(async () => {
  hub = await personHub();
});

const numbered = (first17: string): string => first17 + residentCheck(first17);
/** Few names, dates and numbers, so that histories are full of resemblance and contradiction. */
const PEOPLE: readonly Told[] = [
  {
    name: '张晓梅',
    sex: 'female',
    birthDate: '1980-03-15',
    phone: '13812345678',
    residentId: numbered('21010219800315122'),
  },
  { name: '张晓梅', sex: 'female', birthDate: '1980-03-15', phone: '13812345678' },
  { name: '张小梅', sex: 'female', birthDate: '1980-03-15', residentId: numbered('21010219800315122') },
  { name: '张晓梅', sex: 'female', birthDate: '1980-03-15', residentId: numbered('21010219800315142') },
  { name: '李雷', sex: 'male', birthDate: '1975-01-02', phone: '13900000001' },
  { name: '李雷', sex: 'male', birthDate: '1975-01-02' },
];
const SITES = ['h1', 'h2', 'h3'];

interface Step {
  readonly site: string;
  readonly value: string;
  readonly person: number;
  readonly minute: number;
}
const step: fc.Arbitrary<Step> = fc.record({
  site: fc.constantFrom(...SITES),
  value: fc.constantFrom('A', 'B', 'C'),
  person: fc.nat(PEOPLE.length - 1),
  minute: fc.nat(50),
});

/** One registration each, since what a second message about one number says may be refused as another's. */
const messages = (steps: readonly Step[]): CanonicalRecord[] => {
  const once = new Map(steps.map((one) => [`${one.site}${one.value}`, one]));
  return [...once.values()].flatMap(({ site, value, person, minute }) => [
    registration(site, value, PEOPLE[person] ?? {}, minute),
    exam(site, value, `${site}${value}`),
  ]);
};

async function exams(): Promise<readonly string[]> {
  const { rows } = await hub.database.pool.query<{ key: string }>(
    `select p.local_id || ':' || e.accession as key from exam e join patient_record p using (record_id)
     join person o on o.person_id = p.person_id and o.replaced_by is null order by 1`,
  );
  return rows.map((row) => row.key);
}

const doubts = async (): Promise<readonly unknown[]> =>
  (
    await hub.database.pool.query(
      `select record_ids, veto from review where kind = 'identity' and state = 'open' order by id`,
    )
  ).rows;

test('who is one person, and what is in doubt, does not depend on the order of arrival', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 9 }), fc.nat(), async (steps, seed) => {
      const told = messages(steps);
      await hub.wipe();
      await hub.send(...told);
      const [persons, open] = [await hub.partition(), await doubts()];
      const shuffled = [...told].sort((a, b) => order(a, seed) - order(b, seed));
      await hub.wipe();
      for (const one of shuffled) await hub.send(one);
      assert.deepEqual(await hub.partition(), persons);
      assert.deepEqual(await doubts(), open);
    }),
    { numRuns: 25 },
  );
});

const order = (record: CanonicalRecord, seed: number): number => {
  const text = JSON.stringify(record) + String(seed);
  return Array.from(text).reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 1_000_003, 7);
};

type Act =
  | { readonly kind: 'arrive'; readonly step: Step }
  | { readonly kind: 'merge' | 'split' | 'undo' | 'hospital-merge' | 'unlink'; readonly a: number; readonly b: number };
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: step.map((one): Act => ({ kind: 'arrive', step: one })) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'merge' as const,
        'split' as const,
        'undo' as const,
        'hospital-merge' as const,
        'unlink' as const,
      ),
      a: fc.nat(20),
      b: fc.nat(20),
    }),
  },
);

async function records(): Promise<{ id: HubId; site: string; value: string; person: HubId }[]> {
  const { rows } = await hub.database.pool.query<{ id: HubId; site: string; value: string; person: HubId }>(
    'select record_id as id, site, local_id as value, person_id as person from patient_record order by record_id',
  );
  return rows;
}

const by = { caller: OPERATOR, reason: 'property' };

async function perform(one: Act, minute: number, stack: { person: HubId; decision: string }[]): Promise<void> {
  if (one.kind === 'arrive') {
    await hub.send(...messages([one.step]));
    return;
  }
  const all = await records();
  const [x, y] = [all[one.a % Math.max(all.length, 1)], all[one.b % Math.max(all.length, 1)]];
  if (x === undefined || y === undefined) return;
  if (one.kind === 'hospital-merge' || one.kind === 'unlink') {
    if (x.site !== y.site) return;
    const at = `2026-03-02T08:${String(minute).padStart(2, '0')}:00.000Z`;
    const [survivor, victim] = [patientOf(x.site, x.value), patientOf(y.site, y.value)];
    const site = registration(x.site, x.value, {}).site;
    await hub.send(
      one.kind === 'unlink'
        ? { kind: 'link', site, at, one: survivor, other: victim, linked: false }
        : { kind: 'merge', site, at, survivor, victim },
    );
    return;
  }
  if (one.kind === 'undo') {
    const last = stack.pop();
    if (last !== undefined) await hub.desk.undo(last.person, last.decision, by);
    return;
  }
  const done =
    one.kind === 'merge' ? await hub.desk.merge(x.person, y.person, by) : await hub.desk.split(x.person, [x.id], by);
  if (done.ok) stack.push({ person: done.value.persons[0] ?? x.person, decision: done.value.decision.decisionId });
}

test('no history loses an exam, and a merge that is taken back leaves what was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 3, maxLength: 14 }), async (acts) => {
      await hub.wipe();
      const stack: { person: HubId; decision: string }[] = [];
      for (const [minute, one] of acts.entries()) await perform(one, minute, stack);
      const all = await records();
      const arrived = new Set(
        acts.flatMap((one) => (one.kind === 'arrive' ? [`${one.step.value}:${one.step.site}${one.step.value}`] : [])),
      );
      assert.deepEqual(await exams(), [...arrived].sort(), 'every exam is found under a person that stands');
      const [x, y] = [all[0], all.find((one) => one.person !== all[0]?.person)];
      if (x === undefined || y === undefined) return;
      const before = await hub.partition();
      const merged = await hub.desk.merge(x.person, y.person, by);
      if (!merged.ok) {
        assert.deepEqual(await hub.partition(), before, 'what was refused changed nothing');
        return;
      }
      const undone = await hub.desk.undo(x.person, merged.value.decision.decisionId, by);
      assert.ok(undone.ok, JSON.stringify(undone));
      assert.deepEqual(await hub.partition(), before);
      assert.deepEqual(await hub.personOf(y.id), y.person, 'under its own name again');
    }),
    { numRuns: 30 },
  );
});

test('two hospitals that register one person at once see each other', async () => {
  for (let round = 0; round < 8; round++) {
    await hub.wipe();
    const told = Array.from({ length: 6 }, (_, n) => registration(`h${String(n + 1)}`, 'A', PEOPLE[0] ?? {}));
    for (const one of told) await hub.accept(one);
    // Each drains on its own connection; the entries are of different lines, so all are claimed side by side.
    hub.ingest.start(4, 20);
    await Promise.all(told.map(() => hub.ingest.drain()));
    await hub.ingest.stop();
    await hub.ingest.drain();
    assert.equal((await hub.partition()).length, 1, `round ${String(round)}`);
  }
});

test('a decision and an arrival at once end as if one had come after the other', async () => {
  for (let round = 0; round < 6; round++) {
    await hub.wipe();
    await hub.send(registration('h1', 'A', PEOPLE[0] ?? {}), registration('h2', 'A', PEOPLE[4] ?? {}));
    const [a, b] = [recordId('h1', 'A'), recordId('h2', 'A')];
    await hub.accept(registration('h3', 'A', PEOPLE[0] ?? {}, 5));
    const [merged] = await Promise.all([
      hub.desk.merge(await hub.personOf(a), await hub.personOf(b), by),
      hub.ingest.drain(),
    ]);
    await hub.ingest.drain();
    const expected = merged.ok ? 1 : 2;
    assert.equal((await hub.partition()).length, expected, JSON.stringify(merged));
  }
});
