/** Journal and ingest on a real PostgreSQL: nothing acknowledged is lost or doubled, and every input ends exactly once. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Envelope, Intake } from '../../hub/core/envelope.ts';
import { Derivation, siteId } from '../../hub/core/identifier.ts';
import { problem } from '../../hub/core/problem.ts';
import type { CanonicalRecord } from '../../hub/core/record.ts';
import { createIngest, type Ingest } from '../../hub/flow/ingest.ts';
import type { Database } from '../../hub/store/database.ts';
import { createMatching } from '../../hub/core/match/matcher.ts';
import { createIndexWriter } from '../../hub/store/index-writer.ts';
import { createJournal } from '../../hub/store/journal.ts';
import { examViews } from '../../hub/store/view.ts';
import { projectExam, projectPerson } from '../../mappings/fhir/index.ts';
import { freshDatabase, quiet } from '../support/database.ts';
import { DERIVE, STORY } from '../support/scenario.ts';
import { siteProfile } from '../support/site.ts';
import { openRow, type VersionRow } from '../../hub/store/fhir-version.ts';
import { vaultOf } from '../../hub/store/database.ts';

const h1 = siteProfile('h1');
let database: Database;
let journal: Intake;
let ingest: Ingest;
let sequence = 0;

before(async () => {
  ({ database } = await freshDatabase());
  const context = {
    derive: DERIVE,
    examIndexOid: '2.999.1',
    affinityDomainOid: '2.999.2',
    repositoryOid: '2.999.3',
    site: () => h1,
  };
  const store = createIndexWriter({
    matching: createMatching(() => []),
    database,
    derive: DERIVE,
    indexDerive: new Derivation(new Uint8Array(32).fill(9)),
    site: () => h1,
    clock: () => new Date(),
    settleMs: () => 1000,
    projection: { person: (view) => projectPerson(view, context), exam: (view) => projectExam(view, context) },
  });
  journal = createJournal({ database, clock: () => new Date(), log: quiet, arrived: () => undefined });
  ingest = createIngest({
    store,
    documents: { put: () => Promise.reject(new Error('no document in this test')) },
    site: () => h1,
    // The records travel as JSON: what is under test begins behind the mapping.
    map: (entry) => {
      const told = JSON.parse(Buffer.from(entry.bytes).toString()) as CanonicalRecord | { bad: true } | { bug: true };
      if ('bug' in told) throw new Error('bug');
      if ('bad' in told) return { ok: false, problem: problem('required-missing', 'PID-3'), findings: [] };
      return { ok: true, records: [told], findings: [] };
    },
    derive: DERIVE,
    log: quiet,
    ownerOf: (authority) => (authority === '2.999.156.1.9' ? siteId('h9') : null),
  });
});

function envelope(content: unknown, controlId?: string, patientKey = 'P0001'): Envelope {
  sequence += 1;
  return {
    channel: 'hl7v2',
    site: siteId('h1'),
    sender: 'RIS|H1',
    peer: '127.0.0.1',
    controlId: controlId ?? `c${String(sequence)}`,
    messageType: 'TEST',
    contentType: 'application/json',
    bytes: Buffer.from(JSON.stringify(content)),
    patientKey,
    answer: Buffer.from(`ack ${controlId ?? ''}`),
  };
}

const count = async (sql: string): Promise<number> => {
  const result = await database.pool.query<{ n: number }>(sql);
  return result.rows[0]?.n ?? -1;
};

async function wipe(): Promise<void> {
  await database.pool.query(
    `truncate patient_record, match_record, match_key, match_pair, person, patient_name, exam, exam_key, exam_alias, report_version, study, series, instance, review, outbox`,
  );
}

/** The exam as faces see it, without what history may differ in. */
async function views(): Promise<unknown> {
  const ids = await database.pool.query<{ exam_id: string }>('select exam_id from exam order by exam_id');
  const exams = await examViews(
    database.pool,
    ids.rows.map((row) => row.exam_id),
    { derive: DERIVE, instances: 'all' },
  );
  return exams.map((exam) => ({
    ...exam,
    index: exam.index?.value,
    studies: exam.studies.map((study) => ({ ...study, changedAt: '' })),
  }));
}

