/**
 * C-STORE of 500 CT images of 512 KiB by DCMTK storescu into the hub, DCMTK storescp and Orthanc, in turns of one run:
 * wall time, until the sender is answered and until the hub's index shows the last image. The first rounds warm all three up
 * and are not counted: a hub that has just started compiles its code meanwhile, for some 2,000 images (measured).
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { find } from '../../adapters/dicom/index.ts';
import { parseDataSet } from '../../mappings/dicom/parse.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import { dcmtk, freePort, listening, withoutDcmtk } from '../support/dcmtk.ts';
import { dataFolder, startHub } from '../support/hub.ts';
import { median, scaled, show, type Figure } from './measure.ts';

const COUNT = scaled(500, 20);
const WARM = 4;
const ROUNDS = 5;
const SIDE = 512;
const ORTHANC = '/usr/sbin/Orthanc';

/** A round phantom with soft edges, a little different in each slice: compressible as CT is, not noise. */
function slice(number: number): Buffer {
  const pixels = Buffer.alloc(SIDE * SIDE * 2);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const radius = Math.hypot(x - 256, (y - 256) * 1.3);
      const body = radius < 220 ? 1040 + Math.round(40 * Math.sin((x + number) / 17) * Math.cos(y / 23)) : 24;
      pixels.writeUInt16LE(radius < 40 ? 1300 + (number % 50) : body, 2 * (y * SIDE + x));
    }
  }
  return pixels;
}

async function writeSeries(folder: string, round: number, pixels: readonly Buffer[]): Promise<void> {
  await mkdir(folder);
  for (let number = 1; number <= COUNT; number++) {
    const file = writePart10({
      SpecificCharacterSet: 'GB18030',
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
      SOPInstanceUID: `2.25.9000.${String(round)}.${String(number)}`,
      StudyInstanceUID: `2.25.9000.${String(round)}`,
      SeriesInstanceUID: `2.25.9000.${String(round)}.0`,
      StudyDate: '20260102',
      StudyTime: '101500',
      AccessionNumber: `BENCH${String(round)}`,
      Modality: 'CT',
      PatientName: 'Bench^One',
      PatientID: `BENCH${String(round)}`,
      InstanceNumber: String(number),
      Rows: SIDE,
      Columns: SIDE,
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'MONOCHROME2',
      BitsAllocated: 16,
      BitsStored: 12,
      HighBit: 11,
      PixelRepresentation: 0,
      PixelData: { vr: 'OW', value: pixels[number % pixels.length] ?? Buffer.alloc(0) },
    });
    await writeFile(join(folder, `${String(number)}.dcm`), file);
  }
}

async function push(called: string, port: number, folder: string): Promise<number> {
  const began = performance.now();
  const ran = await dcmtk('storescu', '-aet', 'H1PACS', '-aec', called, '+sd', '127.0.0.1', String(port), folder);
  if (ran.code !== 0) throw new Error(`storescu failed against ${called}: ${ran.output.slice(-400)}`);
  return performance.now() - began;
}

/** Instances that the hub's index shows of the study. */
async function indexed(port: number, study: string): Promise<number> {
  const found = await find({
    node: { aeTitle: 'HUTONG', host: '127.0.0.1', port },
    callingAe: 'H1PACS',
    identifier: { QueryRetrieveLevel: 'STUDY', StudyInstanceUID: study, NumberOfStudyRelatedInstances: '' },
  });
  if (!found.ok || found.value.status !== 0) throw new Error('the hub does not answer C-FIND');
  const [identifier] = found.value.identifiers;
  if (!identifier) return 0;
  const parsed = parseDataSet(identifier, found.value.transferSyntax);
  return parsed.ok ? Number(parsed.value.dataSet.one(0x00201208)) : 0;
}

/** Peers that do not sync leave their bytes to be written during the next turn, which is not theirs. */
const settledDisk = (): Promise<unknown> => promisify(execFile)('sync');

