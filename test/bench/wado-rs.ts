/**
 * WADO-RS beside Orthanc: the same study in both, the same client, rounds in turn so that both meet the same machine;
 * then the memory of sending one object of 2 GB.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { writePart10 } from '../../mappings/dicom/write.ts';
import { startDicomwebHub } from '../support/dicomweb-hub.ts';
import type { DicomwebHub } from '../support/dicomweb-hub.ts';
import { fetched, SERIES, slice, STUDY } from './ct-series.ts';
import { median, scaled, show, watchMemory, type Figure } from './measure.ts';

const INSTANCES = scaled(500, 20);
const ROUNDS = 5;
const ORTHANC = '/usr/sbin/Orthanc';
const PLUGIN = '/usr/share/orthanc/plugins/libOrthancDicomWeb.so';
const AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*';

interface Peer {
  readonly base: string;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Orthanc on loopback with the files loaded; null where it is not installed. */
async function startOrthanc(files: readonly Buffer[]): Promise<Peer | null> {
  if (!existsSync(ORTHANC) || !existsSync(PLUGIN)) return null;
  const root = await mkdtemp(join(tmpdir(), 'hutong-orthanc-'));
  const port = await freePort();
  const config = {
    HttpPort: port,
    StorageDirectory: join(root, 'db'),
    Plugins: [PLUGIN],
    DicomServerEnabled: false,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    TcpNoDelay: true,
    DicomWeb: { Enable: true },
  };
  await writeFile(join(root, 'orthanc.json'), JSON.stringify(config));
  const child = spawn(ORTHANC, [join(root, 'orthanc.json')], {
    stdio: 'ignore',
    env: { ...process.env, TCP_NODELAY: '1' },
  });
  const origin = `http://127.0.0.1:${String(port)}`;
  const stop = async (): Promise<void> => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
    await rm(root, { recursive: true, force: true });
  };
  try {
    await answering(`${origin}/system`);
    for (const file of files) {
      const response = await fetch(`${origin}/instances`, { method: 'POST', body: file });
      if (!response.ok) throw new Error(`Orthanc refused a file: ${String(response.status)}`);
      await response.arrayBuffer();
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { base: `${origin}/dicom-web`, stop };
}

async function answering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const there = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (there) return;
    await sleep(100);
  }
  throw new Error(`${url} does not answer`);
}

async function compare(
  hub: DicomwebHub,
  orthanc: Peer | null,
  what: string,
  path: string,
  accept: string,
  target: number,
): Promise<Figure> {
  const times = { hub: [] as number[], orthanc: [] as number[] };
  let bytes = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    const own = await fetched(`${hub.base}${path}`, { accept });
    const other = orthanc ? await fetched(`${orthanc.base}${path}`, { accept }) : null;
    if (round === 0) continue; // warms both
    ({ bytes } = own);
    times.hub.push(own.ms);
    if (other) times.orthanc.push(other.ms);
  }
  const own = median(times.hub);
  const speed = (ms: number): string => `${ms.toFixed(1)} ms, ${(bytes / ms / 1e6).toFixed(2)} GB/s`;
  show(`  ${what}: hub ${speed(own)} (${(bytes / 1e6).toFixed(1)} MB, median of ${String(ROUNDS)})`);
  if (orthanc === null) return { what, measured: speed(own) };
  const other = median(times.orthanc);
  show(`  ${what}: Orthanc ${speed(other)}`);
  return { what, measured: speed(own), ratio: { of: 'Orthanc', value: other / own, target } };
}

/** One object of 2 GB, sent as stored: what it adds to the process. */
async function largeObject(hub: DicomwebHub): Promise<Figure[]> {
  const frames = scaled(4096, 64);
  const frame = 512 * 1024;
  const study = `${STUDY}.2`;
  const whole = writePart10({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.7.3',
    SOPInstanceUID: `${study}.1.1`,
    Modality: 'OT',
    PatientName: 'Bench^Two',
    PatientID: 'BENCH2',
    StudyInstanceUID: study,
    SeriesInstanceUID: `${study}.1`,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    NumberOfFrames: String(frames),
    Rows: 512,
    Columns: 512,
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 0,
    PixelData: Buffer.alloc(2),
  });
  const head = whole.subarray(0, -6);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(frames * frame);
  async function* body(): AsyncGenerator<Buffer> {
    yield Buffer.concat([head, length]);
    const pixels = Buffer.alloc(frame, 5);
    for (let at = 0; at < frames; at++) yield pixels;
  }
  const memory = watchMemory();
  const headers = { 'content-type': 'application/dicom', 'x-role': 'hospital-feed' };
  const stored = await post(`${hub.base}/studies`, headers, body());
  const received = memory.peak();
  if (stored !== 200) throw new Error(`the large object was answered ${String(stored)}`);
  await hub.settle();
  memory.reset();
  const { bytes, ms } = await fetched(`${hub.base}/studies/${study}`, { accept: AS_STORED });
  const sent = memory.stop();
  const figure = (what: string, grown: number): Figure => ({
    what: `${(bytes / 1e9).toFixed(2)} GB object ${what}`,
    measured: `the process grew by ${grown.toFixed(0)} MB`,
    ratio: { of: '150 MB', value: grown / 150, target: 1, most: true },
  });
  show(`  sent at ${(bytes / ms / 1e6).toFixed(2)} GB/s`);
  return [figure('received (its sender in the same process)', received), figure('sent', sent)];
}

async function post(url: string, headers: Record<string, string>, body: AsyncIterable<Buffer>): Promise<number> {
  const asked = request(url, { method: 'POST', headers });
  const answered = once(asked, 'response') as Promise<[IncomingMessage]>;
  await pipeline(body, asked);
  const [response] = await answered;
  response.resume();
  return response.statusCode ?? 0;
}

export async function run(): Promise<readonly Figure[]> {
  const hub = await startDicomwebHub();
  let orthanc: Peer | null = null;
  try {
    const large = await largeObject(hub); // first, while the process is still small
    const files = Array.from({ length: INSTANCES }, (_, at) => slice(at + 1));
    for (let at = 0; at < files.length; at += 50) {
      const response = await hub.store(files.slice(at, at + 50));
      if (response.status !== 200) throw new Error(`the hub answered ${String(response.status)}`);
    }
    orthanc = await startOrthanc(files);
    if (orthanc === null) show('  Orthanc with its DICOMweb plugin is not installed here: the hub alone.');
    const path = `/studies/${STUDY}/series/${SERIES}`;
    return [
      await compare(hub, orthanc, `WADO-RS series of ${String(INSTANCES)}`, path, AS_STORED, 1),
      await compare(hub, orthanc, 'WADO-RS series metadata', `${path}/metadata`, 'application/dicom+json', 10),
      ...large,
    ];
  } finally {
    await orthanc?.stop();
    await hub.close();
  }
}
