/**
 * What hospitals get wrong, as HL7 v2 that arrives: nothing is joined that a careful clerk would not join, and why is on
 * the record: a finding of the message, a message that waits, or a question with its comparison.
 */
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { residentCheck, type HubId } from '../../hub/core/identifier.ts';
import { createJournalReader } from '../../hub/store/journal-reader.ts';
import { DERIVE } from '../support/scenario.ts';
import { OPERATOR, personHub, recordId, type PersonHub } from '../support/person-hub.ts';
import { registered as stored } from '../support/stored.ts';

let hub: PersonHub;
before(async () => {
  hub = await personHub();
});
beforeEach(async () => {
  await hub.wipe();
  await hub.database.pool.query('truncate journal, pending, settlement');
});

interface Said {
  readonly site: string;
  readonly number: string;
  readonly name: string;
  readonly id?: string;
  readonly born?: string;
  readonly sex?: 'M' | 'F' | '';
  readonly phone?: string;
  /** Of the event and the message; later ones speak later. */
  readonly at?: string;
}

const numbered = (first17: string): string => first17 + residentCheck(first17);
const LI_LEI = numbered('21010219700412131');
const cx = (site: string, number: string): string => `${number}^^^&2.999.156.9.${site.slice(1)}&ISO^PI`;

const pid = ({ site, number, name, id, born, sex, phone }: Said): string =>
  `PID|1||${cx(site, number)}${id === undefined ? '' : `~${id}^^^^NI`}||${name}||${born ?? ''}|${sex ?? ''}|||||${phone ?? ''}`;

let sequence = 0;
/** GB18030 is not at stake here: UTF-8, declared. */
const er7 = (type: string, at: string, segments: readonly string[]): Buffer =>
  Buffer.from(
    [
      `MSH|^~\\&|RIS|H|HUTONG|P|${at}||${type}|M${String(++sequence)}|P|2.5.1||||||UNICODE UTF-8`,
      `EVN||${at}`,
      ...segments,
      '',
    ].join('\r'),
  );
const registered = (said: Said): Promise<void> =>
  hub.hl7(said.site, er7('ADT^A04^ADT_A01', said.at ?? '20260301080000', [pid(said)]));

interface Case {
  readonly name: string;
  readonly said: readonly Said[];
  readonly persons: number;
  /** `finding where`: at one message at least. */
  readonly finding?: string;
  /** The question that is open; `none` (the default): nobody is asked. */
  readonly doubt?: string;
  /** The problem with which a message waits. */
  readonly waits?: string;
}

const ZHANG = { name: '张伟', sex: 'M' } as const;
const CASES: readonly Case[] = [
  {
    name: 'a dummy ID that two strangers carry',
    said: [
      { site: 'h1', number: 'A', name: '张伟', id: '111111111111111111', born: '19700101', sex: 'M' },
      { site: 'h2', number: 'B', name: '李娜', id: '111111111111111111', born: '19920304', sex: 'F' },
    ],
    persons: 2,
    finding: 'identifier-suspect PID-3[2]',
  },
  {
    name: 'a dummy ID and a common name, and nothing else',
    said: [
      { ...ZHANG, site: 'h1', number: 'A', id: '123456789012345678' },
      { ...ZHANG, site: 'h2', number: 'B', id: '123456789012345678' },
    ],
    persons: 2,
    finding: 'identifier-suspect PID-3[2]',
  },
  {
    name: 'an ID that fails its check, typed wherever one is demanded, and a common name',
    said: [
      { ...ZHANG, site: 'h1', number: 'A', id: '110101199001010000' },
      { ...ZHANG, site: 'h2', number: 'B', id: '110101199001010000' },
    ],
    persons: 2,
    finding: 'identifier-suspect PID-3[2]',
    doubt: 'none or asked',
  },
  {
    name: 'the ID of another person: a wife on her husband’s',
    said: [
      { site: 'h1', number: 'A', name: '李雷', id: LI_LEI, born: '19700412', sex: 'M', phone: '13812345678' },
      { site: 'h2', number: 'B', name: '韩梅梅', id: LI_LEI, born: '19710908', sex: 'F', phone: '13812345678' },
    ],
    persons: 2,
    finding: 'identifier-suspect birthDate',
  },
  {
    name: 'the ID of another person: a son on his father’s, years apart',
    said: [
      { site: 'h1', number: 'A', name: '李雷', id: LI_LEI, born: '19700412', sex: 'M' },
      { site: 'h2', number: 'B', name: '李小雷', id: LI_LEI, born: '20050607', sex: 'M' },
    ],
    persons: 2,
    finding: 'identifier-suspect birthDate',
  },
  {
    name: 'a newborn with the mother’s ID and name',
    said: [
      { site: 'h1', number: 'A', name: '韩梅', id: numbered('21010219950412132'), born: '19950412', sex: 'F' },
      { site: 'h1', number: 'B', name: '韩梅之子', id: numbered('21010219950412132'), born: '20260228', sex: 'M' },
    ],
    persons: 2,
    finding: 'identifier-suspect birthDate',
  },
  {
    name: 'a lone registration whose sex contradicts its ID',
    said: [{ site: 'h1', number: 'A', name: '李雷', id: LI_LEI, born: '19700412', sex: 'F' }],
    persons: 1,
    finding: 'identifier-suspect sex',
  },
  {
    name: 'a lone registration whose birth date contradicts its ID',
    said: [{ site: 'h1', number: 'A', name: '李雷', id: LI_LEI, born: '19880412', sex: 'M' }],
    persons: 1,
    finding: 'identifier-suspect birthDate',
  },
  {
    name: 'a half-garbled name of one birthday',
    said: [
      { site: 'h1', number: 'A', name: '王小明', born: '19850617', sex: 'M', phone: '13812345678' },
      { site: 'h2', number: 'B', name: '王??', born: '19850617', sex: 'M', phone: '13900000001' },
    ],
    persons: 2,
    doubt: 'none or asked',
  },
  {
    name: 'a name of which nothing is left',
    said: [
      { site: 'h1', number: 'A', name: '???', born: '19850617', sex: 'M' },
      { site: 'h2', number: 'B', name: '???', born: '19850617', sex: 'M' },
    ],
    persons: 2,
    doubt: 'none or asked',
  },
  {
    name: 'a local number that a second person got',
    said: [
      { site: 'h1', number: 'A', name: '李雷', id: LI_LEI, born: '19700412', sex: 'M' },
      { site: 'h1', number: 'A', name: '韩梅梅', born: '19910908', sex: 'F', at: '20260302080000' },
    ],
    persons: 1,
    waits: 'identity-doubt sex',
  },
  {
    name: 'a local number that a second man got',
    said: [
      { site: 'h1', number: 'A', name: '李雷', id: LI_LEI, born: '19700412', sex: 'M' },
      { site: 'h1', number: 'A', name: '张伟', born: '19910908', sex: 'M', at: '20260302080000' },
    ],
    persons: 1,
    waits: 'identity-doubt birthDate',
  },
  {
    name: 'a local number that a second man got, of whom nothing but the name is told',
    said: [
      { site: 'h1', number: 'A', name: '李雷', sex: 'M', born: '19700412' },
      { site: 'h1', number: 'A', name: '张伟', sex: 'M', at: '20260302080000' },
    ],
    persons: 1,
    finding: 'demographics-differ name',
  },
];

