/**
 * Wires the rooms for the roles that run in this process: intake for whoever listens, ingest for whoever works, faces for
 * whoever answers. Beside main.ts the only file that sees every room.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openHospitalArchive } from '../adapters/dicom/index.ts';
import type { HospitalImages } from '../adapters/dicom/index.ts';
import { createImagingFetch, openCommunities, openHospitals } from '../adapters/xds/index.ts';
import type { Communities, CommunityConfig, Hospitals } from '../adapters/xds/index.ts';
import { projectExam, projectPerson, projectSite, type FhirContext } from '../mappings/fhir/index.ts';
import { map } from '../mappings/index.ts';
import { romanise } from '../mappings/romanise.ts';
import { SiteImageSource } from './archive/image-source.ts';
import { linkNotices, patientQueries, tellingLinks } from './compose-identity.ts';
import type { Config } from './config.ts';
import type { AnchorDesk } from './core/audit-anchor.ts';
import type { AuditTrail } from './core/audit.ts';
import { createMatching } from './core/match/matcher.ts';
import type { Journal } from './core/envelope.ts';
import type { Derivation, Oid, SiteId, Uid } from './core/identifier.ts';
import type { DicomIndex, ImageSource, IndexReader, InstanceSink, Log, ObjectStore, Queue } from './core/ports.ts';
import type { AccessDesk } from './core/access-ports.ts';
import type { PatientQueries } from './core/patient-query.ts';
import { authorityOwner, type Sites } from './core/site.ts';
import { Burst } from './flow/burst.ts';
import { createIngest, type Ingest } from './flow/ingest.ts';
import { createDocumentStore } from './flow/keep-document.ts';
import { createListKept } from './flow/list-kept-study.ts';
import type { ListKeptDeps } from './flow/list-kept-study.ts';
import { createManifest, keepManifest } from './flow/manifest.ts';
import { createPublishDocuments, type PublishDocuments } from './flow/publish-documents.ts';
import { createReadHospital, manifestOfStudy } from './flow/read-hospital.ts';
import type { ManifestDeps, ReadHospital } from './flow/read-hospital.ts';
import { recordCalls, recordSubmissions } from './flow/record-call.ts';
import { createRecallingReader } from './flow/recall.ts';
import { Filing } from './flow/file-instances.ts';
import { createInstanceSink } from './flow/receive-instance.ts';
import { recoverInstances } from './flow/recover-instances.ts';
import { createWorkOff, type WorkOff } from './flow/work-off.ts';
import { createAffinityPatients } from './store/affinity-patients.ts';
import { enterSites } from './store/institution.ts';
import { accessDesk } from './compose-access.ts';
import type { AuditStore } from './store/audit.ts';
import type { Database } from './store/database.ts';
import { createDicomIndex } from './store/dicom-index.ts';
import { createDocumentWriter } from './store/document-registry.ts';
import { saveResources } from './store/fhir.ts';
import { createHospitalShelf } from './store/hospital.ts';
import { derivation } from './store/hub-key.ts';
import { type DeskDeps } from './store/identity-decision.ts';
import { createIndexReader } from './store/index-reader.ts';
import { createIndexWriter, type Projection } from './store/index-writer.ts';
import { createJournal } from './store/journal.ts';
import { createOutbox, createStudySettling } from './store/outbox.ts';
import { createOwnEntries, createPublishableExams } from './store/publication.ts';
import { codeOf } from './core/problem.ts';

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
  readonly communities: readonly CommunityConfig[];
  readonly clock: () => Date;
  readonly audit: AuditStore;
  readonly anchors: AnchorDesk;
  /** Begins a proof of the audit; null: one was begun a moment ago. */
  readonly prove: () => Promise<string | null>;
}

