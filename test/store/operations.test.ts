/** Figures, codes, replays and their plans on a real PostgreSQL, with ingest as it runs. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Derivation, siteId } from '../../hub/core/identifier.ts';
import type { Envelope, Journal } from '../../hub/core/envelope.ts';
import type { CodeDesk } from '../../hub/core/code-mapping.ts';
import { createMatching } from '../../hub/core/match/matcher.ts';
import { problem } from '../../hub/core/problem.ts';
import type { JournalWorkDesk } from '../../hub/core/replay.ts';
import { createIngest, type Ingest } from '../../hub/flow/ingest.ts';
import { createPreviewReplay, type PreviewReplay } from '../../hub/flow/preview-replay.ts';
import { createCodeDesk, UNMAPPED } from '../../hub/store/code-mapping.ts';
import type { Database } from '../../hub/store/database.ts';
import { createIndexWriter } from '../../hub/store/index-writer.ts';
import { CHANNELS, createIntakeFigures, EXAMS, HOLDINGS, INTAKE } from '../../hub/store/intake-figures.ts';
import { createJournalReader } from '../../hub/store/journal-reader.ts';
import { foldTallies, preparePartitions } from '../../hub/store/journal-upkeep.ts';
import { chosen, createJournalWork } from '../../hub/store/journal-work.ts';
import { createJournal } from '../../hub/store/journal.ts';
import { tellListening } from '../../hub/store/listener.ts';
import { createPreviewStore } from '../../hub/store/replay-preview.ts';
import { projectExam, projectPerson } from '../../mappings/fhir/index.ts';
import { map } from '../../mappings/index.ts';
import { freshDatabase, quiet } from '../support/database.ts';
import { DERIVE } from '../support/scenario.ts';
import { siteProfile } from '../support/site.ts';

const h1 = siteProfile('h1');
const BY = { id: 'op-1', name: '运维一', role: 'operator', peer: 'test' } as const;
let database: Database;
let journal: Journal;
let codes: CodeDesk;
let works: JournalWorkDesk;
let preview: PreviewReplay;
/** Two workers, as two processes would run them. */
let one: Ingest;
let other: Ingest;

before(async () => {
  ({ database } = await freshDatabase());
  const clock = (): Date => new Date();
  await preparePartitions(database, clock());
  const context = {
    derive: DERIVE,
    examIndexOid: '2.999.1',
    affinityDomainOid: '2.999.2',
    repositoryOid: '2.999.3',
    site: () => h1,
  };
  const ingest = (): Ingest =>
    createIngest({
      store: createIndexWriter({
        matching: createMatching(() => []),
        database,
        derive: DERIVE,
        indexDerive: new Derivation(new Uint8Array(32).fill(9)),
        site: () => h1,
        clock,
        settleMs: () => 1000,
        projection: { person: (view) => projectPerson(view, context), exam: (view) => projectExam(view, context) },
      }),
      documents: { put: () => Promise.reject(new Error('no document in this test')) },
      site: () => h1,
      map,
      derive: DERIVE,
      log: quiet,
    });
  one = ingest();
  other = ingest();
  journal = createJournal({ database, clock, log: quiet, arrived: () => undefined });
  codes = createCodeDesk({ database, clock });
  works = createJournalWork({ database, clock, arrived: () => undefined });
  const store = createPreviewStore({ database, derive: DERIVE });
  preview = createPreviewReplay({ store, site: () => h1, map, derive: DERIVE, log: quiet });
});

let sequence = 0;
function envelope(messageType: string, body: object, channel: Envelope['channel'] = 'rest'): Envelope {
  sequence += 1;
  return {
    channel,
    site: siteId('h1'),
    sender: 'feed',
    peer: '127.0.0.1',
    controlId: `ops-${String(sequence)}`,
    messageType,
    contentType: 'application/json',
    bytes: Buffer.from(JSON.stringify(body)),
    patientKey: `2.999.156.1.1|P${String(sequence)}`,
    answer: Buffer.from('ok'),
  };
}