test('the same exam comes out whatever came first', async () => {
  let expected: unknown = null;
  const random = (seed: number) => (n: number) => Math.abs(Math.sin(seed * 9973 + n * 7919));
  for (let run = 0; run < 12; run++) {
    await wipe();
    const pick = random(run);
    const order = STORY.map((record, n) => ({ record, weight: run === 0 ? n : pick(n) })).sort(
      (a, b) => a.weight - b.weight,
    );
    for (const { record } of order) {
      await journal.accept(envelope(record));
      if (run % 2 === 0) await ingest.drain();
    }
    await ingest.drain();
    assert.equal(await count('select count(*)::int as n from pending'), 0);
    const got = await views();
    expected ??= got;
    assert.deepEqual(got, expected);
  }
  assert.equal(await count(`select count(*)::int as n from settlement where state <> 'applied'`), 0);
  assert.equal(await count('select count(*)::int as n from instance'), 3);
  assert.equal(await count(`select count(*)::int as n from study where availability = 'complete'`), 1);
});

test('an image waits for the rest of its series until its sender has no more', async () => {
  await wipe();
  const later = new Date(Date.now() + 3_600_000);
  let told = 0;
  const images = createJournal({ database, clock: () => later, log: quiet, arrived: () => (told += 1) });
  const image = STORY.find((record) => record.kind === 'instance');
  await images.accept({ ...envelope(image), channel: 'dicom' }, Promise.resolve());
  await ingest.drain();
  assert.equal(await count('select count(*)::int as n from pending'), 1);
  await images.hasten(siteId('h1'), ['P0009']);
  await ingest.drain();
  assert.equal(await count('select count(*)::int as n from pending'), 1);
  assert.equal(told, 1);
  await images.hasten(siteId('h1'), ['P0001']);
  assert.equal(told, 2);
  await ingest.drain();
  assert.equal(await count('select count(*)::int as n from pending'), 0);
  assert.equal(await count('select count(*)::int as n from instance'), 1);
});

test('what is being applied is not waited for by a series that is hastened: each would wait for the other', async () => {
  await wipe();
  for (const record of STORY) await journal.accept(envelope(record));
  const waiting = await database.pool.query<{ journal_id: string; work_key: string }>(
    'select journal_id, work_key from pending order by journal_id',
  );
  const key = waiting.rows[0]?.work_key ?? '';
  const line = waiting.rows.filter((row) => row.work_key === key);
  assert.ok(line.length > 1);
  const applying = await database.pool.connect();
  try {
    await applying.query('begin');
    await applying.query('select from pending where journal_id = $1 for update', [line[0]?.journal_id]);
    const listener = createJournal({ database, clock: () => new Date(), log: quiet, arrived: () => undefined });
    await listener.hasten(siteId('h1'), [key.slice(key.indexOf('|') + 1)]);
    const ended = await applying.query('delete from pending where work_key = $1', [key]);
    assert.equal(ended.rowCount, line.length);
  } finally {
    await applying.query('rollback');
    applying.release();
  }
  await ingest.drain();
});

test('a report and its revision that arrive together are two versions in the history, and what follows them is applied', async () => {
  await wipe();
  await database.pool.query('truncate fhir_resource, fhir_version');
  for (const record of STORY) await journal.accept(envelope(record));
  await ingest.drain();
  assert.equal(await count('select count(*)::int as n from pending'), 0);
  assert.equal(await count('select count(*)::int as n from report_version'), 2);
  const versions = await database.pool.query<VersionRow>(
    `select * from fhir_version where type = 'DiagnosticReport' order by version`,
  );
  const seen = versions.rows.map(
    (row) =>
      JSON.parse(openRow(vaultOf(database.pool).fields, row).body ?? '') as { status: string; conclusion?: string },
  );
  assert.deepEqual(
    [...new Set(seen.map(({ status, conclusion }) => `${status} ${conclusion ?? ''}`))],
    ['final 未见异常', 'corrected 右肺上叶结节'],
  );
});

