/** From messages to document entries on a real PostgreSQL: the outbox carries every decision over, whatever interrupts it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { sealedFiles } from '../support/data-keys.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import type { Envelope, Intake } from '../../hub/core/envelope.ts';
import { Derivation, siteId } from '../../hub/core/identifier.ts';
import type { HubId, Oid } from '../../hub/core/identifier.ts';
import type { DocumentEntry, Registered } from '../../hub/core/document.ts';
import type { DocumentRegistry } from '../../hub/core/document-ports.ts';
import type { Outbox, OutboxEvent } from '../../hub/core/outbox.ts';
import type { Queue } from '../../hub/core/ports.ts';
import type { CanonicalRecord } from '../../hub/core/record.ts';
import { createIngest, type Ingest } from '../../hub/flow/ingest.ts';
import { createDocumentStore } from '../../hub/flow/keep-document.ts';
import { createManifest, keepManifest } from '../../hub/flow/manifest.ts';
import { createPublishDocuments } from '../../hub/flow/publish-documents.ts';
import { recordSubmissions } from '../../hub/flow/record-call.ts';
import { createWorkOff } from '../../hub/flow/work-off.ts';
import type { Database } from '../../hub/store/database.ts';
import { createAffinityPatients } from '../../hub/store/affinity-patients.ts';
import { createDocumentWriter } from '../../hub/store/document-registry.ts';
import { createIndexReader } from '../../hub/store/index-reader.ts';
import { createMatching } from '../../hub/core/match/matcher.ts';
import { createIndexWriter } from '../../hub/store/index-writer.ts';
import { createJournal } from '../../hub/store/journal.ts';
import { createOutbox, createStudySettling } from '../../hub/store/outbox.ts';
import { createOwnEntries, createPublishableExams } from '../../hub/store/publication.ts';
import { auditMessages } from '../../mappings/atna/index.ts';
import { projectExam, projectPerson } from '../../mappings/fhir/index.ts';
import { SOURCE } from '../support/audit-events.ts';
import { freshDatabase, quiet } from '../support/database.ts';
import { DERIVE, instance, STORY, VOID } from '../support/scenario.ts';
import { siteProfile } from '../support/site.ts';
import { openDocument } from '../support/stored.ts';

const folder = mkdtempSync(join(tmpdir(), 'publication-'));
const objects = sealedFiles(folder);
const h1 = siteProfile('h1');
let database: Database;
let journal: Intake;
let ingest: Ingest;
let outbox: Outbox;
let writer: Pick<DocumentRegistry, 'register' | 'update' | 'documents'>;
/** The next so many calls fail: before anything was stored, or after (an answer that was lost). */
let failing: ('before' | 'after')[] = [];
/** Runs what is due, as a worker of the queue would. */
let work: (id: string) => Promise<void>;
let now = Date.UTC(2026, 2, 1, 9);
const audits: AuditEvent[] = [];
const REPOSITORY_URL = 'https://hub.example/xds/repository';
let sequence = 0;
const clock = (): Date => new Date(now);

