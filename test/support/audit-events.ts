/** One audit record of every kind that the faces write, for tests of what is made of them. */
import type { AuditEvent, AuditRecord, AuditedUser } from '../../hub/core/audit.ts';
import type { AuditEvent as FhirAuditEvent } from 'fhir/r4.js';
import type { FhirBody } from '../../hub/core/fhir.ts';
import type { AuditSource } from '../../mappings/atna/index.ts';
import { faultsOf } from './fhir-validation.ts';

export const SOURCE: AuditSource = {
  id: 'HUTONG@hub1',
  site: '2.999.156.2',
  host: 'hub1.example',
  origin: 'https://hub.example',
  aeTitle: 'HUTONG',
  processId: '4711',
};

export function record(change: Partial<AuditRecord>): AuditRecord {
  return {
    id: '7',
    at: '2026-11-25T08:00:00.123Z',
    action: 'read',
    outcome: 'success',
    face: 'xds',
    operation: 'RAD-69',
    callerId: 'c1',
    callerName: '查询平台 <A & B>',
    callerRole: 'query-platform',
    peer: '10.1.2.3',
    persons: [],
    objects: [],
    ...change,
  };
}

export const USER: AuditedUser = {
  userId: 'zhang',
  userName: '张医生',
  issuer: 'urn:sts:a',
  roles: [{ code: '223366009', system: '2.16.840.1.113883.6.96', display: 'Healthcare professional' }],
  purposes: [{ code: 'TREATMENT', system: '2.16.840.1.113883.3.18.7.1', display: '' }],
  emergency: false,
};
const PATIENT = 'P1^^^&2.999.156.1&ISO';
const QUERY = {
  id: 'urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d',
  content: Buffer.from('<AdhocQuery/>').toString('base64'),
  home: 'urn:oid:2.999.156.2',
};
const DOCUMENTS = [
  { uniqueId: '1.2.3^a', repository: '2.999.156.3', home: 'urn:oid:2.999.156.2' },
  { uniqueId: '1.2.4', repository: '2.999.156.3' },
];

const xds = (transaction: string, detail: AuditEvent['detail'], change: Partial<AuditRecord> = {}): AuditRecord =>
  record({ operation: transaction, detail: { transaction, ...detail }, ...change });

const [face, action, callerId] = ['hub', 'administer', 'system'] as const;
const ITSELF = { face, action, callerId, callerName: callerId, callerRole: '', peer: '' };