test('bytes that somebody changed in the journal are told in review, and hold up nobody', async () => {
  await wipe();
  for (const record of STORY) await journal.accept(envelope(record));
  const bent = await database.pool.query<{ id: string }>(
    `update journal set bytes = set_byte(bytes, 40, get_byte(bytes, 40) # 1)
     where id = (select journal_id from pending order by 1 desc limit 1) returning id`,
  );
  await ingest.drain();
  assert.equal(await count('select count(*)::int as n from pending'), 0);
  const { rows } = await database.pool.query<{ id: string; state: string; code: string }>(
    `select journal_id as id, state, problem ->> 'code' as code from settlement where state <> 'applied'
     and journal_id >= $1`,
    [bent.rows[0]?.id],
  );
  assert.deepEqual(rows, [{ id: bent.rows[0]?.id, state: 'review', code: 'internal' }]);
});

test('what another process sealed by a data key that this one has not read yet waits for it, with all that came after', async () => {
  await wipe();
  const flip = `update journal set bytes = set_byte(bytes, 7, get_byte(bytes, 7) # 64)
    where id = (select min(journal_id) from pending)`;
  for (const record of STORY) await journal.accept(envelope(record));
  await database.pool.query(flip);
  await ingest.drain();
  assert.equal(await count('select count(*)::int as n from pending'), STORY.length);
  assert.equal(await count(`select count(*)::int as n from review where state = 'open'`), 0);
  await database.pool.query(flip);
  await database.pool.query("update pending set next_try_at = now() - interval '1 minute'");
  await ingest.drain();
  assert.equal(await count('select count(*)::int as n from pending'), 0);
  assert.equal(await count(`select count(*)::int as n from review where state = 'open'`), 0);
  assert.equal(await count('select count(*)::int as n from exam'), 1);
});

test('a repeated message gets the first answer, other bytes under its id are refused and kept', async () => {
  const [registration] = STORY;
  const first = await journal.accept(envelope(registration, 'same'));
  const again = await journal.accept(envelope(registration, 'same'));
  const other = await journal.accept(envelope({ ...registration, at: '2026-05-01T00:00:00.000Z' }, 'same'));
  assert.equal(first.kind, 'accepted');
  assert.ok(again.kind === 'duplicate' && again.journalId === first.journalId);
  assert.equal(Buffer.from(again.answer).toString(), 'ack same');
  assert.ok(other.kind === 'conflict' && other.problem.code === 'control-id-reused');
  assert.equal(
    await count(
      `select count(*)::int as n from settlement where journal_id = ${other.journalId} and state = 'refused'`,
    ),
    1,
  );
  await ingest.drain();
});

test('repeats inside one batch are told apart, and one bad envelope fails alone', async () => {
  const [registration] = STORY;
  const receipts = await Promise.all(['b1', 'b1', 'b2', 'b2'].map((id) => journal.accept(envelope(registration, id))));
  assert.deepEqual(
    receipts.map((receipt) => receipt.kind),
    ['accepted', 'duplicate', 'accepted', 'duplicate'],
  );
  await ingest.drain();
});