before(async () => {
  ({ database } = await freshDatabase());
  const context = {
    derive: DERIVE,
    examIndexOid: '2.999.1',
    affinityDomainOid: '2.999.156.1',
    repositoryOid: '2.999.156.3' as Oid,
    wadoUrl: null,
    site: () => h1,
  };
  const projection = {
    person: (view: Parameters<typeof projectPerson>[0]) => projectPerson(view, context),
    exam: (view: Parameters<typeof projectExam>[0]) => projectExam(view, context),
  };
  const shared = { database, derive: DERIVE, clock, settleMs: () => 1000, projection };
  const indexDerive = new Derivation(new Uint8Array(32).fill(9));
  const store = createIndexWriter({
    matching: createMatching(() => []),
    ...shared,
    indexDerive,
    site: () => h1,
    affinityDomainOid: context.affinityDomainOid,
  });
  const documents = createDocumentStore(objects);
  journal = createJournal({ database, clock, log: quiet, arrived: () => undefined });
  ingest = createIngest({
    store,
    documents,
    site: () => h1,
    map: (entry) => ({
      ok: true,
      records: [JSON.parse(Buffer.from(entry.bytes).toString()) as CanonicalRecord],
      findings: [],
    }),
    derive: DERIVE,
    log: quiet,
    ownerOf: () => null,
  });
  outbox = createOutbox({ database, clock });
  const reader = createIndexReader({ database, derive: DERIVE });
  const affinityDomainOid = context.affinityDomainOid;
  const patients = createAffinityPatients({ database, affinityDomainOid });
  writer = createDocumentWriter({ database, clock, affinityDomainOid });
  const exams = createPublishableExams({ database, derive: DERIVE });
  const publish = createPublishDocuments({
    exams,
    registry: {
      ...createOwnEntries(database),
      register: (...args) => unreliable(() => writer.register(...args)),
      update: (...args) => unreliable(() => writer.update(...args)),
    },
    patients,
    documents,
    objects,
    record: recordSubmissions({ record: (event) => Promise.resolve(void audits.push(event)) }, REPOSITORY_URL),
    context,
    clock,
    log: quiet,
  });
  const queue: Pick<Queue, 'work' | 'offer'> = {
    offer: () => Promise.resolve(),
    work: (_topic, _concurrency, handler) => {
      work = (id) => handler({ id });
      return Promise.resolve();
    },
  };
  const workOff = createWorkOff({
    outbox,
    queue: queue as Queue,
    settling: createStudySettling({ ...shared, reader }),
    manifest: async ({ exam, study }) => {
      const made = createManifest({
        exam,
        study,
        repositoryOid: context.repositoryOid,
        aeTitle: 'HUTONG',
        timeZone: 'Asia/Shanghai',
        createdAt: study.changedAt,
        derive: DERIVE,
      });
      return made === null ? null : keepManifest(objects, study.studyUid, made);
    },
    list: () => Promise.reject(new Error('no site of this test keeps its images')),
    publish,
    burst: { over: () => Promise.resolve() },
    tellLinks: () => Promise.resolve({ done: true }),
    log: quiet,
  });
  await workOff.start(1, 3_600_000);
  after(async () => {
    await workOff.stop();
    rmSync(folder, { recursive: true, force: true });
  });
});

async function unreliable(act: () => Promise<Registered>): Promise<Registered> {
  const failure = failing.shift();
  if (failure === 'before') throw new Error('the registry is away');
  const registered = await act();
  if (failure === 'after') throw new Error('the answer was lost');
  return registered;
}

async function entries(): Promise<DocumentEntry[]> {
  type More = Pick<DocumentEntry, 'status' | 'uniqueId' | 'patientId'>;
  const result = await database.pool.query<{ id: string; body: string; more: More }>(
    `select id, body, jsonb_build_object('status', status, 'uniqueId', unique_id, 'patientId', patient_id) as more
     from registry_object where kind = 'document' order by unique_id`,
  );
  return result.rows.map((row) => ({ ...openDocument(database.pool, row), ...row.more }));
}

async function wipe(): Promise<void> {
  failing = [];
  audits.length = 0;
  await database.pool.query(
    `truncate patient_record, match_record, match_key, match_pair, person, patient_name, exam, exam_key, exam_alias, report_version, study, series, instance, review, outbox, fhir_resource, fhir_version,
       registry_object, document_association, repository_document, affinity_patient`,
  );
}
beforeEach(wipe);

const envelope = (content: CanonicalRecord): Envelope => ({
  channel: 'hl7v2',
  site: siteId('h1'),
  sender: 'RIS|H1',
  peer: '127.0.0.1',
  controlId: `c${String((sequence += 1))}`,
  messageType: 'TEST',
  contentType: 'application/json',
  bytes: Buffer.from(JSON.stringify(content)),
  patientKey: 'P0001',
  answer: Buffer.from('ack'),
});

async function arrive(...records: readonly CanonicalRecord[]): Promise<void> {
  for (const record of records) await journal.accept(envelope(record));
  await ingest.drain();
}

/** Works until nothing is due, an hour later than everything that waits. */
async function workAll(): Promise<void> {
  for (let round = 0; round < 20; round++) {
    now += 7_200_000;
    const due = await outbox.due(100);
    if (due.length === 0) return;
    for (const { id } of due) await work(id).catch(() => undefined);
  }
  assert.fail('the outbox does not come to rest');
}

const approvedTypes = async (): Promise<string[]> =>
  (await entries())
    .filter(({ status }) => status === 'approved')
    .map(({ mimeType }) => mimeType)
    .sort();
const ALL = ['application/dicom', 'application/fhir+json', 'application/pdf', 'text/xml'];

