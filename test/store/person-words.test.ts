/**
 * Laws of persons through PostgreSQL, where hospitals speak again: merges (A40), links and unlinks (A24, A37), moves (A43),
 * corrected resident IDs, one number used for a second person, and a feed that is replayed. In any order they end the
 * same, and no exam is lost whatever is decided meanwhile.
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
  registration,
  type PersonHub,
  type Told,
} from '../support/person-hub.ts';

let hub: PersonHub;
before(async () => {
  hub = await personHub();
});

const numbered = (first17: string): string => first17 + residentCheck(first17);
const MEI: Told = { name: '张晓梅', sex: 'female', birthDate: '1980-03-15', phone: '13812345678' };
const FORMER = { ...MEI, residentId: numbered('21010219800315122') };
/** The third is the first with her ID corrected; the last is nobody of them. */
const PEOPLE: readonly Told[] = [
  FORMER,
  MEI,
  { ...MEI, residentId: numbered('21010219800315142') },
  { name: '李雷', sex: 'male', birthDate: '1975-01-02', phone: '13900000001' },
];
const STRANGER = 3;
/** Most is said at one hospital, so that words meet. */
const SITES = ['h1', 'h1', 'h1', 'h2'] as const;
const VALUES = ['A', 'B', 'C'] as const;

type Word = 'merge' | 'link' | 'unlink' | 'move';
interface NumberAt {
  readonly site: (typeof SITES)[number];
  readonly value: (typeof VALUES)[number];
}
const numberAt: fc.Arbitrary<NumberAt> = fc.record({
  site: fc.constantFrom(...SITES),
  value: fc.constantFrom(...VALUES),
});
const word: fc.Arbitrary<Word> = fc.constantFrom('merge', 'link', 'unlink', 'move', 'move');

/** What hospital `site` says of two of its numbers at this minute; the later value follows the earlier one. */
function said(kind: Word, { site, value }: NumberAt, other: string, minute: number): CanonicalRecord {
  const at = `2026-03-02T08:${String(minute).padStart(2, '0')}:00.000Z`;
  const of = registration(site, value, {}).site;
  const [one, two] = [value, other].sort().map((each) => patientOf(site, each));
  if (one === undefined || two === undefined) throw new Error('two numbers');
  if (kind === 'merge') return { kind, site: of, at, survivor: one, victim: two };
  if (kind === 'move') return { kind, site: of, at, moved: two, to: one };
  return { kind: 'link', site: of, at, one, other: two, linked: kind === 'link' };
}

interface Registered extends NumberAt {
  readonly person: number;
  readonly corrected: boolean;
}
/** Every number of both hospitals; half of them are of the other one, so that two of a hospital may be one person's. */
const told: fc.Arbitrary<readonly Registered[]> = fc
  .array(fc.record({ person: fc.constantFrom(0, 1, 2, STRANGER, STRANGER, STRANGER), corrected: fc.boolean() }), {
    minLength: 6,
    maxLength: 6,
  })
  .map((all) => all.map((one, at) => ({ ...one, site: at < 3 ? 'h1' : 'h2', value: VALUES[at % 3] ?? 'A' })));

/**
 * What can be told in any order: each number one person's, her ID corrected later where it is she, and words about two
 * numbers that nothing speaks against. A second merge of one number is refused or not by what came first (decisions/0018).
 */
function messages(
  people: readonly Registered[],
  words: readonly (readonly [Word, NumberAt, string])[],
): CanonicalRecord[] {
  const all: CanonicalRecord[] = people.flatMap(({ site, value, person, corrected }, at) => [
    registration(site, value, PEOPLE[person] ?? {}, at),
    exam(site, value, `${site}${value}`),
    ...(corrected && person === 0 ? [registration(site, value, PEOPLE[2] ?? {}, 30 + at)] : []),
  ]);
  const isShe = new Map(people.map((one) => [one.site + one.value, one.person !== STRANGER]));
  const follows = new Map<string, Word>();
  for (const [at, [kind, about, other]] of words.entries()) {
    const [mine, theirs] = [isShe.get(about.site + about.value), isShe.get(about.site + other)];
    if (about.value === other || mine === undefined || mine !== theirs) continue;
    const victim = about.site + ([about.value, other].sort()[1] ?? '');
    // Moves follow each other; a merge stands alone.
    const known = follows.get(victim);
    if ((kind === 'merge' && known !== undefined) || (kind === 'move' && known === 'merge')) continue;
    if (kind === 'merge' || kind === 'move') follows.set(victim, kind);
    all.push(said(kind, about, other, at));
  }
  return all;
}

/** A conflict inside a person is a question about its two numbers, asked of the oldest that carry them (ADR 0018). */
const doubts = async (): Promise<readonly unknown[]> =>
  (
    await hub.database.pool.query<{ about: string[]; veto: string | null }>(
      `select case when count(distinct p.person_id) = 1 then array_agg(p.resident_id order by p.resident_id)
         else array_agg(p.record_id::text order by p.record_id) end as about, r.veto
       from review r join patient_record p on p.record_id = any (r.record_ids)
       where r.kind = 'identity' and r.state = 'open' group by r.id order by 1, 2`,
    )
  ).rows;

