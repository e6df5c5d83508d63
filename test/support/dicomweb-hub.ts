/**
 * The DICOMweb faces and RAD-69 over everything real below them: files, journal, ingest and index on PostgreSQL. Only the callers are
 * made here, by a header, since authentication has its own tests.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import express from 'express';
import { setCaller } from '../../hub/api/caller.ts';
import { dicomwebFace, LIMITS, wadoUri } from '../../hub/api/dicomweb/index.ts';
import type { DicomwebLimits } from '../../hub/api/dicomweb/index.ts';
import { IMAGING_SOURCE_LIMITS, imagingSourceFace } from '../../hub/api/xds/rad-69.ts';
import { SiteImageSource } from '../../hub/archive/image-source.ts';
import type { SealedObjectStore } from '../../hub/archive/object-store-sealed.ts';
import { sealedFiles } from './data-keys.ts';
import { render } from '../../hub/archive/render.ts';
import { openFrames } from '../../hub/archive/transcode-frames.ts';
import { canTranscode, closeCodecs, transcode } from '../../hub/archive/transcode.ts';
import type { Role } from '../../hub/core/access.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import { Derivation, siteId } from '../../hub/core/identifier.ts';
import type { IndexReader, Log } from '../../hub/core/ports.ts';
import type { Sites } from '../../hub/core/site.ts';
import { createIngest } from '../../hub/flow/ingest.ts';
import { Filing } from '../../hub/flow/file-instances.ts';
import { createInstanceSink } from '../../hub/flow/receive-instance.ts';
import { SeriesMetadata } from '../../hub/flow/series-metadata.ts';
import { createDicomIndex } from '../../hub/store/dicom-index.ts';
import { createIndexReader } from '../../hub/store/index-reader.ts';
import { createMatching } from '../../hub/core/match/matcher.ts';
import { createIndexWriter } from '../../hub/store/index-writer.ts';
import { createJournal } from '../../hub/store/journal.ts';
import { projectExam, projectPerson } from '../../mappings/fhir/index.ts';
import { map } from '../../mappings/index.ts';
import { freshDatabase } from './database.ts';
import { DERIVE } from './scenario.ts';
import { siteProfile } from './site.ts';
import { accessDesk } from './access.ts';

export interface DicomwebHub {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  readonly base: string;
  readonly root: string;
  /** Of the database, for what only SQL can tell. */
  readonly url: string;
  readonly events: AuditEvent[];
  readonly logged: string[];
  readonly reader: IndexReader;
  readonly objects: SealedObjectStore;
  /** As `query-platform` unless a role is given. */
  get(path: string, headers?: Record<string, string>, role?: Role | 'nobody'): Promise<Response>;
  /** Stores files by STOW-RS as h1's feed, and applies them to the index. */
  store(files: readonly Uint8Array[]): Promise<Response>;
  settle(): Promise<void>;
  close(): Promise<void>;
}

const h1 = siteProfile('h1');
const h2 = siteProfile('h2');
const sites: Sites = {
  all: [h1, h2],
  byId: (id) => [h1, h2].find((site) => site.id === id) ?? null,
  byHl7Sender: () => null,
  byAeTitle: () => null,
};

