/** Views, a projection context and a served face for the FHIR tests. */
import express from 'express';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { fhirFace } from '../../hub/api/fhir/index.ts';
import { setCaller } from '../../hub/api/caller.ts';
import type { Caller } from '../../hub/core/access.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import type { FhirStore } from '../../hub/core/fhir.ts';
import { Derivation, siteId, type HubId, type Uid } from '../../hub/core/identifier.ts';
import type {
  ExamView,
  ManifestView,
  OrderView,
  PatientView,
  PersonView,
  ReportView,
  SeriesView,
  StudyView,
} from '../../hub/core/view.ts';
import type { Database } from '../../hub/store/database.ts';
import { openFhirStore, saveResources, type OwnedResource } from '../../hub/store/fhir.ts';
import {
  projectExam,
  projectPerson,
  projectSite,
  renderProvenance,
  type FhirContext,
} from '../../mappings/fhir/index.ts';
import { affinityOver, type AffinityStore } from './affinity.ts';
import { quiet } from './database.ts';
import { siteProfile } from './site.ts';
import { everythingSeen } from './access.ts';

export const derive = new Derivation(new Uint8Array(32).fill(7));
export const SITES = [
  siteProfile('h1', { name: '省第一人民医院', level: '三级甲等', accessionIssuer: '2.999.156.1.1.9' }),
  siteProfile('h3', { name: '省第三医院', storage: 'hospital', uscc: '91350100M000100Y43' }),
];
export const context: FhirContext = {
  derive,
  examIndexOid: '2.999.156.4',
  affinityDomainOid: '2.999.156.1',
  repositoryOid: '2.999.156.3',
  site: (id) => SITES.find((site) => site.id === id) ?? null,
};

/** Bodies of stored documents by object key. */
export const OBJECTS = new Map<string, Buffer>();

export function patientView(changes: Partial<PatientView> = {}): PatientView {
  return {
    recordId: derive.id('record', 'h1', 'P1'),
    site: siteId('h1'),
    authority: '2.999.156.1.1',
    localId: 'P1',
    names: [
      { text: '张三', family: '张', given: '三', representation: 'ideographic' },
      { text: 'Zhang San', family: 'Zhang', given: 'San', representation: 'alphabetic' },
    ],
    sex: 'male',
    birthDate: '1980-03-15',
    identifiers: [{ authority: '2.999.156.1.1', value: 'P1', type: 'PI' }],
    phone: '13800000000',
    address: { text: '中山路 1 号', postalCode: '350001' },
    maritalStatus: { code: '20', system: '2.16.156.10011.2.3.3.5', display: '已婚' },
    ethnicGroup: { code: '01', system: '2.16.156.10011.2.3.3.3', display: '汉族' },
    nationality: null,
    deceased: false,
    residentId: '210102198003151239',
    mergedInto: null,
    ...changes,
  };
}

export function personView(changes: Partial<PersonView> = {}): PersonView {
  return { personId: derive.id('person', '1'), records: [patientView()], replacedBy: null, ...changes };
}

export const orderView = (changes: Partial<OrderView> = {}): OrderView => ({
  orderId: derive.id('order', '1'),
  keys: { placer: 'PL1', filler: 'FL1', accession: 'ACC1' },
  status: 'completed',
  at: '2024-11-22T01:00:00.000Z',
  fields: {
    procedure: {
      code: 'CT001',
      system: '2.999.156.9.1',
      display: '胸部 CT 平扫',
      source: { code: 'X17', display: '胸CT' },
    },
    bodyPart: { code: '51185008', system: 'SCT', display: 'Thorax' },
    priority: 'urgent',
    reason: '咳嗽 <3 周 & 发热',
    diagnosis: { code: 'J18.900', system: '2.16.156.10011.2.3.3.11', display: '肺炎' },
    requester: '李医生',
    requestedAt: '2024-11-22T00:30:00.000Z',
    scheduledAt: '2024-11-22T01:00:00.000Z',
  },
  ...changes,
});