/** What every role of the hub shares once the ground stands. */
export interface Rooms {
  readonly derive: Derivation;
  readonly journal: Journal;
  readonly sink: InstanceSink;
  readonly filing: Filing;
  /** Journals what a process before this one stored and did not journal; before anything is received. */
  readonly recover: () => Promise<number>;
  readonly reader: IndexReader;
  readonly index: DicomIndex;
  readonly images: ImageSource;
  readonly communities: Communities;
  readonly hospitals: Hospitals;
  readonly readHospital: ReadHospital;
  readonly audit: AuditStore;
  readonly queries: PatientQueries;
  /** Tells workers, here or in other processes, that something waits. */
  readonly arrived: () => void;
  readonly workOff: WorkOff;
  /** Ends what is being sent to subscribers of links. */
  readonly closeNotices: () => Promise<void>;
  readonly fhirContext: FhirContext;
  /** Deciding about persons. */
  readonly desk: DeskDeps;
  /** Deciding who may see what. */
  readonly access: AccessDesk;
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
  desk: DeskDeps;
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
  const ownerOf = authorityOwner(sites);
  const settleMs = (id: SiteId): number => {
    const seconds = sites.byId(id)?.settleSeconds;
    return seconds === undefined ? config.limits.settleMs : seconds * 1000;
  };
  const { affinityDomainOid } = config;
  const matching = createMatching(romanise);
  const desk = { database, matching, derive, clock, projection, affinityDomainOid, ...tellingLinks(sites) };
  const store = createIndexWriter({ ...desk, indexDerive, site, settleMs });
  const ingest = createIngest({ store, documents: createDocumentStore(objects), site, map, derive, log, ownerOf });
  return { derive, ingest, projection, settleMs, fhirContext, desk };
}

/** `wake` rouses the thread that applies in this process; null: other processes apply, and the queue tells them. */
export async function composeRooms(ground: Ground, wake: (() => void) | null): Promise<Rooms> {
  const { config, log, database, journalDatabase, objects, queue, sites, clock, audit } = ground;
  const { derive, projection, settleMs, fhirContext, desk } = await composeIndex(ground);
  const burst = new Burst();
  const rouse = wake ?? throttled(() => queue.offer('ingest', 'wake', {}), log);
  const arrived = (): void => {
    burst.arrived();
    rouse();
  };
  const journal = createJournal({ database: journalDatabase, clock, log, arrived });
  const filing = new Filing({ journal, objects, log });
  const receiving = { objects, intake: journal, sites, filing, log, clock, maxBytes: config.limits.instanceBytes };
  const reader = createIndexReader({ database, derive });
  const settling = createStudySettling({ database, reader, derive, projection, clock, settleMs });
  const outbox = createOutbox({ database, clock });
  const hospitals = openHospitals(sites, {}, recordCalls(audit));
  const access = accessDesk(ground);
  const notices = linkNotices({ ...ground, reader, access, audit });
  const shelf = createHospitalShelf({ database, clock });
  const readHospital = createReadHospital({
    sites,
    shelf,
    hospital: (id) => hospitals.of(id),
    index: reader,
    objects,
    intake: journal,
    log,
    clock,
  });
  const hospital = await openHospital(ground, hospitals, { shelf, objects, index: reader, hospital: readHospital });
  const manifest = manifestOf(ground, derive);
  return {
    derive,
    journal,
    sink: createInstanceSink(receiving),
    filing,
    recover: () => recoverInstances(receiving),
    // Faces ask whoever keeps the images; what the hub works off concerns only what is here.
    reader: createRecallingReader({ reader, recall: hospital, log }),
    index: createDicomIndex(database),
    images: new SiteImageSource({ objects, sites, hospital }),
    communities: await openCommunities(
      ground.communities,
      join(config.dataDir, 'communities', [...ground.roles].join('+')),
    ),
    hospitals,
    readHospital,
    audit,
    queries: patientQueries(ground),
    arrived,
    closeNotices: notices.close,
    workOff: createWorkOff({
      outbox,
      queue,
      settling,
      manifest: async ({ exam, study }) => {
        // The time it became complete is its time, so a repeat is the same.
        const made = manifest(exam, study, study.changedAt);
        return made === null ? null : keepManifest(objects, study.studyUid, made);
      },
      list: createListKept({ reader, hospital, manifest, settling, objects, clock, log }),
      publish: publisherOf(ground, derive, audit),
      tellLinks: notices.notify,
      log,
      burst,
    }),
    fhirContext,
    desk,
    access,
  };
}