const journal = () =>
  createJournalReader({
    database: hub.database,
    derive: DERIVE,
    clock: () => new Date(),
    arrived: () => undefined,
  });

async function findings(): Promise<readonly string[]> {
  const { rows } = await hub.database.pool.query<{ told: string }>(
    `select (f ->> 'code') || ' ' || (f ->> 'where') as told from settlement, jsonb_array_elements(findings) f`,
  );
  return rows.map((row) => row.told);
}

for (const one of CASES)
  test(one.name, async () => {
    for (const said of one.said) await registered(said);
    assert.equal((await hub.partition()).length, one.persons);
    if (one.finding !== undefined) assert.ok((await findings()).includes(one.finding), String(await findings()));
    const open = (await hub.reviews.list({ state: 'open' }, { limit: 10 })).items;
    const asked = open.filter(({ kind }) => kind === 'identity');
    if (one.doubt === undefined)
      assert.deepEqual(
        asked.map(({ veto, weight }) => ({ veto, weight })),
        [],
      );
    else if (one.doubt !== 'none or asked')
      assert.deepEqual(
        asked.map(({ veto }) => veto),
        [one.doubt],
      );
    for (const { reviewId } of asked) {
      const sides = await hub.reviews.sides(reviewId);
      assert.ok((sides?.comparison?.contributions.length ?? 0) > 0, 'the question keeps why it is asked');
    }
    const waiting = open.flatMap(({ kind, problem }) =>
      kind === 'message' ? [`${problem.code} ${problem.where ?? ''}`] : [],
    );
    assert.deepEqual(waiting, one.waits === undefined ? [] : [one.waits]);
  });

test('an order of the second person of a number waits with the registration: it is not filed under the first', async () => {
  const [first, second] = [
    { site: 'h1', number: 'A', name: '李雷', id: LI_LEI, born: '19700412', sex: 'M' },
    { site: 'h1', number: 'A', name: '韩梅梅', born: '19910908', sex: 'F' },
  ] as const;
  await registered(first);
  for (const [said, order] of [
    [first, 'Q1'],
    [second, 'Q2'],
  ] as const)
    await hub.hl7(
      'h1',
      er7('ORM^O01^ORM_O01', '20260302080000', [
        pid(said),
        `ORC|NW|${order}|A${order}`,
        `OBR|1|${order}|A${order}|CT1^CT^L|||20260302080000||||||||||A${order}`,
      ]),
    );
  const { rowCount } = await hub.database.pool.query('select from exam');
  assert.equal(rowCount, 1);
  const [waiting] = (await hub.reviews.list({ state: 'open', kind: 'message' }, { limit: 10 })).items;
  assert.ok(waiting);
  assert.deepEqual([waiting.problem.code, waiting.problem.where], ['identity-doubt', 'sex']);
});