test('an entry whose object did not become durable is not journalled, and its neighbours are', async () => {
  const [registration] = STORY;
  const lost = Promise.reject(new Error('no space left'));
  const kept = [Promise.resolve(), lost, Promise.resolve()];
  const told = await Promise.allSettled(
    kept.map((object, n) => journal.accept(envelope(registration, `k${String(n)}`, `K${String(n)}`), object)),
  );
  assert.deepEqual(
    told.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.equal(await count(`select count(*)::int as n from journal where control_id in ('k0', 'k1', 'k2')`), 2);
  const again = await journal.accept(envelope(registration, 'k1', 'K1'), Promise.resolve());
  assert.equal(again.kind, 'accepted');
  await ingest.drain();
});

test('what cannot be mapped waits in review and blocks nobody; a mapping that throws does not stop the rest', async () => {
  await wipe();
  await journal.accept(envelope({ bad: true }));
  await journal.accept(envelope({ bug: true }));
  for (const record of STORY) await journal.accept(envelope(record));
  await ingest.drain();
  assert.equal(await count('select count(*)::int as n from pending'), 0);
  assert.equal(await count(`select count(*)::int as n from review where kind = 'message' and state = 'open'`), 2);
  assert.equal(await count('select count(*)::int as n from exam'), 1);
  const total = await count('select count(*)::int as n from journal');
  const settled = await count('select count(*)::int as n from settlement');
  assert.equal(total, settled);
});

test('a value that PostgreSQL cannot store goes to review at once, and holds nobody up', async () => {
  await wipe();
  const [registration] = STORY;
  assert.ok(registration?.kind === 'patient');
  const unstorable = ['nul \u0000', 'half a pair \ud842', Array.from({ length: 4_000 }, (_, n) => n).join('-')];
  for (const [n, value] of unstorable.entries()) {
    const patient = { authority: '2.999.156.1.1', value };
    await journal.accept(envelope({ ...registration, patient, fields: {} }, undefined, `U${String(n)}`));
  }
  for (const record of STORY) await journal.accept(envelope(record));
  await ingest.drain();
  assert.equal(await count('select count(*)::int as n from pending'), 0);
  assert.equal(
    await count(`select count(*)::int as n from review where state = 'open' and problem->>'code' = 'invalid-value'`),
    unstorable.length,
  );
  assert.equal(await count('select count(*)::int as n from exam'), 1);
});

test('many at once: as many entries as acknowledgements, workers in parallel, an exam each', async () => {
  await wipe();
  ingest.start(4, 20);
  const stories = Array.from({ length: 20 }, (_, n) =>
    STORY.map(
      (record) =>
        JSON.parse(
          JSON.stringify(record)
            .replaceAll('P0001', `P${String(n)}`)
            .replaceAll('A100', `A${String(n)}-`)
            .replaceAll('"F1"', `"F${String(n)}-"`)
            .replaceAll('PL1', `PL${String(n)}-`)
            .replaceAll('99.1', `99.${String(n + 10)}`)
            .replaceAll('"R1"', `"R${String(n)}-"`),
        ) as CanonicalRecord,
    ),
  );
  const receipts = await Promise.all(
    stories.flatMap((records, n) =>
      records.map((record) => journal.accept(envelope(record, undefined, `P${String(n)}`))),
    ),
  );
  assert.ok(receipts.every((receipt) => receipt.kind === 'accepted'));
  await ingest.stop();
  await ingest.drain();
  assert.equal(await count('select count(*)::int as n from exam'), 20);
  assert.equal(await count('select count(*)::int as n from instance'), 60);
  // One valid resident ID: one person over twenty registrations.
  assert.equal(await count('select count(distinct person_id)::int as n from patient_record'), 1);
});

test("a patient filed under another hospital's numbers waits for a person and enters no answer", async () => {
  await wipe();
  const [registration] = STORY;
  assert.ok(registration?.kind === 'patient');
  const foreign = { ...registration, patient: { authority: '2.999.156.1.9', value: 'K1' } };
  const receipt = await journal.accept(envelope(foreign, undefined, '2.999.156.1.9|K1'));
  await ingest.drain();
  assert.equal(receipt.kind, 'accepted');
  assert.equal(await count('select count(*)::int as n from patient_record'), 0);
  assert.equal(await count(`select count(*)::int as n from review where problem->>'code' = 'conflict'`), 1);
});