async function exams(): Promise<readonly string[]> {
  const { rows } = await hub.database.pool.query<{ key: string }>(
    `select e.accession as key from exam e join patient_record p using (record_id)
     join person o on o.person_id = p.person_id and o.replaced_by is null order by 1`,
  );
  return rows.map((row) => row.key);
}

test('what hospitals say and correct ends the same in any order, told once or told again', async () => {
  const words = fc.array(fc.tuple(word, numberAt, fc.constantFrom(...VALUES)), { minLength: 6, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(told, words, fc.infiniteStream(fc.nat(1_000_000)), async (people, spoken, draw) => {
      const all = messages(people, spoken);
      await hub.wipe();
      await hub.send(...all);
      const [persons, open] = [await hub.partition(), await doubts()];
      const shuffled = all
        .map((one) => ({ one, at: Number(draw.next().value) }))
        .sort((a, b) => a.at - b.at)
        .map(({ one }) => one);
      await hub.wipe();
      for (const one of shuffled) await hub.send(one);
      assert.deepEqual(await hub.partition(), persons);
      assert.deepEqual(await doubts(), open);
      await hub.send(...[...shuffled].reverse());
      assert.deepEqual(await hub.partition(), persons, 'a replay says nothing new');
      assert.deepEqual(await doubts(), open);
      assert.deepEqual(await exams(), people.map(({ site, value }) => site + value).sort());
    }),
    { numRuns: 25 },
  );
});

type Act =
  | { readonly kind: 'arrive'; readonly about: NumberAt; readonly person: number }
  | { readonly kind: 'say'; readonly word: Word; readonly about: NumberAt; readonly other: string }
  | { readonly kind: 'merge' | 'split' | 'undo'; readonly a: number; readonly b: number }
  | { readonly kind: 'replay' };
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('arrive' as const), about: numberAt, person: fc.nat(STRANGER) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('say' as const),
      word,
      about: numberAt,
      other: fc.constantFrom(...VALUES),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('merge' as const, 'split' as const, 'undo' as const),
      a: fc.nat(20),
      b: fc.nat(20),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Act>({ kind: 'replay' }) },
);
const by = { caller: OPERATOR, reason: 'property' };

async function people(): Promise<{ id: HubId; person: HubId }[]> {
  const { rows } = await hub.database.pool.query<{ id: HubId; person: HubId }>(
    'select record_id as id, person_id as person from patient_record order by record_id',
  );
  return rows;
}

async function desk(one: { kind: 'merge' | 'split' | 'undo'; a: number; b: number }, done: string[]): Promise<void> {
  const all = await people();
  const [x, y] = [all[one.a % Math.max(all.length, 1)], all[one.b % Math.max(all.length, 1)]];
  if (x === undefined || y === undefined) return;
  if (one.kind === 'undo') {
    const last = done.pop();
    if (last !== undefined) await hub.desk.undo(x.person, last, by);
    return;
  }
  const result =
    one.kind === 'merge' ? await hub.desk.merge(x.person, y.person, by) : await hub.desk.split(x.person, [x.id], by);
  if (result.ok) done.push(result.value.decision.decisionId);
}

test('no history of arrivals, words, decisions and replays loses an exam, a message, or one side of a comparison', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 16 }), async (acts) => {
      await hub.wipe();
      await hub.database.pool.query('truncate journal, pending, settlement');
      const [sent, done]: [CanonicalRecord[], string[]] = [[], []];
      let count = 0;
      for (const [minute, one] of acts.entries()) {
        if (one.kind === 'arrive') {
          // The same number may be another person's this time: then the registration waits, and its exam stands.
          const { site, value } = one.about;
          sent.push(registration(site, value, PEOPLE[one.person] ?? {}, minute), exam(site, value, `${site}${value}`));
          await hub.send(...sent.slice(-2));
          count += 2;
        } else if (one.kind === 'say') {
          if (one.about.value === one.other) continue;
          sent.push(said(one.word, one.about, one.other, minute));
          await hub.send(...sent.slice(-1));
          count += 1;
        } else if (one.kind === 'replay') {
          await hub.send(...sent);
          count += sent.length;
        } else await desk(one, done);
      }
      const arrived = acts.flatMap((one) => (one.kind === 'arrive' ? [one.about.site + one.about.value] : []));
      assert.deepEqual(await exams(), [...new Set(arrived)].sort(), 'under a person that stands, each once');
      const { rows } = await hub.database.pool.query<{ settled: number; pending: number; odd: number }>(
        `select (select count(*)::int from settlement) as settled, (select count(*)::int from pending) as pending,
           (select count(*)::int from match_pair p where not exists (select from match_pair q where q.record_id = p.other_id
             and q.other_id = p.record_id and q.rules = p.rules and q.weight = p.weight and q.outcome = p.outcome
             and q.veto is not distinct from p.veto)) as odd`,
      );
      assert.deepEqual(rows, [{ settled: count, pending: 0, odd: 0 }]);
    }),
    { numRuns: 25 },
  );
});