/** Fetched studies lie in a folder of this process: roles are held by one process a data directory, so by role. */
async function openHospital(
  { config, roles, sites, clock, log }: Ground,
  hospitals: Hospitals,
  manifests: ManifestDeps,
): Promise<HospitalImages> {
  const folders = [...roles].map((role) => join(config.dataDir, 'recalled', role));
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  const [folder = join(config.dataDir, 'recalled', 'none')] = folders;
  const manifestOf = (site: SiteId, studyUid: Uid): ReturnType<typeof manifestOfStudy> =>
    manifestOfStudy(manifests, site, studyUid);
  const otherwise = createImagingFetch({ hospitals, manifestOf });
  return openHospitalArchive({ sites, otherwise, aeTitle: config.aeTitle, folder, clock, log });
}

/** Makes the manifest of a study, wherever its images are: readers are led to the hub. */
function manifestOf({ config, sites }: Ground, derive: Derivation): ListKeptDeps['manifest'] {
  return (exam, study, createdAt) => {
    const site = sites.byId(study.site);
    return createManifest({
      exam,
      study,
      repositoryOid: config.repositoryOid,
      aeTitle: config.aeTitle,
      ...(config.publicUrl === null ? {} : { retrieveUrl: `${config.publicUrl}/dicomweb/studies/${study.studyUid}` }),
      ...(site === null ? {} : { institution: site.name }),
      ...(site?.accessionIssuer === undefined ? {} : { accessionIssuer: site.accessionIssuer }),
      timeZone: site?.timeZone ?? 'Asia/Shanghai',
      createdAt,
      derive,
    });
  };
}

/** The Imaging Document Source: makes the document registry follow the index. */
function publisherOf(
  { config, database, objects, sites, clock, log }: Ground,
  derive: Derivation,
  audit: AuditTrail,
): PublishDocuments {
  const { affinityDomainOid } = config;
  const writer = createDocumentWriter({ database, clock, affinityDomainOid });
  return createPublishDocuments({
    exams: createPublishableExams({ database, derive }),
    registry: { ...createOwnEntries(database), ...writer },
    patients: createAffinityPatients({ database, affinityDomainOid }),
    documents: createDocumentStore(objects),
    objects,
    record: recordSubmissions(audit, repositoryName(config)),
    context: {
      derive,
      repositoryOid: config.repositoryOid as Oid,
      affinityDomainOid,
      wadoUrl: config.publicUrl === null ? null : `${config.publicUrl}/dicomweb`,
      site: (id) => sites.byId(id),
    },
    clock,
    log,
  });
}

/** The hub's repository as an audit message names it: where it is called, or else by its unique id. */
const repositoryName = ({ publicUrl, repositoryOid }: Config): string =>
  publicUrl === null ? `urn:oid:${repositoryOid}` : `${publicUrl}/xds/repository`;

/** Calls at most every WAKE_MS and never loses the last call; a queue that is away is no harm, the sweep looks by itself. */
function throttled(call: () => Promise<void>, log: Log): () => void {
  let timer: NodeJS.Timeout | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      call().catch((error: unknown) => {
        log.warn({ code: codeOf(error) }, 'the queue did not take a wake-up');
      });
    }, WAKE_MS);
  };
}

/** Organizations and endpoints are data of the sites: rendered at every start, versioned only where they changed. */
export async function renderSites(ground: Ground, rooms: Rooms): Promise<void> {
  await enterSites(ground.database, ground.sites.all);
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