test('suspect numbers are listed for an operator, and nothing else with them', async () => {
  await registered({ site: 'h1', number: 'A', name: '李雷', id: LI_LEI, born: '19700412', sex: 'M' });
  await registered({ site: 'h1', number: 'B', name: '李雷', id: LI_LEI, born: '19880412', sex: 'M' });
  const { items } = await journal().list({ finding: 'identifier-suspect' }, { limit: 10 });
  assert.equal(items.length, 1);
  const found = await journal().entry(items[0]?.journalId ?? '');
  assert.ok(found);
  assert.deepEqual(
    found.findings.map(({ code, where }) => [code, where]),
    [['identifier-suspect', 'birthDate']],
  );
  assert.doesNotMatch(JSON.stringify(found.findings), /\d{6}/, 'and no number is in its text');
});

test('suspect numbers are found by their own index, however many messages there are', async () => {
  const { pool } = hub.database;
  await pool.query(
    `insert into settlement (received_at, journal_id, channel, state, attempts, findings, settled_at)
     select now() - n * interval '1 second', n, 'hl7v2', 'applied', 1,
       case when n % 500 = 0 then '[{"code": "identifier-suspect", "where": "sex", "text": ""}]'::jsonb else '[]' end, now()
     from generate_series(1, 20000) n`,
  );
  await pool.query('analyze settlement');
  const { rows: plan } = await pool.query<{ 'QUERY PLAN': string }>(
    `explain select j.id from journal j left join settlement s on s.received_at = j.received_at and s.journal_id = j.id
     where s.findings @> '[{"code": "identifier-suspect"}]' order by j.received_at desc, j.id desc limit 51`,
  );
  assert.match(plan.map((line) => line['QUERY PLAN']).join('\n'), /settlement_(default|\d+)_received_at_idx/);
});

test('a feed that replays last year changes nobody and joins nobody', async () => {
  const lastYear: readonly Buffer[] = [
    er7('ADT^A04^ADT_A01', '20250301080000', [
      pid({ site: 'h1', number: 'A', name: '李蕾', id: LI_LEI, born: '19700412', sex: 'M', phone: '13800000001' }),
    ]),
    er7('ADT^A04^ADT_A01', '20250301081000', [pid({ site: 'h1', number: 'B', name: '张伟', sex: 'M' })]),
    er7('ADT^A40^ADT_A39', '20250302080000', [
      pid({ site: 'h1', number: 'A', name: '李蕾', sex: 'M' }),
      `MRG|${cx('h1', 'B')}`,
    ]),
    er7('ADT^A37^ADT_A37', '20250303080000', [`PID|1||${cx('h1', 'A')}`, `PID|2||${cx('h1', 'B')}`]),
    er7('ADT^A08^ADT_A01', '20260301080000', [
      pid({ site: 'h1', number: 'A', name: '李雷', id: LI_LEI, born: '19700412', sex: 'M', phone: '13812345678' }),
    ]),
  ];
  for (const bytes of lastYear) await hub.hl7('h1', bytes);
  // Of equal words of one second the repeat is the later one (ADR 0001): the mark moves, what is said does not.
  const said = async (): Promise<string> => JSON.stringify(await rows()).replace(/\|\d{20}(?=\\")/g, '');
  const [persons, shown] = [await hub.partition(), await said()];
  assert.equal(persons.length, 2);
  for (const bytes of lastYear) await hub.hl7('h1', bytes);
  assert.deepEqual(await hub.partition(), persons);
  assert.equal(await said(), shown, 'what is shown is what was said last, not what came last');
  assert.ok((await findings()).includes('stale MRG-1'), 'the old merge is kept as history, and said to be');
});

test('a decision that two are two persons stands against a replay of all that was said', async () => {
  const said = ['h1', 'h2'].map(
    (site) => ({ site, number: 'A', name: '李雷', id: LI_LEI, born: '19700412', sex: 'M' }) as const,
  );
  for (const one of said) await registered(one);
  const [a, b]: [HubId, HubId] = [recordId('h1', 'A'), recordId('h2', 'A')];
  const person = await hub.personOf(a);
  assert.equal(await hub.personOf(b), person);
  const split = await hub.desk.split(person, [b], { caller: OPERATOR, reason: '冒用证件' });
  assert.ok(split.ok);
  for (const one of said) await registered({ ...one, phone: '13812345678', at: '20260401080000' });
  assert.notEqual(await hub.personOf(a), await hub.personOf(b));
});

async function rows(): Promise<readonly unknown[]> {
  const { rows: found } = await hub.database.pool.query<{ record_id: HubId; person_id: string }>(
    'select record_id, person_id from patient_record order by record_id',
  );
  return Promise.all(
    found.map(async (row) => [row.person_id, await stored(hub.database.pool, row.record_id)] as const),
  );
}