const uid = (text: string): Uid => text as Uid;

export const seriesView = (changes: Partial<SeriesView> = {}): SeriesView => ({
  seriesUid: uid('1.2.3.1'),
  modality: 'CT',
  number: 2,
  description: 'Lung 1.0',
  bodyPart: 'CHEST',
  laterality: 'L',
  startedAt: '2024-11-22T01:06:00.000Z',
  stationName: 'CT1',
  manufacturer: 'ACME',
  instanceCount: 2,
  instances: [1, 2].map((number) => ({
    sopUid: uid(`1.2.3.1.${String(number)}`),
    sopClass: uid('1.2.840.10008.5.1.4.1.1.2'),
    transferSyntax: uid('1.2.840.10008.1.2.1'),
    number,
    rows: 512,
    columns: 512,
    frames: null,
    bitsAllocated: 16,
    object: 'x',
    size: 1,
    digest: 'x',
    dataSetOffset: 132,
  })),
  ...changes,
});

export const studyView = (changes: Partial<StudyView> = {}): StudyView => ({
  studyId: derive.id('study', '1'),
  studyUid: uid('1.2.3'),
  site: siteId('h1'),
  fields: { modality: 'CT', description: '胸部', startedAt: '2024-11-22T01:05:00.000Z' },
  modalities: ['CT'],
  seriesCount: 1,
  instanceCount: 2,
  availability: 'complete',
  voided: false,
  changedAt: '2026-03-01T08:30:00.000Z',
  series: [seriesView()],
  ...changes,
});

export const reportView = (changes: Partial<ReportView> = {}): ReportView => ({
  reportId: derive.id('report', '1'),
  reportNumber: 'R1',
  status: 'final',
  at: '2024-11-22T03:00:00.000Z',
  content: {
    title: '胸部 CT 报告',
    findings: '右肺上叶结节，直径 <6mm。\n余未见异常 & 对比前片无变化。',
    impression: '右肺上叶小结节',
    suggestion: '6 个月复查',
    positive: true,
    critical: false,
    conclusionCodes: [{ code: 'R91', system: '2.16.156.10011.2.3.3.11', display: '肺诊断影像异常' }],
    reporter: '王医生',
    auditor: '赵主任',
    reportedAt: '2024-11-22T02:30:00.000Z',
    auditedAt: '2024-11-22T03:00:00.000Z',
  },
  supersedes: 0,
  ...changes,
});

export function documented(report: ReportView): ReportView {
  OBJECTS.set('documents/1', Buffer.from('%PDF-1.4 the report'));
  const size = OBJECTS.get('documents/1')?.length ?? 0;
  const documentId = derive.id('document', report.reportId);
  return {
    ...report,
    document: { documentId, contentType: 'application/pdf', object: 'documents/1', size, sha1: 'a'.repeat(40) },
  };
}

export function manifestView(): ManifestView {
  OBJECTS.set('manifests/1', Buffer.from('DICM'));
  return {
    studyUid: uid('1.2.3'),
    sopUid: uid('2.25.77'),
    object: 'manifests/1',
    size: 4,
    sha1: 'b'.repeat(40),
    createdAt: '2024-11-22T01:20:00.000Z',
  };
}

export const examView = (changes: Partial<ExamView> = {}): ExamView => ({
  examId: derive.id('exam', '1'),
  site: siteId('h1'),
  recordId: derive.id('record', 'h1', 'P1'),
  personId: derive.id('person', '1'),
  patient: patientView(),
  keys: { accession: 'ACC1', filler: 'FL1', studyUid: uid('1.2.3') },
  index: { value: 'INDEX1', issuedBy: 'hub', aliases: ['OLD1'] },
  cancelled: false,
  orders: [orderView()],
  studies: [studyView()],
  report: documented(reportView()),
  manifests: [manifestView()],
  ...changes,
});

