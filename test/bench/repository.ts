/**
 * The document repository: what a submission of 1 GB adds to the process and how fast it goes, small submissions per
 * second; and RAD-69 of a study beside WADO-RS of the same study, in turn.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { startDicomwebHub } from '../support/dicomweb-hub.ts';
import type { DicomwebHub } from '../support/dicomweb-hub.ts';
import { said, send, startRepositoryHub } from '../support/repository-hub.ts';
import type { RepositoryHub } from '../support/repository-hub.ts';
import { provided, sent } from '../support/submission.ts';
import { ACTION, EXPLICIT, requestBody, requestEnvelope } from '../support/xds-peer.ts';
import { fetched, SERIES, slice, STUDY } from './ct-series.ts';
import { median, scaled, show, watchMemory, type Figure } from './measure.ts';

const INSTANCES = scaled(500, 20);
const ROUNDS = 5;

/** curl sends from its standard input, in a process of its own; nothing of the document is held here but one piece. */
async function submit(hub: RepositoryHub, megabytes: number): Promise<{ ms: number; bytes: number }> {
  const { type, bytes } = provided([{ ...sent(''), bytes: Buffer.from('@@@'), entry: { mimeType: 'video/mp4' } }]);
  const at = bytes.indexOf('@@@');
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at + 3)];
  const headers = [`Content-Type: ${type}`, 'x-role: hospital-feed', 'Expect:'].flatMap((line) => ['-H', line]);
  const curl = spawn('curl', ['-s', '-X', 'POST', '-T', '-', ...headers, hub.url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let answer = '';
  curl.stdout.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  async function* body(): AsyncGenerator<Buffer> {
    yield head;
    const piece = Buffer.alloc(1 << 20, 7);
    for (let done = 0; done < megabytes; done++) yield piece;
    yield tail;
  }
  const began = performance.now();
  const ended = once(curl, 'close');
  await pipeline(body, curl.stdin);
  await ended;
  if (!answer.includes('ResponseStatusType:Success')) throw new Error(`the submission was answered ${answer}`);
  return { ms: performance.now() - began, bytes: megabytes * (1 << 20) };
}

async function largeDocument(hub: RepositoryHub): Promise<Figure[]> {
  await submit(hub, 1); // warms
  const memory = watchMemory();
  const { ms, bytes } = await submit(hub, scaled(1024, 32));
  const grown = memory.stop();
  return [
    { what: `ITI-41 of ${(bytes / 1e9).toFixed(2)} GB`, measured: `${(bytes / ms / 1e3).toFixed(0)} MB/s` },
    {
      what: `ITI-41 of ${(bytes / 1e9).toFixed(2)} GB, memory`,
      measured: `the process grew by ${grown.toFixed(0)} MB`,
      ratio: { of: '150 MB', value: grown / 150, target: 1, most: true },
    },
  ];
}

async function manySubmissions(hub: RepositoryHub): Promise<Figure> {
  const count = scaled(200, 20);
  const lanes = 8;
  const packages = Array.from({ length: count }, () => provided([sent('a report of two pages'.repeat(500))]));
  const began = performance.now();
  const lane = async (first: number): Promise<void> => {
    for (let at = first; at < count; at += lanes) {
      const one = packages[at];
      if (one && said(await send(hub.url, one.type, one.bytes)).status !== 'success') throw new Error('refused');
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, at) => lane(at)));
  const seconds = (performance.now() - began) / 1000;
  return {
    what: 'ITI-41 of a report of 10 KB, 8 senders',
    measured: `${(count / seconds).toFixed(0)} submissions/s (senders in the same process)`,
  };
}

async function compare(hub: DicomwebHub, folder: string): Promise<Figure> {
  const wanted = Array.from({ length: INSTANCES }, (_, at) => ({
    study: STUDY,
    series: SERIES,
    sop: `${SERIES}.${String(at + 1)}`,
    repository: '2.999.3',
  }));
  const request = join(folder, 'request.xml');
  await writeFile(request, requestEnvelope(requestBody(wanted, [EXPLICIT])));
  const soap = { 'content-type': `application/soap+xml; action="${ACTION}"` };
  const accept = { accept: 'multipart/related; type="application/dicom"; transfer-syntax=*' };
  const rates = { rad69: [] as number[], wado: [] as number[] };
  for (let round = 0; round <= ROUNDS; round++) {
    const wado = await fetched(`${hub.base}/studies/${STUDY}`, accept);
    const rad69 = await fetched(`${hub.origin}/xds/imaging-source`, soap, request);
    if (rad69.bytes < wado.bytes * 0.99) throw new Error('RAD-69 did not give the whole study');
    if (round === 0) continue; // warms both
    rates.wado.push(wado.bytes / wado.ms / 1e3);
    rates.rad69.push(rad69.bytes / rad69.ms / 1e3);
  }
  const [rad69, wado] = [median(rates.rad69), median(rates.wado)];
  show(`  WADO-RS of the study ${wado.toFixed(0)} MB/s, RAD-69 ${rad69.toFixed(0)} MB/s (median of ${String(ROUNDS)})`);
  return {
    what: `RAD-69 of a study of ${String(INSTANCES)} images`,
    measured: `${rad69.toFixed(0)} MB/s`,
    ratio: { of: 'WADO-RS', value: rad69 / wado, target: 0.8 },
  };
}

async function imagingSource(): Promise<Figure> {
  const hub = await startDicomwebHub();
  const folder = await mkdtemp(join(tmpdir(), 'hutong-bench-'));
  try {
    const files = Array.from({ length: INSTANCES }, (_, at) => slice(at + 1));
    for (let at = 0; at < files.length; at += 50) {
      const response = await hub.store(files.slice(at, at + 50));
      if (response.status !== 200) throw new Error(`the hub answered ${String(response.status)}`);
    }
    return await compare(hub, folder);
  } finally {
    await hub.close();
    await rm(folder, { recursive: true, force: true });
  }
}

export async function run(): Promise<readonly Figure[]> {
  const hub = await startRepositoryHub();
  const figures: Figure[] = [];
  try {
    figures.push(...(await largeDocument(hub)));
    figures.push(await manySubmissions(hub));
  } finally {
    await hub.close();
  }
  return [...figures, await imagingSource()];
}