export async function startDicomwebHub(limits: Partial<DicomwebLimits> = {}): Promise<DicomwebHub> {
  const root = await mkdtemp(join(tmpdir(), 'hutong-dicomweb-'));
  const fresh = await freshDatabase();
  const { database } = fresh;
  const events: AuditEvent[] = [];
  const logged: string[] = [];
  const note = (fields: object, message: string): void => void logged.push(JSON.stringify({ ...fields, message }));
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
  const clock = (): Date => new Date();
  const site = (id: string): typeof h1 | null => sites.byId(id);
  const context = {
    derive: DERIVE,
    examIndexOid: '2.999.1',
    affinityDomainOid: '2.999.2',
    repositoryOid: '2.999.3',
    site,
  };
  const store = createIndexWriter({
    matching: createMatching(() => []),
    database,
    derive: DERIVE,
    indexDerive: new Derivation(new Uint8Array(32).fill(9)),
    site,
    clock,
    settleMs: () => 60_000,
    projection: { person: (view) => projectPerson(view, context), exam: (view) => projectExam(view, context) },
  });
  const objects = sealedFiles(root);
  const journal = createJournal({ database, clock, log, arrived: () => undefined });
  const documents = { put: (): Promise<never> => Promise.reject(new Error('no document in this test')) };
  const ingest = createIngest({ store, documents, site, map, derive: DERIVE, log });
  const images = new SiteImageSource({ objects, sites });
  const reader = createIndexReader({ database, derive: DERIVE });
  const deps = {
    index: createDicomIndex(database),
    reader,
    images,
    sink: createInstanceSink({
      objects,
      intake: journal,
      sites,
      filing: new Filing({ journal, objects, log }),
      log,
      clock,
    }),
    metadata: new SeriesMetadata({ images, objects, sites, log, memoryBytes: 64 * 1024 * 1024 }),
    pixels: { canTranscode, transcode, openFrames, render },
    audit: { record: (event: AuditEvent): Promise<void> => Promise.resolve(void events.push(event)) },
    access: accessDesk(database),
    sites,
    log,
    limits: { ...LIMITS, ...limits },
  };
  const app = express();
  app.set('query parser', 'simple');
  app.use((request, response, next) => {
    const role = request.get('x-role') ?? 'query-platform';
    const feeds = role === 'hospital-feed' ? { site: siteId('h1') } : {};
    setCaller(
      response,
      role === 'nobody' ? null : { id: 'c1', name: role, role: role as Role, peer: '127.0.0.1', ...feeds },
    );
    next();
  });
  app.use('/dicomweb', dicomwebFace(deps));
  app.use('/wado', wadoUri(deps));
  const oids = { repositoryOid: '2.999.3', homeCommunityOid: '2.999.4' };
  const source = { ...deps, ...oids, transcode: deps.pixels, limits: IMAGING_SOURCE_LIMITS };
  app.use('/xds/imaging-source', imagingSourceFace(source));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const settle = async (): Promise<void> => {
    // Instances wait a moment for their neighbours before they are applied together.
    for (const end = Date.now() + 20_000; Date.now() < end;) {
      await ingest.drain();
      const left = await database.pool.query<{ n: string }>('select count(*) as n from pending');
      if (left.rows[0]?.n === '0') return;
      await sleep(50);
    }
    throw new Error('the index did not catch up');
  };
  return {
    origin,
    base: `${origin}/dicomweb`,
    root,
    url: fresh.url,
    events,
    logged,
    reader,
    objects,
    settle,
    get: (path, headers = {}, role = 'query-platform') =>
      fetch(origin + path, { headers: { 'x-role': role, ...headers } }),
    async store(files) {
      const { body, type } = multipart(files);
      const headers = { 'content-type': type, 'x-role': 'hospital-feed' };
      const response = await fetch(`${origin}/dicomweb/studies`, { method: 'POST', headers, body });
      await settle();
      return response;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await closeCodecs();
      await objects.close();
      await fresh.drop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

export function multipart(files: readonly Uint8Array[], boundary = 'b0undary'): { body: Buffer; type: string } {
  const parts = files.flatMap((file) => [
    Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
    file,
    Buffer.from('\r\n'),
  ]);
  return {
    body: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
    type: `multipart/related; type="application/dicom"; boundary=${boundary}`,
  };
}

export interface ReceivedPart {
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** An independent, whole-in-memory reader of multipart answers. */
export async function partsOf(response: Response): Promise<ReceivedPart[]> {
  const type = response.headers.get('content-type') ?? '';
  const boundary = /boundary="?([^";]+)"?/.exec(type)?.[1] ?? '';
  const text = Buffer.from(await response.arrayBuffer()).toString('latin1');
  const pieces = text.split(`--${boundary}`);
  if (pieces.length < 2 || !pieces.at(-1)?.startsWith('--')) throw new Error('not a whole multipart body');
  return pieces.slice(1, -1).map((piece) => {
    const end = piece.indexOf('\r\n\r\n');
    const lines = piece.slice(2, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    return { headers, body: Buffer.from(piece.slice(end + 4, -2), 'latin1') };
  });
}