/** Another exam of the same or another person; every id and key carries `name`. */
export function namedExam(name: string, personId: HubId, changes: Partial<ExamView> = {}): ExamView {
  const order = orderView({
    orderId: derive.id('order', name),
    keys: { placer: `PL${name}`, accession: `ACC${name}` },
  });
  const number = String(parseInt(derive.id(name).slice(0, 8), 16));
  const studyUid = uid(`1.2.9.${number}`);
  const series = seriesView({ seriesUid: uid(`${studyUid}.1`), instances: [] });
  return examView({
    examId: derive.id('exam', name),
    personId,
    keys: { accession: `ACC${name}`, studyUid },
    index: null,
    orders: [order],
    studies: [studyView({ studyId: derive.id('study', name), studyUid, series: [series] })],
    report: reportView({ reportId: derive.id('report', name) }),
    manifests: [],
    ...changes,
  });
}

export const PROVENANCE = { journalIds: ['1001'], site: 'h1', at: '2024-11-22T03:00:01.000Z' };

export const ownedBy = (owner: string, resources: ReturnType<typeof projectExam>): OwnedResource[] =>
  resources.map((resource) => ({ ...resource, owner }));

export const personResources = (person: PersonView): OwnedResource[] =>
  ownedBy(`person:${person.personId}`, projectPerson(person, context));
export const examResources = (exam: ExamView): OwnedResource[] =>
  ownedBy(`exam:${exam.examId}`, projectExam(exam, context));
export const siteResources = (): OwnedResource[] =>
  SITES.flatMap((site) => ownedBy(`site:${site.id}`, projectSite(site, context)));

export async function save(database: Database, resources: readonly OwnedResource[], owners?: string[]): Promise<void> {
  const named = owners ?? [...new Set(resources.map((resource) => resource.owner))];
  await database.transaction((connection) => saveResources(connection, named, resources, PROVENANCE));
}

/** The projection alone. */
export const openProjection = (database: Database): FhirStore =>
  openFhirStore(database, { renderProvenance, searchTimeoutMs: 10_000, pageLifetimeMs: 60_000 });
/** The projection and the documents of the affinity domain, as the face has them. */
export const openStore = (database: Database): AffinityStore =>
  affinityOver(database, openProjection(database), OBJECTS);

export const READER: Caller = { id: 'c1', name: 'platform', role: 'query-platform', peer: '127.0.0.1' };

export interface Served {
  readonly base: string;
  readonly audited: AuditEvent[];
  caller: Caller | null;
  /** When set, the audit fails as a full disk would make it. */
  auditBroken: boolean;
  get(path: string, headers?: Record<string, string>): Promise<globalThis.Response>;
  json<T>(path: string, headers?: Record<string, string>): Promise<T>;
  close(): Promise<void>;
}

/** The face over HTTP on a free port, as `READER` unless told otherwise. */
export async function serveFhir({ store, domain }: AffinityStore): Promise<Served> {
  const audited: AuditEvent[] = [];
  const app = express();
  const served: Served = {
    base: '',
    audited,
    caller: READER,
    auditBroken: false,
    get: (path, headers = {}) => fetch(`${served.base}${path}`, { headers }),
    json: async <T>(path: string, headers?: Record<string, string>) =>
      (await (await served.get(path, headers)).json()) as T,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  app.use((_request, response, next) => {
    setCaller(response, served.caller);
    next();
  });
  app.use(
    '/fhir',
    fhirFace({
      store,
      domain,
      access: everythingSeen,
      objects: {
        read: (key) => Promise.resolve(Readable.from([OBJECTS.get(key) ?? Buffer.alloc(0)])),
      },
      audit: {
        record: (event) => {
          if (served.auditBroken) return Promise.reject(new Error('disk full'));
          audited.push(event);
          return Promise.resolve();
        },
      },
      log: quiet,
      release: { version: '0.1.0', date: '2026-11-22' },
      origin: null,
    }),
  );
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  const { port } = server.address() as AddressInfo;
  Object.assign(served, { base: `http://127.0.0.1:${String(port)}/fhir` });
  return served;
}