test('a hospital’s ordinary messages end in four approved documents, whatever came first', async () => {
  let expected: string[] | null = null;
  for (let run = 0; run < 8; run++) {
    await wipe();
    const order = STORY.map((record, n) => ({
      record,
      weight: run === 0 ? n : Math.abs(Math.sin(run * 9973 + n * 7919)),
    }));
    for (const { record } of order.sort((a, b) => a.weight - b.weight)) {
      await arrive(record);
      if (run % 2 === 1) await workAll();
    }
    await workAll();
    assert.deepEqual(await approvedTypes(), ALL);
    // When the last image came is the time of the manifest, and that differs from run to run; the report's words do not.
    const reports = (await entries())
      .filter(({ status, classCode }) => status === 'approved' && classCode?.code === 'REPORTS')
      .map(({ uniqueId, mimeType }) => `${mimeType} ${uniqueId}`)
      .sort();
    expected ??= reports;
    assert.deepEqual(reports, expected);
  }
});

test('a void of the exam withdraws its documents and keeps their bytes', async () => {
  await arrive(...STORY);
  await workAll();
  const before = await writer.documents((await entries()).map(({ uniqueId }) => uniqueId));
  assert.equal(before.length, 4);
  await arrive(VOID);
  await workAll();
  assert.deepEqual(await approvedTypes(), []);
  assert.deepEqual(await writer.documents(before.map(({ uniqueId }) => uniqueId)), before);
  for (const { object, size } of before) assert.equal(await objects.size(object), size);
});

test('what the hub registers and withdraws of its own accord is in the audit before it is done', async () => {
  await arrive(...STORY);
  failing = ['before'];
  await workAll();
  // The first attempt was lost on its way and made again: both are told.
  const provided = audits.filter(({ operation }) => operation === 'ITI-41');
  assert.ok(provided.length >= 2);
  const sets = await database.pool.query<{ unique_id: string }>(
    `select unique_id from registry_object where kind = 'submission-set'`,
  );
  for (const { unique_id } of sets.rows)
    assert.ok(
      provided.some(({ objects: [set] }) => set === unique_id),
      unique_id,
    );
  await arrive(VOID);
  await workAll();
  const { rows } = await database.pool.query<{ person_id: string }>('select person_id from patient_record');
  const person = rows[0]?.person_id ?? '';
  const withdrawn = audits.at(-1);
  assert.deepEqual([withdrawn?.operation, withdrawn?.action, withdrawn?.outcome], ['ITI-57', 'change', 'success']);
  assert.deepEqual(withdrawn?.detail?.patientIds, [`${person}^^^&2.999.156.1&ISO`]);
  for (const [at, event] of audits.entries()) {
    assert.deepEqual(event.persons, [person]);
    const record = { ...event, id: String(at + 1), at: '2026-03-02T08:00:00.000Z' };
    const [message = ''] = auditMessages(record, SOURCE);
    assert.match(message, /EventActionCode="R"[^]*csd-code="110106"[^]*csd-code="ITI-(41|57)"/, 'a source exports');
    assert.match(message, /UserID="https:\/\/hub\.example\/xds\/repository"/);
  }
});

test('late images bring another manifest in place of the first', async () => {
  await arrive(...STORY);
  await workAll();
  const before = (await entries()).filter(({ mimeType }) => mimeType === 'application/dicom');
  await arrive(instance(4));
  await workAll();
  const kos = (await entries()).filter(({ mimeType }) => mimeType === 'application/dicom');
  assert.equal(kos.length, before.length + 1);
  assert.equal(kos.filter(({ status }) => status === 'approved').length, 1);
  assert.deepEqual(await approvedTypes(), ALL);
});

test('a registry that is away is tried again, ever more seldom, and nothing is lost', async () => {
  await arrive(...STORY);
  failing = ['before', 'after', 'before', 'before'];
  await workAll();
  assert.deepEqual(await approvedTypes(), ALL);
  const open = await database.pool.query('select from outbox where done_at is null');
  assert.equal(open.rowCount, 0);
});