const order = (accession: string, procedureCode: string): Envelope =>
  envelope('POST order', {
    ...{ patientId: `P-${accession}`, accessionNumber: accession, orderNumber: `O-${accession}`, procedureCode },
    ...{ procedureName: '低剂量', modality: 'CT', bodyPart: 'CHEST', requestedAt: '2026-11-20 09:00:00' },
  });

async function procedureOf(accession: string): Promise<unknown> {
  const { rows } = await database.pool.query<{ code: string }>(
    `select facts #>> '{orders,0,facts,procedure,1,code}' as code from exam where accession = $1`,
    [accession],
  );
  return rows[0]?.code;
}

test('every entry is tallied once, by what first became of it, and retries and replays do not count again', async () => {
  await journal.accept(order('A1', 'NEW1'));
  await journal.accept(order('A2', 'NEW1'));
  await journal.accept(envelope('POST order', { nothing: true }));
  await journal.refuse(envelope('POST order', {}), problem('malformed'));
  await one.drain();
  const figures = createIntakeFigures({ database, clock: () => new Date() });
  const range = {
    from: new Date(Date.now() - 3_600_000 * 2).toISOString(),
    to: new Date(Date.now() + 3_600_000).toISOString(),
  };
  const counted = async () => {
    const { steps, causes } = await figures.intake(range);
    const sum = (of: 'messages' | 'images' | 'applied' | 'refused' | 'review'): number =>
      steps.reduce((n, step) => n + step[of], 0);
    return {
      messages: sum('messages'),
      applied: sum('applied'),
      refused: sum('refused'),
      review: sum('review'),
      causes: causes.map(({ cause }) => cause).sort(),
    };
  };
  const expected = { messages: 4, applied: 2, refused: 1, review: 1, causes: ['malformed', 'required-missing'] };
  assert.deepEqual(await counted(), expected);
  const counters = await createJournalReader({
    database,
    derive: DERIVE,
    clock: () => new Date(),
    arrived: () => undefined,
  }).counters({});
  assert.equal(counters.received, expected.messages, 'the same as the journal says');
  const started = await works.start(
    'retry',
    { kind: 'filter', filter: { site: 'h1' } },
    { caller: BY, reason: 'again' },
  );
  assert.ok(started.ok && started.value.total === 1);
  await run();
  assert.deepEqual(await counted(), expected);
  await foldTallies(database, new Date(Date.now() + 3 * 3_600_000));
  assert.deepEqual(await counted(), expected, 'folded, it says the same');
  const [state] = await figures.channels('h1');
  assert.deepEqual([state?.lastHour, state?.waiting, state?.lastError?.cause], [4, 0, 'malformed']);
  assert.ok((state?.p95Ms ?? 0) >= (state?.p50Ms ?? 1));
});

/** Puts all that runs back to work and applies it. */
async function run(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await works.step();
    await one.drain();
  }
}

