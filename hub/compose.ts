/**
 * Wires the rooms for the roles that run in this process: intake for whoever listens, ingest for whoever works, faces for
 * whoever answers. Beside main.ts the only file that sees every room.
 */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Router } from 'express';
import { createDimseChannel, openHospitalArchive } from '../adapters/dicom/index.ts';
import { createHl7Channel } from '../adapters/hl7v2/index.ts';
import type { Channel } from '../adapters/channel.ts';
import { projectExam, projectPerson, projectSite, renderProvenance, type FhirContext } from '../mappings/fhir/index.ts';
import { map } from '../mappings/index.ts';
import { auditEventFace } from './api/fhir/audit-event.ts';
import { fhirFace } from './api/fhir/index.ts';
import { dicomwebFace, LIMITS as DICOMWEB_LIMITS, wadoUri } from './api/dicomweb/index.ts';
import { IMAGING_SOURCE_LIMITS, imagingSourceFace } from './api/xds/rad-69.ts';
import { createRestFace } from './api/rest/face.ts';
import { SiteImageSource } from './archive/image-source.ts';
import { render } from './archive/render.ts';
import { openFrames } from './archive/transcode-frames.ts';
import { canTranscode, transcode } from './archive/transcode.ts';
import { auditSource } from './compose-atna.ts';
import type { Config } from './config.ts';
import type { AuditTrail } from './core/audit.ts';
import type { Intake } from './core/envelope.ts';
import type { Derivation, SiteId, Uid } from './core/identifier.ts';
import type {
  DicomIndex,
  ImageSource,
  IndexReader,
  InstanceSink,
  Log,
  ObjectStore,
  Queue,
  StudyLocated,
  StudyRecall,
} from './core/ports.ts';
import { Failure } from './core/problem.ts';
import type { Sites } from './core/site.ts';
import type { ManifestView } from './core/view.ts';
import { createIngest, type Ingest } from './flow/ingest.ts';
import { createDocumentStore } from './flow/keep-document.ts';
import { createManifest, keepManifest } from './flow/manifest.ts';
import { createRecallingIndex } from './flow/recall-index.ts';
import { createRecallingReader } from './flow/recall.ts';
import { createInstanceSink } from './flow/receive-instance.ts';
import { SeriesMetadata } from './flow/series-metadata.ts';
import { createWorkOff, type WorkOff } from './flow/work-off.ts';
import { createAssertionCheck } from './security/assertion.ts';
import { createAssertionLedger } from './store/assertion.ts';
import { createAuditSearch } from './store/audit-search.ts';
import { createAuditStore } from './store/audit.ts';
import type { Database } from './store/database.ts';
import { createClientStore } from './store/client.ts';
import { createDicomIndex } from './store/dicom-index.ts';
import { createExamSearch, createOrphanReader } from './store/exam-search.ts';
import { openFhirStore, saveResources } from './store/fhir.ts';
import { derivation } from './store/hub-key.ts';
import { createIndexReader } from './store/index-reader.ts';
import { createIndexWriter, type Projection } from './store/index-writer.ts';
import { createJournal } from './store/journal.ts';
import { createJournalReader } from './store/journal-reader.ts';
import { createOutbox, createStudySettling } from './store/outbox.ts';
import { createReviewQueue } from './store/review.ts';

export interface Ground {
  readonly config: Config;
  readonly roles: ReadonlySet<string>;
  readonly log: Log;
  readonly database: Database;
  /** Connections of the journal's own: an acknowledgement never waits for somebody's search. */
  readonly journalDatabase: Database;
  readonly objects: ObjectStore;
  readonly queue: Queue;
  readonly sites: Sites;
  readonly clock: () => Date;
}

/** What every role of the hub shares once the ground stands. */
export interface Rooms {
  readonly derive: Derivation;
  readonly journal: Intake;
  readonly sink: InstanceSink;
  readonly reader: IndexReader;
  readonly index: DicomIndex;
  readonly images: ImageSource;
  readonly audit: AuditTrail;
  /** Tells workers, here or in other processes, that something waits. */
  readonly arrived: () => void;
  readonly workOff: WorkOff;
  readonly fhirContext: FhirContext;
}

/** A burst of arrivals asks the queue at most this often to wake workers in other processes. */
const WAKE_MS = 50;

