/**
 * The faces over one database with persons who are somebody's patients and nobody's, as tests of access walk them. Who
 * calls comes as JSON in the header `x-caller`, since authentication has its own tests.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { setCaller } from '../../hub/api/caller.ts';
import { dicomwebFace, LIMITS, wadoUri } from '../../hub/api/dicomweb/index.ts';
import { fhirFace } from '../../hub/api/fhir/index.ts';
import { createRestFace } from '../../hub/api/rest/face.ts';
import { IMAGING_SOURCE_LIMITS, imagingSourceFace } from '../../hub/api/xds/rad-69.ts';
import { SiteImageSource } from '../../hub/archive/image-source.ts';
import type { Caller } from '../../hub/core/access.ts';
import type { AccessDesk } from '../../hub/core/access-ports.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import type { HubId, SiteId, Uid } from '../../hub/core/identifier.ts';
import type { DicomIndex, IndexReader } from '../../hub/core/ports.ts';
import type { StandingConsent } from '../../hub/core/consent.ts';
import type { Sensitivity } from '../../hub/core/subject.ts';
import type { Sites } from '../../hub/core/site.ts';
import { SeriesMetadata } from '../../hub/flow/series-metadata.ts';
import { createDicomIndex } from '../../hub/store/dicom-index.ts';
import { createIndexReader } from '../../hub/store/index-reader.ts';
import { enterSites } from '../../hub/store/institution.ts';
import { accessDesk } from './access.ts';
import { restDeps } from './rest-deps.ts';
import { freshDatabase, quiet, type FreshDatabase } from './database.ts';
import {
  derive,
  namedExam,
  openStore,
  orderView,
  patientView,
  personResources,
  personView,
  save,
  context,
} from './fhir.ts';
import { projectExam } from '../../mappings/fhir/index.ts';
import { siteProfile } from './site.ts';

export const NOW = new Date('2026-03-10T02:00:00.000Z');
export const AUTHORITY = '2.999.156.1.1';
export const I1 = 'MA9990H1799010011A1001';
const SITES = ['h1', 'h3', 'h5'].map((id) =>
  siteProfile(id, id === 'h1' ? { institutionCode: I1 } : { institutionCode: `CODE-${id}` }),
);
const sites: Sites = {
  all: SITES,
  byId: (id) => SITES.find((site) => site.id === id) ?? null,
  byHl7Sender: () => null,
  byAeTitle: () => null,
};

export interface Laid {
  readonly person: HubId;
  readonly exam: HubId;
  readonly study: Uid;
  readonly order: HubId;
}

export interface AccessHub {
  readonly fresh: FreshDatabase;
  readonly access: AccessDesk;
  readonly audits: AuditEvent[];
  readonly index: DicomIndex;
  readonly reader: IndexReader;
  readonly consents: Map<HubId, StandingConsent[]>;
  /** A registration of the person at the site, last told of at `at`; and an exam there. */
  lay(
    person: string,
    site: string,
    name: string,
    more?: { at?: string; label?: Sensitivity; requester?: string },
  ): Promise<Laid>;
  register(person: string, site: string, at?: string): Promise<void>;
  call(caller: Caller, path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/** `laid`: a database in which there is something already. */
export async function startAccessHub(laid?: FreshDatabase): Promise<AccessHub> {
  const fresh = laid ?? (await freshDatabase());
  const { database } = fresh;
  const { pool } = database;
  const clock = (): Date => NOW;
  await enterSites(database, SITES);
  await pool.query(`update institution set region = '350000' where code = 'CODE-h5'`);
  await pool.query(`update institution set region = '210000' where code <> 'CODE-h5'`);
  const consents = new Map<HubId, StandingConsent[]>();
  const access = accessDesk(database, {
    clock,
    consents: {
      anyRefusal: () =>
        Promise.resolve(
          [...consents.values()].flat().some(({ rules }) => rules.some(({ effect }) => effect === 'deny')),
        ),
      consentsOf: () => Promise.resolve(consents),
      grantsOf: () => Promise.resolve(new Map()),
    },
  });
  const audits: AuditEvent[] = [];
  const audit = { record: (event: AuditEvent) => Promise.resolve(void audits.push(event)) };
  const index = createDicomIndex(database);
  const reader = createIndexReader({ database, derive });
  const server = createServer(await faces());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    ...{ fresh, access, audits, index, reader, consents, register },
    async lay(person, site, name, more = {}) {
      const { at = '2026-03-01T08:00:00.000Z', label, requester = '李医生' } = more;
      await register(person, site, at);
      const recordId = derive.id('record', site, person);
      const personId = derive.id('person', person);
      const order = orderView({ orderId: derive.id('order', name), keys: { placer: `PL${name}` } });
      const view = namedExam(name, personId, {
        ...{ site: site as SiteId, recordId, orders: [{ ...order, fields: { ...order.fields, requester } }] },
        patient: patientView({ recordId, site: site as SiteId, localId: person }),
      });
      const [study] = view.studies;
      const uid = study?.studyUid ?? ('' as Uid);
      const stamped = (value: unknown): [string, unknown] => [`2|${at}|00|x`, value];
      const orders = [
        { keys: [`placer|PL${name}`], facts: { requester: stamped(requester), status: stamped('completed') } },
      ];
      const facts = {
        site,
        recordId,
        placed: true,
        keys: [`study|${uid}`],
        orders,
        studies: { [uid]: {} },
        reports: [],
      };
      await pool.query(
        `insert into exam (record_id, exam_id, site, facts, cancelled, has_order, has_report, has_images, performed_at)
         values ($1, $2, $3, $4, false, true, false, true, $5)`,
        [recordId, view.examId, site, JSON.stringify(facts), at],
      );
      await pool.query(
        `insert into study (record_id, study_uid, study_id, exam_id, site, modalities, series_count, instance_count, availability, study_date)
         values ($1, $2, $3, $4, $5, '{CT}', 1, 1, 'complete', '20260301')`,
        [recordId, uid, derive.id('study', name), view.examId, site],
      );
      await pool.query(
        `insert into series (record_id, study_uid, series_uid, modality, instance_count) values ($1, $2, $2 || '.1', 'CT', 1)`,
        [recordId, uid],
      );
      await pool.query(
        `insert into instance (record_id, study_uid, series_uid, sop_uid, sop_class, transfer_syntax, rows, columns, object, size, digest, data_set_offset, journal_id)
         values ($1, $2, $2 || '.1', $2 || '.1.1', '1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.1.2.1', 8, 8, 'none', 1, 'd', 0, 1)`,
        [recordId, uid],
      );
      if (label !== undefined)
        await pool.query(`insert into exam_label (exam_id, label, source) values ($1, $2, 'hand')`, [
          view.examId,
          label,
        ]);
      const owner = `exam|${view.examId}`;
      await save(
        database,
        projectExam(view, context).map((resource) => ({ ...resource, owner })),
      );
      return { person: personId, exam: view.examId, study: uid, order: order.orderId };
    },
    call: (caller, path, init = {}) =>
      fetch(origin + path, {
        ...init,
        headers: {
          'x-caller': Buffer.from(JSON.stringify(caller)).toString('base64'),
          ...Object.fromEntries(new Headers(init.headers)),
        },
      }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await fresh.drop();
    },
  };

  async function register(person: string, site: string, at = '2026-03-01T08:00:00.000Z'): Promise<void> {
    const personId = derive.id('person', person);
    const recordId = derive.id('record', site, person);
    await pool.query('insert into person (person_id) values ($1) on conflict do nothing', [personId]);
    await pool.query(
      `insert into patient_record (record_id, site, authority, local_id, person_id, facts) values ($1, $2, $3, $4, $5, $6)
       on conflict do nothing`,
      [recordId, site, AUTHORITY, person, personId, JSON.stringify({ sex: [`2|${at}|00|x`, 'male'] })],
    );
    const records = [patientView({ recordId, localId: person })];
    await save(database, personResources(personView({ personId, records })));
  }

  async function faces(): Promise<express.Express> {
    const app = express();
    app.set('query parser', 'simple');
    app.use((request, response, next) => {
      const text = Buffer.from(request.get('x-caller') ?? '', 'base64').toString();
      setCaller(response, text === '' ? null : (JSON.parse(text) as Caller));
      next();
    });
    const objects = {
      read: () => Promise.reject(new Error('no bytes in this test')),
      readAll: () => Promise.reject(new Error('no bytes in this test')),
    };
    const images = new SiteImageSource({ objects: objects as never, sites });
    const metadata = new SeriesMetadata({ images, objects: objects as never, sites, log: quiet, memoryBytes: 1024 });
    const refuse = (): Promise<never> => Promise.reject(new Error('no pixels in this test'));
    const pixels = { canTranscode: () => false, transcode: refuse, openFrames: refuse, render: refuse };
    const sink = { begin: refuse, refuse: () => Promise.resolve(), paused: () => undefined };
    const dicomweb = {
      index,
      reader,
      images,
      sink,
      metadata,
      pixels,
      audit,
      access,
      sites,
      log: quiet,
      limits: LIMITS,
    };
    app.use('/dicomweb', dicomwebFace(dicomweb)).use('/wado', wadoUri(dicomweb));
    const source = { ...dicomweb, transcode: pixels, repositoryOid: '2.999.3', homeCommunityOid: '2.999.4' };
    app.use('/xds/imaging-source', imagingSourceFace({ ...source, limits: IMAGING_SOURCE_LIMITS }));
    const affinity = openStore(database);
    app.use(
      '/fhir',
      fhirFace({
        ...{ store: affinity.store, domain: affinity.domain, access, audit, log: quiet, origin: null },
        objects,
        release: { version: '0.1.0', date: '2026-11-22' },
      }),
    );
    app.use('/api/v1', createRestFace((await restDeps({ database, clock, sites, derive, audit, access })).deps));
    return app;
  }
}
