/**
 * The document registry over HTTP at 10,000 and at 1,000,000 document entries in one hub: the same questions about the
 * same patients, so that what grows is only the registry around them; beside the bare statement on a connection of its own.
 */
import pg from 'pg';
import { documentStatement } from '../../hub/store/document-query.ts';
import type { PatientCx } from '../../hub/core/document.ts';
import { writeSubmission } from '../../mappings/xds/ebrim-write.ts';
import { association, documentEntry, submissionSet } from '../support/documents.ts';
import { adhocQuery, envelope } from '../support/registry-peer.ts';
import type { AskedSlot } from '../support/registry-peer.ts';
import { DOCUMENTS_EACH, growRegistry, patientOf } from '../support/registry-rows.ts';
import { startBenchHub, type BenchHub } from './bench-hub.ts';
import { median, percentile, scaled, show, type Figure } from './measure.ts';

const PATIENTS = [scaled(1_000, 100), scaled(100_000, 1_000)] as const;
/** Patients who are asked about; submissions go to others, so that each answer stays the same. */
const ASKED_PATIENTS = PATIENTS[0] / 2;
const ROUNDS = 5;
const ASKED = 100;
const SUBMISSIONS = 100;
const LANES = 4;

const ITI18 = 'urn:ihe:iti:2007:RegistryStoredQuery';
const ITI42 = 'urn:ihe:iti:2007:RegisterDocumentSet-b';
const APPROVED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')";
const criteria = (n: number): AskedSlot[] => [
  ['$XDSDocumentEntryPatientId', `'${patientOf(n)}'`],
  ['$XDSDocumentEntryStatus', APPROVED],
];

interface Question {
  readonly what: string;
  readonly uuid: string;
  readonly slots: (n: number) => readonly AskedSlot[];
  /** What the acceptance of the speed is about; the others are told beside it. */
  readonly target?: number;
}

const QUESTIONS: readonly Question[] = [
  { what: 'FindDocuments', uuid: '14d4debf-8f97-4251-9a74-a90016b0af0d', slots: criteria, target: 1.2 },
  {
    what: 'FindDocumentsByReferenceId',
    uuid: '12941a89-e02e-4be5-967c-ce4bfc8fe492',
    slots: (n) => [
      ...criteria(n),
      ['$XDSDocumentEntryReferenceIdList', `('1.2.${String(n)}.3^^^^urn:ihe:iti:xds:2016:studyInstanceUID')`],
    ],
  },
  {
    what: 'GetDocuments by unique id',
    uuid: '5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4',
    slots: (n) => [['$XDSDocumentEntryUniqueId', `('2.999.${String(n)}.3')`]],
  },
  {
    what: 'GetSubmissionSetAndContents',
    uuid: 'e8e3cb2c-e39c-46b9-99e4-c12f57260b83',
    slots: (n) => [['$XDSSubmissionSetUniqueId', `'2.999.1.${String(n - (n % 10))}'`]],
  },
];