/** What turns entries into the index, for the thread that applies; and what renders it, for who settles studies. */
export async function composeIndex(
  ground: Pick<Ground, 'config' | 'log' | 'database' | 'objects' | 'sites' | 'clock'>,
): Promise<{
  derive: Derivation;
  ingest: Ingest;
  projection: Projection;
  settleMs: (id: SiteId) => number;
  fhirContext: FhirContext;
}> {
  const { config, log, database, objects, sites, clock } = ground;
  const derive = await derivation(database, 'identifier');
  const indexDerive = await derivation(database, 'exam-index');
  const fhirContext: FhirContext = {
    derive,
    examIndexOid: `${config.affinityDomainOid}.1`,
    affinityDomainOid: config.affinityDomainOid,
    repositoryOid: config.repositoryOid,
    site: (id) => sites.byId(id),
  };
  const projection: Projection = {
    person: (view) => projectPerson(view, fhirContext),
    exam: (view) => projectExam(view, fhirContext),
  };
  const site = (id: string): ReturnType<Sites['byId']> => sites.byId(id);
  const owners = new Map(sites.all.map(({ id, patientIds }) => [patientIds.defaultAuthority, id]));
  const ownerOf = (authority: string): SiteId | null => owners.get(authority) ?? null;
  const settleMs = (id: SiteId): number => {
    const seconds = sites.byId(id)?.settleSeconds;
    return seconds === undefined ? config.limits.settleMs : seconds * 1000;
  };
  const store = createIndexWriter({ database, derive, indexDerive, site, clock, settleMs, projection });
  const ingest = createIngest({ store, documents: createDocumentStore(objects), site, map, derive, log, ownerOf });
  return { derive, ingest, projection, settleMs, fhirContext };
}

/** `wake` rouses the thread that applies in this process; null: other processes apply, and the queue tells them. */
export async function composeRooms(ground: Ground, wake: (() => void) | null): Promise<Rooms> {
  const { config, log, database, journalDatabase, objects, queue, sites, clock } = ground;
  const { derive, projection, settleMs, fhirContext } = await composeIndex(ground);
  const arrived = wake ?? throttled(() => queue.offer('ingest', 'wake', {}), log);
  const journal = createJournal({ database: journalDatabase, clock, log, arrived });
  const reader = createIndexReader({ database, derive });
  const settling = createStudySettling({ database, reader, derive, projection, clock, settleMs });
  const outbox = createOutbox({ database, clock });
  const hospital = await openHospital(ground);
  return {
    derive,
    journal,
    sink: createInstanceSink({ objects, intake: journal, sites, log, clock, maxBytes: config.limits.instanceBytes }),
    // Faces ask whoever keeps the images; what the hub works off concerns only what is here.
    reader: createRecallingReader({ reader, recall: hospital, log }),
    index: createDicomIndex(database),
    images: new SiteImageSource({ objects, sites, hospital }),
    audit: createAuditStore({ database, clock, spool: config.atna !== null }),
    arrived,
    workOff: createWorkOff({ outbox, queue, settling, manifest: manifestOf(ground, derive), log }),
    fhirContext,
  };
}

/** Fetched studies lie in a folder of this process: roles are held by one process a data directory, so by role. */
async function openHospital({ config, roles, sites, clock, log }: Ground): Promise<ImageSource & StudyRecall> {
  const folders = [...roles].map((role) => join(config.dataDir, 'recalled', role));
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  const [folder = join(config.dataDir, 'recalled', 'none')] = folders;
  return openHospitalArchive({ sites, aeTitle: config.aeTitle, folder, clock, log });
}

/** Makes and keeps the manifest of a complete study; the time it became complete is its time, so a repeat is the same. */
function manifestOf(ground: Ground, derive: Derivation): (located: StudyLocated) => Promise<ManifestView | null> {
  const { config, sites, objects } = ground;
  return async ({ exam, study }) => {
    const site = sites.byId(study.site);
    const made = createManifest({
      exam,
      study,
      repositoryOid: config.repositoryOid,
      aeTitle: config.aeTitle,
      ...(config.publicUrl === null ? {} : { retrieveUrl: `${config.publicUrl}/dicomweb/studies/${study.studyUid}` }),
      ...(site === null ? {} : { institution: site.name }),
      ...(site?.accessionIssuer === undefined ? {} : { accessionIssuer: site.accessionIssuer }),
      timeZone: site?.timeZone ?? 'Asia/Shanghai',
      createdAt: study.changedAt,
      derive,
    });
    return made === null ? null : keepManifest(objects, study.studyUid, made);
  };
}

/** Calls at most every WAKE_MS and never loses the last call; a queue that is away is no harm, the sweep looks by itself. */
function throttled(call: () => Promise<void>, log: Log): () => void {
  let timer: NodeJS.Timeout | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      call().catch((error: unknown) => {
        log.warn({ name: error instanceof Error ? error.name : 'unknown' }, 'the queue did not take a wake-up');
      });
    }, WAKE_MS);
  };
}

/** Organizations and endpoints are data of the sites: rendered at every start, versioned only where they changed. */
export async function renderSites(ground: Ground, rooms: Rooms): Promise<void> {
  const owned = ground.sites.all.map((site) => ({
    owner: `site|${site.id}`,
    resources: projectSite(site, rooms.fhirContext),
  }));
  const at = ground.clock().toISOString();
  await ground.database.transaction((connection) =>
    saveResources(
      connection,
      owned.map(({ owner }) => owner),
      owned.flatMap(({ owner, resources }) => resources.map((resource) => ({ ...resource, owner }))),
      { journalIds: [], site: '', at },
    ),
  );
}

