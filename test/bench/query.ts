/**
 * Patient and exam queries over HTTP at 1x, 10x and 100x data in one hub: the same questions about the same persons at
 * each size, so that what grows is only the province around them.
 */
import { connect } from 'node:net';
import pg from 'pg';
import { send } from '../../adapters/dicom/index.ts';
import { frame } from '../../adapters/hl7v2/mllp.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import { EXPLICIT_LE } from '../../mappings/dicom/uids.ts';
import { startBenchHub, type BenchHub } from './bench-hub.ts';
import { accession, localId, name, person, stream, studyUid } from './hl7-messages.ts';
import { median, percentile, scaled, show, type Figure } from './measure.ts';
import { grow, rememberFirst } from './query-data.ts';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const ONE = 250;
const ASKED = 60;
const SIZES = [1, 10, 100] as const;
const AUTHORITY = '2.999.156.1.1';

interface Question {
  readonly what: string;
  readonly ask: (n: number) => { readonly path: string; readonly body?: unknown };
}

const identifier = (n: number): string => encodeURIComponent(`urn:oid:${AUTHORITY}|${localId(n)}`);
const QUESTIONS: readonly Question[] = [
  { what: 'FHIR Patient?identifier', ask: (n) => ({ path: `/fhir/Patient?identifier=${identifier(n)}` }) },
  {
    what: 'FHIR ImagingStudy?patient.identifier',
    ask: (n) => ({ path: `/fhir/ImagingStudy?patient.identifier=${identifier(n)}` }),
  },
  {
    what: 'FHIR DiagnosticReport?patient.identifier, newest first',
    ask: (n) => ({ path: `/fhir/DiagnosticReport?patient.identifier=${identifier(n)}&_sort=-date` }),
  },
  {
    what: 'FHIR ServiceRequest?identifier',
    ask: (n) => ({ path: `/fhir/ServiceRequest?identifier=${accession(n)}` }),
  },
  {
    what: 'QIDO-RS StudyInstanceUID',
    ask: (n) => ({ path: `/dicomweb/studies?StudyInstanceUID=${studyUid(n)}` }),
  },
  { what: 'QIDO-RS PatientID', ask: (n) => ({ path: `/dicomweb/studies?PatientID=${localId(n)}` }) },
  {
    what: 'QIDO-RS PatientName* and StudyDate',
    ask: (n) => ({
      path: `/dicomweb/studies?PatientName=${encodeURIComponent(`${name(n).slice(0, 2)}*`)}&StudyDate=20260201-20260331`,
    }),
  },
  {
    what: 'REST exams of a person',
    ask: (n) => ({
      path: '/api/v1/exams/search',
      body: { identifier: { value: person(n).residentId } },
    }),
  },
];

/** Milliseconds of one question, answered and read whole; an empty answer is a fault of the bench. */
async function asked(hub: BenchHub, question: Question, n: number): Promise<number> {
  const { path, body } = question.ask(n);
  const began = performance.now();
  const response = await fetch(`${hub.base}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${hub.token}`,
      accept: path.startsWith('/dicomweb') ? 'application/dicom+json' : 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const ms = performance.now() - began;
  if (response.status !== 200)
    throw new Error(`${question.what} was answered ${String(response.status)}: ${text.slice(0, 300)}`);
  if (text === '[]' || text.includes('"total":0') || text.includes('"items":[]'))
    throw new Error(`${question.what} found nothing`);
  return ms;
}

interface Cost {
  readonly p50: number;
  readonly p95: number;
}

/** The questions in turns, so that a disturbed moment weighs on all of them alike. */
async function measure(hub: BenchHub, persons: number): Promise<Map<string, Cost>> {
  const times = new Map(QUESTIONS.map(({ what }) => [what, [] as number[]]));
  const rounds = scaled(ASKED, 10);
  for (let round = -10; round < rounds; round++) {
    for (const question of QUESTIONS) {
      const ms = await asked(hub, question, (Math.abs(round) * 7) % persons);
      if (round >= 0) times.get(question.what)?.push(ms);
    }
  }
  return new Map([...times].map(([what, all]) => [what, { p50: median(all), p95: percentile(all, 95) }]));
}

/** The first exams come through the hub's own port; a hub that refuses one shows in its counters. */
export async function sendFirst(hub: BenchHub, exams: number): Promise<void> {
  const socket = connect({ port: hub.mllpPort, host: '127.0.0.1', noDelay: true });
  const messages = stream(0, exams, 'Q');
  let answers = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 0x1c) answers += 1;
      if (answers === messages.length) resolve();
    });
    for (const bytes of messages) socket.write(frame(bytes));
  });
  socket.destroy();
  await sendImages(hub, exams);
  await hub.settled(60_000);
}

