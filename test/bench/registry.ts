/**
 * The document registry over HTTP with 10,000 and with 1,000,000 document entries: two hubs side by side, asked in turn the
 * same questions about the same patients, so that the size of the registry is all that differs, whatever else the machine
 * does; beside the bare statement on a connection of its own.
 */
import { acceptClear } from './clear.ts';
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
const RATED = 300;
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

/** Both hubs in turn, and the middle of several rounds: one disturbed moment must not be the figure. */
async function rounds(
  ends: readonly End[],
  one: (end: End, n: number) => Promise<number>,
  count = ROUNDS,
): Promise<readonly Cost[]> {
  const costs = ends.map((): Cost[] => []);
  for (let round = 0; round <= count; round += 1) {
    const times = ends.map((): number[] => []);
    for (let at = 0; at < ASKED; at += 1)
      for (const [which, end] of ends.entries()) times[which]?.push(await one(end, asked(round * ASKED + at)));
    // The first round warms the caches and the plans.
    if (round > 0)
      for (const [which, all] of times.entries())
        costs[which]?.push({ p50: percentile(all, 50), p95: percentile(all, 95) });
  }
  return costs.map((all) => ({ p50: median(all.map(({ p50 }) => p50)), p95: median(all.map(({ p95 }) => p95)) }));
}

/** The statement alone, prepared on a connection of its own, rows parsed by the driver. */
function raw({ client }: End, n: number): Promise<number> {
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
function submission(n: number): string {
  const patient = patientOf(ASKED_PATIENTS + 1 + (n % (ASKED_PATIENTS - 1))) as PatientCx;
  return writeSubmission([
    documentEntry('Document01', patient, `2.999.9.1.${String(n)}`),
    submissionSet('SubmissionSet01', patient, `2.999.9.2.${String(n)}`),
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

/** A hub with its registry of one size. */
interface End {
  readonly hub: BenchHub;
  readonly client: pg.Client;
}

async function open(patients: number): Promise<End> {
  const hub = await startBenchHub();
  const client = new pg.Client({ connectionString: hub.databaseUrl });
  await client.connect();
  const began = performance.now();
  await acceptClear(hub.databaseUrl);
  await grow(client, 1, patients);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  show(`  ${String(patients * DOCUMENTS_EACH)} document entries there after ${seconds} s`);
  return { hub, client };
}

interface Measured {
  readonly what: string;
  readonly costs: readonly Cost[];
  readonly target?: number;
}

export async function run(): Promise<readonly Figure[]> {
  const ends: End[] = [];
  try {
    for (const patients of PATIENTS) ends.push(await open(patients));
    const measured: Measured[] = [];
    for (const { what, target, ...question } of QUESTIONS) {
      const one = ({ hub }: End, n: number): Promise<number> => ask(hub, { what, ...question }, n);
      const costs = await rounds(ends, one, target === undefined ? 1 : ROUNDS);
      measured.push({ what: `${what} over HTTP`, costs, ...(target === undefined ? {} : { target }) });
    }
    measured.push({ what: 'FindDocuments, the statement alone', costs: await rounds(ends, raw), target: 1.2 });
    let submitted = 0;
    const submit = async ({ hub }: End): Promise<number> => {
      const began = performance.now();
      await post(hub, ITI42, submission((submitted += 1)));
      return performance.now() - began;
    };
    measured.push({ what: 'ITI-42 of one document', costs: await rounds(ends, submit, 1) });
    const [first] = QUESTIONS;
    const rates: { queries: number; submissions: number }[] = [];
    for (const end of ends)
      rates.push({
        queries: await rate(RATED, (n) => (first ? ask(end.hub, first, asked(n)) : Promise.resolve())),
        submissions: await rate(RATED, () => submit(end)),
      });
    return figures(measured, rates);
  } finally {
    for (const { hub, client } of ends) {
      await client.end();
      await hub.stop();
    }
  }
}

function figures(
  measured: readonly Measured[],
  rates: readonly { readonly queries: number; readonly submissions: number }[],
): Figure[] {
  const at = PATIENTS.map((patients) => String(patients * DOCUMENTS_EACH)).join(' and ');
  const perSecond = (what: string, all: readonly number[]): Figure => ({
    what: `${what} a second by ${String(LANES)} callers, at ${at} entries`,
    measured: all.map((one) => one.toFixed(0)).join(', '),
  });
  return [
    ...measured.map(({ what, costs, target }): Figure => {
      const [small, large] = costs.map(({ p95 }) => p95);
      const ratio = (large ?? NaN) / (small ?? NaN);
      return {
        what: `${what}: p50/p95 at ${at} entries`,
        measured: `${costs.map(({ p50, p95 }) => `${p50.toFixed(1)}/${p95.toFixed(1)}`).join(', ')} ms`,
        ...(target === undefined ? {} : { ratio: { of: 'p95 at the first', value: ratio, target, most: true } }),
      };
    }),
    perSecond(
      'FindDocuments',
      rates.map(({ queries }) => queries),
    ),
    perSecond(
      'ITI-42 of one document',
      rates.map(({ submissions }) => submissions),
    ),
  ];
}