/** Every listener, plain and, where certificates are configured, TLS. */
export function channels(ground: Ground, rooms: Rooms): Channel[] {
  const { config, sites, log, clock } = ground;
  const { audit } = rooms;
  const { connections, messageBytes, idleMs } = config.limits;
  const limits = { connections, messageBytes, idleMs };
  const hl7 = { host: config.host, intake: rooms.journal, sites, audit, log, clock, limits };
  const dicom = {
    host: config.host,
    aeTitle: config.aeTitle,
    sink: rooms.sink,
    index: rooms.index,
    reader: rooms.reader,
    images: rooms.images,
    sites,
    audit,
    log,
    limits: { associations: connections, idleMs },
    transcode: transcodeOrThrow,
  };
  const opened: Channel[] = [
    createHl7Channel({ ...hl7, port: config.mllpPort }),
    createDimseChannel({ ...dicom, port: config.dimsePort }),
  ];
  if (config.tls === null) return opened;
  const { cert, key, ca } = config.tls;
  const secrets = { cert: readFileSync(cert), key: readFileSync(key) };
  const authority = ca === null ? null : readFileSync(ca);
  if (config.mllpTlsPort !== null) {
    const tls = { ...secrets, ...(authority === null ? {} : { clientCa: authority }) };
    opened.push(named('hl7v2-tls', createHl7Channel({ ...hl7, port: config.mllpTlsPort, tls })));
  }
  if (config.dimseTlsPort !== null) {
    const tls = { ...secrets, ...(authority === null ? {} : { ca: authority }) };
    opened.push(named('dicom-tls', createDimseChannel({ ...dicom, port: config.dimseTlsPort, tls })));
  }
  return opened;
}

/** For a move whose peer takes no context of the stored syntax: what cannot be converted fails that one sub-operation. */
async function transcodeOrThrow(part10: Buffer, to: Uid): Promise<Buffer> {
  const made = await transcode(part10, to);
  if (!made.ok) throw new Failure(made.problem);
  return made.value;
}

/** The same channel under its own name, so that its readiness and address are told apart. */
const named = (name: string, channel: Channel): Channel => ({
  name,
  start: () => channel.start(),
  stop: (drainMs) => channel.stop(drainMs),
  health: () => channel.health(),
  address: () => channel.address(),
});

/** The faces that are open in this process, by path. */
export function faces(ground: Ground, rooms: Rooms): Readonly<Record<string, Router>> {
  const { config, objects, database, log, clock } = ground;
  const { audit } = rooms;
  const fhirStore = openFhirStore(database, {
    renderProvenance,
    searchTimeoutMs: 10_000,
    pageLifetimeMs: 3_600_000,
  });
  const worked = { database, derive: rooms.derive, clock, arrived: rooms.arrived };
  const rest = createRestFace({
    sites: ground.sites,
    journal: createJournalReader(worked),
    reviews: createReviewQueue(worked),
    orphans: createOrphanReader(database),
    exams: createExamSearch(worked),
    index: rooms.reader,
    clients: createClientStore({ database, clock }),
    auditReader: createAuditStore({ database, clock }),
    intake: rooms.journal,
    audit,
    log,
  });
  const metadata = new SeriesMetadata({
    images: rooms.images,
    objects,
    sites: ground.sites,
    log,
    memoryBytes: METADATA_MEMORY,
  });
  const pixels = { canTranscode, transcode, openFrames, render };
  const index = createRecallingIndex(rooms.index, rooms.reader);
  const dicomweb = { ...rooms, index, sites: ground.sites, metadata, pixels, log, limits: DICOMWEB_LIMITS };
  const ledger = createAssertionLedger(database);
  const assertions = createAssertionCheck({ ...config.xua, ledger, clock });
  const imagingSource = imagingSourceFace({
    ...rooms,
    assertions,
    transcode: pixels,
    repositoryOid: config.repositoryOid,
    homeCommunityOid: config.homeCommunityOid,
    limits: IMAGING_SOURCE_LIMITS,
    log,
  });
  return {
    '/dicomweb': dicomwebFace(dicomweb),
    '/wado': wadoUri(dicomweb),
    '/xds/imaging-source': imagingSource,
    '/fhir/AuditEvent': auditEventFace({
      search: createAuditSearch(database),
      audit,
      source: auditSource(config),
      log,
      origin: config.publicUrl,
    }),
    '/fhir': fhirFace({ store: fhirStore, objects, audit, log, release: RELEASE, origin: config.publicUrl }),
    '/api/v1': rest,
  };
}

const METADATA_MEMORY = 64 * 1024 * 1024;

/** What /fhir/metadata says of this build; the version is package.json's. */
const RELEASE = { version: '0.1.0', date: '2026-11-22' } as const;