test('a mapping counts at once in every worker, is offered for what met the code, and is taken back with all it did', async () => {
  const { items } = await codes.unmapped({}, { limit: 10 });
  const [seen] = items.filter(({ code }) => code === 'NEW1');
  assert.deepEqual(
    [seen?.site, seen?.table, seen?.display, seen?.field, seen?.seen],
    ['h1', 'procedure', '低剂量', 'procedureCode', 2],
  );
  const scope = { kind: 'code', site: 'h1', table: 'procedure', code: 'NEW1' } as const;
  const { total, newest } = await works.concerned('replay', scope, 10);
  assert.equal(total, 2);
  const add = { mappingId: '0', site: siteId('h1'), table: 'procedure', source: 'NEW1', code: 'CT-P', display: null };
  const tried = await preview(newest, { add });
  assert.deepEqual(
    tried.map(({ outcome, changes }) => [outcome, changes.map(({ field }) => field)]),
    [
      ['changed', ['order 1/procedure']],
      ['changed', ['order 1/procedure']],
    ],
  );
  assert.equal(await procedureOf('A1'), 'NEW1', 'nothing was changed by trying');
  const made = await codes.add(
    { site: siteId('h1'), table: 'procedure', source: ' new1', code: 'CT-P', reason: 'told' },
    BY,
  );
  assert.ok(made.ok);
  assert.equal(
    (await codes.add({ site: siteId('h1'), table: 'procedure', source: 'NEW1', code: 'X', reason: 'told' }, BY)).ok,
    false,
  );
  await journal.accept(order('A3', 'NEW1'));
  await other.drain();
  await journal.accept(order('A4', 'NEW1'));
  await one.drain();
  assert.deepEqual(
    [await procedureOf('A3'), await procedureOf('A4')],
    ['CT-P', 'CT-P'],
    'each worker at its next claim',
  );
  assert.ok(!(await codes.unmapped({}, { limit: 10 })).items.some(({ code }) => code === 'NEW1'));
  const started = await works.start('replay', scope, { caller: BY, reason: 'mapped' });
  assert.ok(started.ok && started.value.total === 2);
  await run();
  const work = await works.work(started.value.workId);
  assert.deepEqual([work?.state, work?.applied, work?.left, work?.skipped], ['done', 2, 0, 0]);
  assert.deepEqual([await procedureOf('A1'), await procedureOf('A2')], ['CT-P', 'CT-P']);
  const undone = await codes.undo(made.value.mappingId, 'wrong', BY);
  assert.ok(undone.ok && undone.value.undone !== null);
  const with4 = await works.start(
    'replay',
    { kind: 'mapping', site: 'h1', mappingId: made.value.mappingId },
    { caller: BY, reason: 'undone' },
  );
  assert.ok(with4.ok && with4.value.total === 4, 'all that was read with it, replayed or new');
  await run();
  for (const accession of ['A1', 'A2', 'A3', 'A4']) assert.equal(await procedureOf(accession), 'NEW1');
  assert.ok((await codes.unmapped({}, { limit: 10 })).items.some(({ code }) => code === 'NEW1'));
});

test('a report that is read anew stays one version of its exam', async () => {
  const report = {
    accessionNumber: 'R1',
    reportNumber: 'N1',
    status: 'F',
    findings: 'x',
    impression: 'y',
    auditedAt: '2026-11-20 10:00:00',
  };
  await journal.accept(envelope('POST report', { patientId: 'P-R1', ...report }));
  await one.drain();
  const versions = async () =>
    (
      await database.pool.query<{ n: number }>(
        `select jsonb_array_length(facts -> 'reports') as n from exam where accession = 'R1'`,
      )
    ).rows[0]?.n;
  assert.equal(await versions(), 1);
  const started = await works.start(
    'replay',
    { kind: 'filter', filter: { messageType: 'POST report' } },
    { caller: BY, reason: 'again' },
  );
  assert.ok(started.ok && started.value.total === 1);
  await run();
  assert.equal(await versions(), 1);
});

test('what is cancelled goes no further, and what left its state is skipped and told', async () => {
  const started = await works.start(
    'replay',
    { kind: 'filter', filter: { site: 'h1' } },
    { caller: BY, reason: 'stop' },
  );
  assert.ok(started.ok);
  await database.pool.query(
    `delete from settlement where journal_id = (select min(journal_id) from journal_work_entry where work_id = $1)`,
    [started.value.workId],
  );
  await works.step();
  const seen = await works.work(started.value.workId);
  assert.equal(seen?.skipped, 1);
  assert.ok((await works.cancel(started.value.workId)).ok);
  assert.equal((await works.cancel(started.value.workId)).ok, false);
  await one.drain();
  const nothing = await works.start(
    'retry',
    { kind: 'filter', filter: { messageType: 'NONE' } },
    { caller: BY, reason: 'none' },
  );
  assert.equal(nothing.ok ? '' : nothing.problem.code, 'not-found');
});