test('news that come while the documents are published keep the event open and never wait for it', async () => {
  await arrive(...STORY);
  await workAll();
  const examId = (await database.pool.query<{ exam_id: HubId }>('select exam_id from exam')).rows[0]?.exam_id;
  assert.ok(examId);
  const report = STORY.findLast((record) => record.kind === 'report');
  assert.ok(report?.kind === 'report');
  const revise = (minute: number): CanonicalRecord => ({
    ...report,
    at: `2026-03-01T10:0${String(minute)}:00.000Z`,
    content: { impression: `第 ${String(minute)} 次更正`, auditedAt: `2026-03-01T10:0${String(minute)}:00.000Z` },
  });
  await arrive(revise(1));
  now += 60_000;
  const [due] = await outbox.due(10);
  assert.ok(due);
  const { id } = due;
  const handled: OutboxEvent[] = [];
  const worked = await outbox.work(id, async (event) => {
    handled.push(event);
    // Ingest of the same exam goes through while the handler is at it: with the row locked this would hang.
    await arrive(revise(2));
    assert.equal(await outbox.work(id, () => Promise.reject(new Error('two workers on one key'))), false);
    return { done: true };
  });
  assert.equal(worked, true);
  assert.equal(handled[0]?.topic, 'publish');
  assert.equal(handled[0].key, examId);
  await workAll();
  const standing = (await entries()).filter(({ status, mimeType }) => status === 'approved' && mimeType === 'text/xml');
  assert.equal(standing.length, 1);
  assert.equal(standing[0]?.creationTime, '20260301100200');
});

test('a study’s images alone are no news of documents', async () => {
  await arrive(instance(1), instance(2));
  const rows = await database.pool.query<{ topic: string }>('select topic from outbox');
  assert.deepEqual(
    rows.rows.map(({ topic }) => topic),
    ['settle'],
  );
});

test('documents are found under the person of today when two registrations turn out to be one person', async () => {
  const [registration, ...rest] = STORY;
  assert.ok(registration?.kind === 'patient');
  const { identifiers, ...unidentified } = registration.fields;
  await arrive({ ...registration, fields: unidentified }, ...rest);
  await workAll();
  const other = { ...registration.patient, value: 'P0002' };
  await arrive({ ...registration, patient: other });
  await arrive({ ...registration, at: '2026-03-05T08:00:00.000Z', fields: { identifiers: identifiers ?? [] } });
  await workAll();
  // A revision after the join has to replace what was registered before it.
  const report = STORY.findLast((record) => record.kind === 'report');
  assert.ok(report?.kind === 'report');
  const at = '2026-03-06T08:00:00.000Z';
  await arrive({ ...report, at, content: { impression: '再次更正', auditedAt: at } });
  await workAll();
  const persons = await database.pool.query<{ person_id: string }>('select distinct person_id from patient_record');
  assert.equal(persons.rowCount, 1);
  const shown = await database.pool.query<{ patient_id: string; n: number }>(
    `select coalesce(p.survivor, o.patient_id) as patient_id, count(*)::int as n from registry_object o
     left join affinity_patient p on p.patient_id = o.patient_id
     where o.kind = 'document' and o.status = 'approved' group by 1`,
  );
  assert.deepEqual(shown.rows, [{ patient_id: `${persons.rows[0]?.person_id ?? ''}^^^&2.999.156.1&ISO`, n: 4 }]);
  assert.equal((await database.pool.query('select from outbox where done_at is null')).rowCount, 0);
});

test('an exam whose registration the hospital merges keeps its documents', async () => {
  await arrive(...STORY);
  await workAll();
  const victim = { authority: '2.999.156.1.1', value: 'P0001' };
  const fields = { names: [{ text: '欧阳修', representation: 'ideographic' as const }] };
  const survivor = { authority: '2.999.156.1.1', value: 'P0009' };
  const at = '2026-03-05T08:00:00.000Z';
  await arrive({ kind: 'patient', site: siteId('h1'), at, patient: survivor, fields });
  await arrive({ kind: 'merge', site: siteId('h1'), at, survivor, victim });
  await workAll();
  assert.deepEqual(await approvedTypes(), ALL);
  assert.equal((await database.pool.query('select from outbox where done_at is null')).rowCount, 0);
});

test('exams that were indexed before there was a registry are published by the migration', async () => {
  await arrive(...STORY);
  await workAll();
  await database.pool.query('truncate outbox, registry_object, document_association, repository_document');
  const sql = await readFile(new URL('../../hub/store/sql/0009-publish-exams.sql', import.meta.url), 'utf8');
  await database.pool.query(sql);
  now = Date.now();
  await workAll();
  assert.deepEqual(await approvedTypes(), ALL);
});