async function untilIndexed(port: number, study: string, began: number): Promise<number> {
  while ((await indexed(port, study)) < COUNT) {
    if (performance.now() - began > 120_000) throw new Error('the index never showed the whole study');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return performance.now() - began;
}

const rate = (ms: number): string => `${(ms / 1000).toFixed(2)} s, ${(COUNT / (ms / 1000)).toFixed(0)} images/s`;

interface Peers {
  readonly hub: number;
  readonly storescp: number;
  readonly orthanc: number | null;
}

async function rounds(folder: string, peers: Peers): Promise<Figure[]> {
  const times = { hub: [] as number[], index: [] as number[], storescp: [] as number[], orthanc: [] as number[] };
  const pixels = Array.from({ length: 8 }, (_, number) => slice(number));
  for (let round = 1 - WARM; round <= ROUNDS; round++) {
    const series = join(folder, `series-${String(round)}`);
    await writeSeries(series, round + WARM, pixels);
    await settledDisk();
    times.storescp.push(await push('STORESCP', peers.storescp, series));
    await settledDisk();
    const began = performance.now();
    times.hub.push(await push('HUTONG', peers.hub, series));
    times.index.push(await untilIndexed(peers.hub, `2.25.9000.${String(round + WARM)}`, began));
    await settledDisk();
    if (peers.orthanc !== null) times.orthanc.push(await push('ORTHANC', peers.orthanc, series));
    show(round <= 0 ? '  warm' : `  round ${String(round)} of ${String(ROUNDS)}`);
    if (round <= 0) for (const counted of Object.values(times)) counted.pop();
    await rm(series, { recursive: true });
  }
  const [index, storescp] = [median(times.index), median(times.storescp)];
  show(`  C-STORE of ${String(COUNT)} CT of 512 KiB, median of ${String(ROUNDS)} rounds, loopback, Nagle off`);
  show(`  hub, fsynced and journalled     ${rate(median(times.hub))}`);
  show(`  hub, until the index shows all  ${rate(index)}`);
  show(`  DCMTK storescp, no fsync        ${rate(storescp)}`);
  const figure = (peer: string, ms: number, target: number): Figure => ({
    what: `C-STORE of ${String(COUNT)} CT, indexed and fsynced, beside ${peer}`,
    measured: rate(index),
    ratio: { of: peer, value: ms / index, target },
  });
  const beside = [figure('storescp', storescp, 0.6)];
  if (times.orthanc.length === 0) return beside;
  const orthanc = median(times.orthanc);
  show(`  Orthanc, index, no fsync        ${rate(orthanc)}`);
  return [...beside, figure('Orthanc', orthanc, 1.5)];
}

async function startOrthanc(folder: string): Promise<{ port: number; stop(): Promise<void> } | null> {
  if (!existsSync(ORTHANC)) {
    show('  Orthanc is not installed: the hub beside storescp alone');
    return null;
  }
  const [port, http] = [await freePort(), await freePort()];
  const file = join(folder, 'orthanc.json');
  const settings = {
    StorageDirectory: join(folder, 'orthanc'),
    IndexDirectory: join(folder, 'orthanc'),
    DicomPort: port,
    HttpPort: http,
    DicomAet: 'ORTHANC',
    DicomCheckCalledAet: false,
    DicomAlwaysAllowStore: true,
    OverwriteInstances: true,
  };
  await writeFile(file, JSON.stringify(settings));
  const running = await listening(port, ORTHANC, file);
  return { port, stop: () => running.stop() };
}

export async function run(): Promise<readonly Figure[]> {
  if (withoutDcmtk !== false) {
    show(`  ${withoutDcmtk}: storescu is the sender of this bench`);
    return [];
  }
  const folder = await mkdtemp(join(tmpdir(), 'bench-c-store-'));
  const data = await dataFolder();
  const [port, scpPort] = [await freePort(), await freePort()];
  const received = join(folder, 'storescp');
  await mkdir(received);
  const hub = startHub(data.dir, [], { HUB_DIMSE_PORT: String(port), HUB_LOG_LEVEL: 'warn' });
  const orthanc = await startOrthanc(folder);
  const scp = await listening(scpPort, 'storescp', '-od', received, String(scpPort));
  try {
    await hub.up();
    return await rounds(folder, { hub: port, storescp: scpPort, orthanc: orthanc?.port ?? null });
  } finally {
    hub.signal('SIGTERM');
    await hub.ended();
    await scp.stop();
    await orthanc?.stop();
    await data.remove();
    await rm(folder, { recursive: true, force: true });
  }
}