/** One small image an exam: the study is there, and is found. */
async function sendImages(hub: BenchHub, exams: number): Promise<void> {
  const node = { host: '127.0.0.1', port: hub.dimsePort, aeTitle: 'HUTONG' };
  const images = Array.from({ length: exams }, (_, n) => {
    const sopUid = `${studyUid(n)}.1.1`;
    const file = writePart10({
      SpecificCharacterSet: 'GB18030',
      SOPClassUID: CT,
      SOPInstanceUID: sopUid,
      StudyInstanceUID: studyUid(n),
      SeriesInstanceUID: `${studyUid(n)}.1`,
      StudyDate: '20260210',
      StudyTime: '081500',
      AccessionNumber: accession(n),
      Modality: 'CT',
      PatientName: name(n),
      PatientID: localId(n),
      InstanceNumber: '1',
    });
    // The data set without the preamble and the file's own header (PS3.10 §7.1).
    const dataSet = file.subarray(144 + file.readUInt32LE(140));
    return { sopClass: CT, sopUid, transferSyntax: EXPLICIT_LE, dataSet: () => Promise.resolve(once(dataSet)) };
  });
  const sent = await send({ node, callingAe: 'H1PACS' }, images);
  if (!sent.ok || sent.value.some((one) => one.status !== 0)) throw new Error('the hub did not take the images');
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

export async function run(): Promise<readonly Figure[]> {
  const exams = scaled(ONE, 20);
  const hub = await startBenchHub();
  const client = new pg.Client({ connectionString: hub.databaseUrl });
  try {
    await client.connect();
    await sendFirst(hub, exams);
    await rememberFirst(client, hub.databaseUrl);
    const costs = new Map<number, Map<string, Cost>>();
    let copies = 0;
    for (const size of SIZES) {
      const began = performance.now();
      if (size > 1) {
        await grow(client, copies + 1, size - 1, (part) => {
          if (size === 100) show(`  ... ${part}`);
        });
        copies = size - 1;
      }
      show(
        `  ${String(exams * size)} exams there after ${((performance.now() - began) / 1000).toFixed(1)} s, asking ...`,
      );
      costs.set(size, await measure(hub, exams));
    }
    return figures(costs);
  } finally {
    await client.end();
    await hub.stop();
  }
}

function figures(costs: ReadonlyMap<number, ReadonlyMap<string, Cost>>): Figure[] {
  const at = (size: number, what: string): Cost => costs.get(size)?.get(what) ?? { p50: NaN, p95: NaN };
  return QUESTIONS.map(({ what }) => {
    const [one, , hundred] = SIZES.map((size) => at(size, what));
    const told = SIZES.map((size) => `${at(size, what).p50.toFixed(1)}/${at(size, what).p95.toFixed(1)}`).join(', ');
    return {
      what: `${what}: p50/p95 at ${SIZES.map((size) => `${String(size)}x`).join(', ')}`,
      measured: `${told} ms`,
      ratio: { of: 'p50 at 1x', value: (hundred?.p50 ?? NaN) / (one?.p50 ?? NaN), target: 1.2, most: true },
    };
  });
}
