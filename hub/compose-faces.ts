/** Wires the faces over HTTP to the rooms: what is open under which path where the role `api` runs. */
import type { Router } from 'express';
import { renderProvenance } from '../mappings/fhir/index.ts';
import { auditEventFace } from './api/fhir/audit-event.ts';
import { consentFace } from './api/fhir/consent.ts';
import { fhirFace } from './api/fhir/index.ts';
import { dicomwebFace, LIMITS as DICOMWEB_LIMITS, wadoUri } from './api/dicomweb/index.ts';
import { createRestFace } from './api/rest/face.ts';
import { render } from './archive/render.ts';
import { openFrames } from './archive/transcode-frames.ts';
import { canTranscode, transcode } from './archive/transcode.ts';
import { auditSource } from './compose-atna.ts';
import { consentRooms } from './compose-consent.ts';
import { identityFeed } from './compose-identity.ts';
import { operationsRooms } from './compose-operations.ts';
import { viewer } from './compose-viewer.ts';
import { affinityDomain, xdsFaces } from './compose-xds.ts';
import type { JournalReader } from './core/operation.ts';
import { createClinicalRecords } from './flow/clinical-records.ts';
import { createRecallingIndex } from './flow/recall-index.ts';
import { createRecentReader } from './flow/recent-series.ts';
import { SeriesMetadata } from './flow/series-metadata.ts';
import { createAssertionCheck } from './security/assertion.ts';
import { createAssertionLedger } from './store/assertion.ts';
import { createWorklist } from './store/account-flag.ts';
import { createFlagDesk } from './store/audit-flag.ts';
import { createAuditSearch } from './store/audit-search.ts';
import { createVerificationLog } from './store/audit-verification.ts';
import { createClientStore } from './store/client.ts';
import { createExamHistory } from './store/exam-history.ts';
import { createExamSearch, createOrphanReader } from './store/exam-search.ts';
import { openFhirStore } from './store/fhir.ts';
import { createIdentityDesk } from './store/identity-decision.ts';
import { createJournalReader } from './store/journal-reader.ts';
import { createPersonSearch } from './store/person-search.ts';
import { createRematchDesk } from './store/rematch.ts';
import { createReviewQueue } from './store/review.ts';
import { createSensitivityDesk } from './store/sensitivity.ts';
import { createViewerLaunches } from './store/viewer.ts';
import type { SignOnRooms } from './compose-sign.ts';
import type { Ground, Rooms } from './compose.ts';

/** The hub's own REST API. */
function restFace(
  ground: Ground,
  rooms: Rooms,
  journal: JournalReader,
  consent: ReturnType<typeof consentRooms>,
  people: SignOnRooms,
): Router {
  const { database, log, clock } = ground;
  const identity = createIdentityDesk(rooms.desk);
  return createRestFace({
    ...people,
    journal,
    reviews: createReviewQueue({ ...rooms.desk, arrived: rooms.arrived }),
    identity,
    rematch: createRematchDesk(rooms.desk),
    orphans: createOrphanReader(database),
    exams: createExamSearch({ database, derive: rooms.derive }),
    index: rooms.reader,
    clinical: createClinicalRecords({
      persons: createPersonSearch(rooms.desk),
      history: createExamHistory({ database, derive: rooms.derive }),
      index: rooms.reader,
      identity,
    }),
    clients: createClientStore({ database, clock }),
    auditReader: rooms.audit,
    ...consent,
    ...operationsRooms(ground, rooms),
    launches: createViewerLaunches({ database, clock }),
    proofs: createVerificationLog({ database, clock }),
    anchors: ground.anchors,
    prove: ground.prove,
    worklist: createWorklist({ database }),
    sensitivity: createSensitivityDesk({ database, clock }),
    flags: createFlagDesk({ database, clock }),
    readerNames: ground.config.audit.readerNames,
    intake: rooms.journal,
    audit: rooms.audit,
    access: rooms.access,
    log,
  });
}

/** The faces that are open in this process, by path. */
export function faces(ground: Ground, rooms: Rooms, people: SignOnRooms): Readonly<Record<string, Router>> {
  const { config, objects, database, log, clock } = ground;
  const { audit } = rooms;
  const fhirStore = openFhirStore(database, {
    renderProvenance,
    searchTimeoutMs: 10_000,
    pageLifetimeMs: 3_600_000,
  });
  const domain = affinityDomain({ ...ground, hospitals: rooms.hospitals, matching: rooms.desk.matching }, fhirStore);
  const { access, communities, reader, images } = rooms;
  const journal = createJournalReader({ ...rooms, database, clock });
  const feed = identityFeed({ sites: ground.sites, clock, journal: rooms.journal, reader: journal });
  const metadata = new SeriesMetadata({ images, objects, sites: ground.sites, log, memoryBytes: METADATA_MEMORY });
  const pixels = { canTranscode, transcode, openFrames, render };
  const index = createRecallingIndex(rooms.index, rooms.reader);
  const series = { reader: createRecentReader(reader), index, metadata };
  const dicomweb = { ...rooms, ...series, sites: ground.sites, pixels, log, limits: DICOMWEB_LIMITS };
  const assertions = createAssertionCheck({ ...config.xua, ledger: createAssertionLedger(database), clock });
  const xds = {
    config,
    sites: ground.sites,
    database,
    objects,
    communities,
    queries: rooms.queries,
    feed,
    reader,
    images,
    transcode: pixels,
    access,
    audit,
    assertions,
    log,
    clock,
  };
  const consent = consentRooms({ ...ground, audit, access, derive: rooms.derive });
  return {
    ...people.signOnFaces,
    '/dicomweb': dicomwebFace(dicomweb),
    '/wado': wadoUri(dicomweb),
    ...xdsFaces(xds),
    '/fhir/AuditEvent': auditEventFace({
      search: createAuditSearch(database),
      audit,
      source: auditSource(config),
      log,
      origin: config.publicUrl,
    }),
    '/fhir/Consent': consentFace({ consents: consent.consents, audit, log, clock, origin: config.publicUrl }),
    '/fhir': fhirFace({
      store: domain.store,
      domain: { ...domain.domain, feed },
      objects,
      access,
      audit,
      log,
      release: RELEASE,
      origin: config.publicUrl,
    }),
    '/viewer': viewer(ground, rooms, dicomweb),
    '/api/v1': restFace(ground, rooms, journal, consent, people),
  };
}

const METADATA_MEMORY = 64 * 1024 * 1024;

/** What /fhir/metadata says of this build; the version is package.json's. */
const RELEASE = { version: '0.1.0', date: '2026-11-22' } as const;