/** What it is, the event and the action that it must be, and the record. */
export const EVERY_KIND: readonly (readonly [name: string, event: string, action: string, record: AuditRecord])[] = [
  ['stored query', '110112', 'E', xds('ITI-18', { patientIds: [PATIENT], query: QUERY }, { onBehalfOf: USER })],
  ['cross-gateway query', '110112', 'E', xds('ITI-38', { patientIds: [PATIENT], query: QUERY })],
  [
    'cross-gateway query, asked',
    '110112',
    'E',
    xds('ITI-38', { initiated: true, endpoint: 'https://b.example/rg', query: QUERY }),
  ],
  [
    'multi-patient query',
    '110112',
    'E',
    xds('ITI-51', { patientIds: [PATIENT, 'P2^^^&2.999.156.1&ISO'], query: QUERY }),
  ],
  [
    'provide and register',
    '110107',
    'C',
    xds('ITI-41', { patientIds: [PATIENT], submissionSet: '1.2.9', endpoint: 'https://hub.example/xds/repository' }),
  ],
  [
    'provide and register, sent',
    '110106',
    'R',
    xds('ITI-41', { initiated: true, patientIds: [PATIENT], submissionSet: '1.2.9' }),
  ],
  ['register', '110107', 'C', xds('ITI-42', { patientIds: [PATIENT], submissionSet: '1.2.9' })],
  ['metadata update', '110107', 'U', xds('ITI-57', { patientIds: [PATIENT], submissionSet: '1.2.9' })],
  ['on-demand entry', '110107', 'C', xds('ITI-61', { patientIds: [PATIENT], submissionSet: '1.2.9' })],
  [
    'delete',
    '110110',
    'D',
    xds('ITI-62', {
      patientIds: [PATIENT],
      documents: [{ uniqueId: 'urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d' }],
    }),
  ],
  ['remove documents', '110110', 'D', xds('ITI-86', { documents: DOCUMENTS })],
  ['retrieve', '110106', 'R', xds('ITI-43', { patientIds: [PATIENT], documents: DOCUMENTS }, { onBehalfOf: USER })],
  [
    'retrieve, asked',
    '110107',
    'C',
    xds('ITI-43', { initiated: true, endpoint: 'https://h1.example/repository', documents: DOCUMENTS }),
  ],
  ['cross-gateway retrieve', '110106', 'R', xds('ITI-39', { documents: DOCUMENTS })],
  ['images', '110104', 'R', xds('RAD-69', {}, { persons: ['p1'], objects: ['1.2.3'] })],
  [
    'images that failed',
    '110104',
    'R',
    xds('RAD-69', {}, { objects: ['1.2.9'], outcome: 'failure', reason: 'XDSDocumentUniqueIdError' }),
  ],
  [
    'cross-gateway images, asked',
    '110104',
    'C',
    xds('RAD-75', { initiated: true, endpoint: 'https://b.example/rig' }, { objects: ['1.2.3'] }),
  ],
  [
    'patient feed',
    '110110',
    'C',
    record({
      face: 'hl7v2',
      action: 'feed',
      operation: 'ADT^A01',
      callerId: '',
      callerName: 'HIS|H1',
      detail: { transaction: 'ITI-8', change: 'create', messageId: 'M1', patientIds: [PATIENT] },
    }),
  ],
  ...(
    [
      ['ORM^O01', '110109', 'RAD-2'],
      ['OMI^O23', '110111', 'RAD-4'],
      ['ORU^R01', '110107', 'RAD-28'],
      ['SIU^S12', '110111', 'RAD-48'],
      ['MDM^T02', '110107', undefined],
    ] as const
  ).map(
    ([operation, event, transaction]) =>
      [
        operation,
        event,
        'C',
        record({
          ...{ face: 'hl7v2', action: 'feed', operation, callerId: 'RIS|H1', callerName: 'RIS|H1' },
          detail: { messageId: 'M1', patientIds: [PATIENT], ...(transaction === undefined ? {} : { transaction }) },
        }),
      ] as const,
  ),
  [
    'registration by REST',
    '110107',
    'C',
    record({
      ...{ face: 'rest', action: 'feed', operation: 'REST^Registration' },
      detail: { messageId: '7', patientIds: [PATIENT] },
    }),
  ],
  [
    'patient merge',
    '110110',
    'D',
    xds('ITI-44', { change: 'delete', messageId: '1.2.3^m', patientIds: [PATIENT] }, { action: 'feed' }),
  ],
  [
    'C-FIND',
    '110112',
    'E',
    record({
      face: 'dimse',
      action: 'search',
      operation: 'C-FIND STUDY',
      callerId: 'H1PACS',
      persons: ['p1', 'p2'],
      objects: ['1.2.3'],
      detail: { query: { id: '1.2.840.10008.5.1.4.1.2.2.1', content: 'AAECAw==' } },
    }),
  ],
  [
    'C-MOVE',
    '110104',
    'R',
    record({
      face: 'dimse',
      action: 'export',
      operation: 'C-MOVE STUDY to WS1',
      callerId: 'H1PACS',
      persons: ['p1'],
      objects: ['1.2.3'],
    }),
  ],
  [
    'C-STORE',
    '110104',
    'C',
    record({ face: 'dimse', action: 'feed', operation: 'C-STORE', callerId: 'H1PACS', objects: ['1.2.3'] }),
  ],
  [
    'QIDO-RS',
    '110112',
    'E',
    record({
      face: 'dicomweb',
      action: 'search',
      operation: 'QIDO-RS studies',
      persons: ['p1'],
      detail: { query: { content: Buffer.from('/dicomweb/studies?PatientID=1').toString('base64') } },
    }),
  ],
  [
    'WADO-RS',
    '110104',
    'R',
    record({ face: 'dicomweb', operation: 'WADO-RS study', persons: ['p1'], objects: ['1.2.3'] }),
  ],
  [
    'read of a person in a session',
    '110104',
    'R',
    record({
      ...{ face: 'dicomweb', operation: 'WADO-RS study', persons: ['p1'], objects: ['1.2.3'], callerRole: 'physician' },
      ...{
        purpose: 'EMERGENCY',
        basis: 'break-glass',
        institution: '省人民医院',
        session: 'f00d',
        agent: 'Mozilla/5.0',
      },
    }),
  ],
  [
    'FHIR read of a person in a session',
    '110106',
    'R',
    record({
      ...{ face: 'fhir', operation: 'GET /fhir/ImagingStudy/i2', persons: ['p1'], objects: ['ImagingStudy/i2'] },
      ...{ purpose: 'TREATMENT', basis: 'treating', institution: '省人民医院', session: 'f00d', agent: 'Mozilla/5.0' },
    }),
  ],
  ['WADO-URI', '110104', 'R', record({ face: 'dicomweb', operation: 'WADO-URI', persons: ['p1'], objects: ['1.2.3'] })],
  ['STOW-RS', '110104', 'C', record({ face: 'dicomweb', action: 'feed', operation: 'STOW-RS', objects: ['1.2.3'] })],
  [
    'PDQm',
    '110112',
    'E',
    record({
      face: 'fhir',
      action: 'search',
      operation: 'GET /fhir/Patient?name',
      persons: ['p1'],
      objects: ['Patient/p1'],
      detail: { query: { content: Buffer.from('/fhir/Patient?name=王').toString('base64') } },
    }),
  ],
  [
    'PIXm',
    '110112',
    'E',
    record({
      face: 'fhir',
      action: 'search',
      operation: 'GET /fhir/Patient/$ihe-pix',
      detail: { transaction: 'ITI-83' },
    }),
  ],
  [
    'MHD find',
    '110112',
    'E',
    record({ face: 'fhir', action: 'search', operation: 'POST /fhir/DocumentReference/_search' }),
  ],
  [
    'MHD retrieve',
    '110106',
    'R',
    record({ face: 'fhir', operation: 'GET /fhir/Binary/b1', persons: ['p1'], objects: ['Binary/b1'] }),
  ],
  [
    'MHD provide',
    '110107',
    'C',
    record({
      face: 'fhir',
      action: 'feed',
      operation: 'POST /fhir',
      detail: { transaction: 'ITI-65', submissionSet: '1.2.9', patientIds: [PATIENT] },
    }),
  ],
  [
    'FHIR search',
    '110112',
    'E',
    record({
      face: 'fhir',
      action: 'search',
      operation: 'GET /fhir/ImagingStudy?patient',
      detail: { query: { content: Buffer.from('/fhir/ImagingStudy?patient=p9').toString('base64') } },
    }),
  ],
  [
    'FHIR read',
    '110106',
    'R',
    record({ face: 'fhir', operation: 'GET /fhir/ImagingStudy/i1', persons: ['p1'], objects: ['ImagingStudy/i1'] }),
  ],
  ['REST search', '110112', 'E', record({ face: 'rest', action: 'search', operation: 'searchExams', persons: ['p1'] })],
  [
    'REST change',
    '110110',
    'U',
    record({ face: 'rest', action: 'change', operation: 'decideReview', persons: ['p1'] }),
  ],
  [
    'REST administration',
    '110113',
    'E',
    record({ face: 'rest', action: 'administer', operation: 'createClient', objects: ['client/c2'] }),
  ],
  [
    'login refused',
    '110114',
    'E',
    record({
      face: 'fhir',
      action: 'refuse',
      outcome: 'refused',
      operation: 'GET /fhir/Patient',
      callerId: '',
      callerName: '',
      callerRole: '',
      reason: 'invalid token',
    }),
  ],
  [
    'right refused',
    '110113',
    'E',
    record({
      face: 'dicomweb',
      action: 'refuse',
      outcome: 'refused',
      operation: 'WADO-RS study',
      reason: 'this role may not read records',
      objects: ['1.2.3'],
    }),
  ],
  [
    'association refused',
    '110113',
    'E',
    record({
      face: 'dimse',
      action: 'refuse',
      outcome: 'refused',
      operation: 'A-ASSOCIATE',
      callerId: 'EVIL',
      callerName: 'EVIL',
      callerRole: 'unknown',
      reason: 'unknown AE',
    }),
  ],
  [
    'HL7 sender refused',
    '110113',
    'E',
    record({
      face: 'hl7v2',
      action: 'refuse',
      outcome: 'refused',
      operation: 'ADT^A01',
      callerId: '',
      callerName: 'X|Y',
      reason: 'unknown-sender',
    }),
  ],
  [
    'audit log read',
    '110101',
    'R',
    record({ face: 'rest', operation: 'listAudit', objects: ['audit'], callerRole: 'administrator' }),
  ],
  ['start', '110100', 'E', record({ ...ITSELF, operation: 'start' })],
  ['stop', '110100', 'E', record({ ...ITSELF, operation: 'stop' })],
];

/**
 * BALP's slices of subtype tell by a value set which subtype is theirs; the validator counts every subtype to them, in
 * IHE's own examples with two as well. That one is looked at here instead.
 */
export function auditFaults(resource: FhirBody): string[] {
  const subtypes = (resource as FhirAuditEvent).subtype ?? [];
  const own = subtypes.filter(({ code }) => ['read', 'vread', 'search', 'search-type'].includes(code ?? ''));
  return faultsOf(resource).filter((fault) => own.length !== 1 || !/slice 'any(Read|Search)'.*found 2/.test(fault));
}