async function post(hub: BenchHub, action: string, body: string): Promise<string> {
  const response = await fetch(`${hub.base}/xds/registry`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hub.token}`, 'content-type': `application/soap+xml; action="${action}"` },
    body: envelope(action, body),
  });
  const text = await response.text();
  if (response.status !== 200 || !text.includes('ResponseStatusType:Success'))
    throw new Error(`${action} was answered ${String(response.status)}: ${text.slice(0, 600)}`);
  return text;
}

/** Milliseconds of one question, answered and read whole; an empty answer is a fault of the bench. */
async function ask(hub: BenchHub, question: Question, n: number): Promise<number> {
  const body = adhocQuery(question.uuid, question.slots(n));
  const began = performance.now();
  const text = await post(hub, ITI18, body);
  const ms = performance.now() - began;
  if (!text.includes('<rim:ExtrinsicObject')) throw new Error(`${question.what} found nothing`);
  return ms;
}

interface Cost {
  readonly p50: number;
  readonly p95: number;
}

const asked = (n: number): number => 10 + ((n * 7) % (ASKED_PATIENTS - 10));

/** The middle of several rounds: one disturbed moment must not be the figure. */
async function rounds(one: (n: number) => Promise<number>, count = ROUNDS): Promise<Cost> {
  const costs: Cost[] = [];
  for (let round = 0; round <= count; round += 1) {
    const times: number[] = [];
    for (let at = 0; at < ASKED; at += 1) times.push(await one(asked(round * ASKED + at)));
    // The first round warms the caches and the plans.
    if (round > 0) costs.push({ p50: percentile(times, 50), p95: percentile(times, 95) });
  }
  return { p50: median(costs.map(({ p50 }) => p50)), p95: median(costs.map(({ p95 }) => p95)) };
}

/** The statement alone, prepared on a connection of its own, rows parsed by the driver. */
function raw(client: pg.Client, n: number): Promise<number> {
  const statement = documentStatement(
    { patientIds: [patientOf(n) as PatientCx], status: ['approved'], entryTypes: ['stable'] },
    2_000,
  );
  const began = performance.now();
  return client.query(statement).then(({ rows }) => {
    if (rows.length !== DOCUMENTS_EACH - 1) throw new Error(`the statement found ${String(rows.length)} rows`);
    return performance.now() - began;
  });
}

/** One document in one submission set, for a patient that is there. */
function submission(n: number, mark: string): string {
  const patient = patientOf(ASKED_PATIENTS + 1 + (n % (ASKED_PATIENTS - 1))) as PatientCx;
  return writeSubmission([
    documentEntry('Document01', patient, `2.999.4.${mark}.${String(n)}`),
    submissionSet('SubmissionSet01', patient, `2.999.5.${mark}.${String(n)}`),
    association('as01', 'HasMember', 'SubmissionSet01', 'Document01', { submissionSetStatus: 'Original' }),
  ]);
}

/** So many a second, by a few callers at once. */
async function rate(count: number, one: (n: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const began = performance.now();
  const lane = async (): Promise<void> => {
    while (next < count) await one((next += 1));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return (count * 1000) / (performance.now() - began);
}

/**
 * A million rows into eight indexes would take longer than the bench may: they are built afterwards, as a first load does
 * it, and stand under the same names.
 */
async function grow(client: pg.Client, from: number, to: number): Promise<void> {
  await client.query('set synchronous_commit = off');
  await client.query(`set maintenance_work_mem = '512MB'`);
  const { rows } = await client.query<{ name: string; body: string }>(
    `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as body from pg_index i
     where i.indrelid in ('registry_object'::regclass, 'document_association'::regclass) and not i.indisprimary`,
  );
  for (const { name } of rows) await client.query(`drop index ${name}`);
  const step = 5_000;
  for (let at = from; at <= to; at += step) await growRegistry(client, at, Math.min(to, at + step - 1));
  for (const { body } of rows) await client.query(body);
  await client.query('vacuum analyze registry_object, document_association, affinity_patient');
  await client.query('checkpoint');
}

interface Size {
  readonly costs: ReadonlyMap<string, Cost>;
  readonly raw: Cost;
  readonly queries: number;
  readonly submissions: number;
  readonly submission: Cost;
}

async function measure(hub: BenchHub, client: pg.Client, mark: string): Promise<Size> {
  const costs = new Map<string, Cost>();
  for (const question of QUESTIONS)
    costs.set(question.what, await rounds((n) => ask(hub, question, n), question.target === undefined ? 1 : ROUNDS));
  const [first] = QUESTIONS;
  if (!first) throw new Error('there is no question');
  const times: number[] = [];
  for (let n = 0; n < SUBMISSIONS; n += 1) {
    const began = performance.now();
    await post(hub, ITI42, submission(n, `${mark}.1`));
    times.push(performance.now() - began);
  }
  return {
    costs,
    raw: await rounds((n) => raw(client, n)),
    queries: await rate(ASKED * 5, (n) => ask(hub, first, asked(n))),
    submissions: await rate(SUBMISSIONS * 2, (n) => post(hub, ITI42, submission(n, `${mark}.2`))),
    submission: { p50: percentile(times, 50), p95: percentile(times, 95) },
  };
}

export async function run(): Promise<readonly Figure[]> {
  const hub = await startBenchHub();
  const client = new pg.Client({ connectionString: hub.databaseUrl });
  try {
    await client.connect();
    const sizes: Size[] = [];
    let there = 0;
    for (const patients of PATIENTS) {
      const began = performance.now();
      await grow(client, there + 1, patients);
      there = patients;
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      show(`  ${String(patients * DOCUMENTS_EACH)} document entries there after ${seconds} s, asking ...`);
      sizes.push(await measure(hub, client, String(patients)));
    }
    return figures(sizes);
  } finally {
    await client.end();
    await hub.stop();
  }
}

function figures([small, large]: readonly Size[]): Figure[] {
  if (!small || !large) throw new Error('both sizes are needed');
  const told = ({ p50, p95 }: Cost): string => `${p50.toFixed(1)}/${p95.toFixed(1)}`;
  const at = PATIENTS.map((patients) => String(patients * DOCUMENTS_EACH)).join(' and ');
  const figure = (what: string, a: Cost, b: Cost, target: number | undefined): Figure => ({
    what: `${what}: p50/p95 at ${at} entries`,
    measured: `${told(a)}, ${told(b)} ms`,
    ...(target === undefined ? {} : { ratio: { of: 'p95 at the first', value: b.p95 / a.p95, target, most: true } }),
  });
  const none: Cost = { p50: NaN, p95: NaN };
  const per = (what: string, a: number, b: number): Figure => ({
    what: `${what} a second by ${String(LANES)} callers, at ${at} entries`,
    measured: `${a.toFixed(0)}, ${b.toFixed(0)}`,
  });
  return [
    ...QUESTIONS.map(({ what, target }) =>
      figure(`${what} over HTTP`, small.costs.get(what) ?? none, large.costs.get(what) ?? none, target),
    ),
    figure('FindDocuments, the statement alone', small.raw, large.raw, 1.2),
    figure('ITI-42 of one document', small.submission, large.submission, undefined),
    per('FindDocuments', small.queries, large.queries),
    per('ITI-42 of one document', small.submissions, large.submissions),
  ];
}