test('a search of the journal finds by control id, type, cause and finding', async () => {
  const reader = createJournalReader({ database, derive: DERIVE, clock: () => new Date(), arrived: () => undefined });
  const ids = async (filter: Parameters<typeof reader.list>[0]) =>
    (await reader.list(filter, { limit: 50 })).items.map(({ controlId }) => controlId);
  assert.deepEqual(await ids({ controlId: 'ops-1' }), ['ops-1']);
  assert.deepEqual(await ids({ controlId: "ops-1' or true --" }), []);
  assert.equal((await ids({ messageType: 'POST rep' })).length, 1);
  assert.deepEqual(await ids({ messageType: '%' }), []);
  assert.deepEqual(await ids({ cause: 'malformed' }), ['ops-4']);
  assert.deepEqual(await ids({ text: 'cannot be parsed' }), ['ops-4']);
  assert.ok((await ids({ finding: 'unmapped-code' })).includes('ops-2'));
});

test('who listens is known to everyone, until it says nothing any more', async () => {
  const figures = createIntakeFigures({ database, clock: () => new Date() });
  const channel = { channel: 'hl7v2', address: '2575', listening: true, connections: 2, received: 1, refused: 0 };
  await tellListening(database, 'a', [channel], new Date());
  await tellListening(database, 'b', [channel], new Date(Date.now() - 60_000));
  assert.deepEqual(
    (await figures.listeners()).map(({ process }) => process),
    ['a'],
  );
});

test('every list and figure goes by its index', async () => {
  await database.pool.query(
    `insert into intake_tally (hour, site, channel, state, bucket, entries, last_at, folded)
     select now() - n * interval '20 minutes', 'h' || n % 7, 'hl7v2', 'applied', 9, 1, now(), true from generate_series(1, 20000) n`,
  );
  await database.pool.query(
    `insert into unmapped_code (site, code_table, key, code, field, channel, seen, first_seen_at, last_seen_at, last_journal_id)
     select 'h1', 'procedure', 'K' || n, 'K' || n, 'OBR-4', 'hl7v2', 1, now(), now() - n * interval '1 hour', n from generate_series(1, 5000) n`,
  );
  await database.pool.query(
    `with filler as (select 1000000 + n as id, now() - n * interval '1 millisecond' as at from generate_series(1, 20000) n),
       entry as (insert into journal (id, received_at, site, channel, sender, peer, control_id, message_type, content_type, patient_key, digest, bytes, answer)
         select id, at, 'h1', 'rest', 's', 'p', 'filler-' || id, 't', 'c', '', '', '', '' from filler)
     insert into settlement (received_at, journal_id, site, channel, state, attempts, settled_at) select at, id, 'h1', 'rest', 'applied', 1, at from filler`,
  );
  await database.pool.query('vacuum analyze');
  const plan = async (text: string, values: readonly unknown[]): Promise<string> =>
    database.transaction(async (connection) => {
      await connection.query('set local enable_seqscan = off');
      const { rows } = await connection.query<{ 'QUERY PLAN': string }>(`explain ${text}`, [...values]);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
  const [from, to] = [new Date(Date.now() - 3_600_000), new Date()];
  assert.match(await plan(CHANNELS, [to, 'h1']), /intake_tally_by_(hour|site)/);
  assert.match(await plan(INTAKE, [from, to, null, 'hour']), /intake_tally_by_hour/);
  assert.match(await plan(EXAMS, [from, to, null]), /Index Only Scan using exam_completeness/);
  assert.match(await plan(HOLDINGS, [from, to, null]), /study_holding/);
  assert.match(await plan(UNMAPPED, [null, null, null, null, null, null, 50]), /unmapped_code_by_time/);
  const day = `_${new Date().toISOString().slice(0, 10).replaceAll('-', '')}_`;
  const code = chosen('replay', { kind: 'code', site: 'h1', table: 'procedure', code: 'NEW1' });
  assert.match(await plan(code.text, code.values), new RegExp(`settlement${day}findings_idx`));
  const mapping = chosen('replay', { kind: 'mapping', site: 'h1', mappingId: '1' });
  assert.match(await plan(mapping.text, mapping.values), new RegExp(`settlement${day}mappings_idx`));
  assert.match(
    await plan('select id from journal where control_id = $1', ['x']),
    new RegExp(`journal${day}control_id_idx`),
  );
});
