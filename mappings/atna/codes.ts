/**
 * The codes of audit messages: events and their types (PS3.16 CID 400, 401), and for each transaction of IHE what event
 * it is and which way its data goes (ITI TF-2 §3.n.5, RAD TF-2 §4.n.5).
 */

export interface Code {
  readonly code: string;
  readonly system: string;
  readonly text: string;
}

export const dcm = (code: string, text: string): Code => ({ code, system: 'DCM', text });
const rfc3881 = (code: string, text: string): Code => ({ code, system: 'RFC-3881', text });
const metadata = (code: string, text: string): Code => ({ code, system: 'IHE XDS Metadata', text });

export const EVENT = {
  application: dcm('110100', 'Application Activity'),
  auditLogUsed: dcm('110101', 'Audit Log Used'),
  transferred: dcm('110104', 'DICOM Instances Transferred'),
  export: dcm('110106', 'Export'),
  import: dcm('110107', 'Import'),
  order: dcm('110109', 'Order Record'),
  patientRecord: dcm('110110', 'Patient Record'),
  procedure: dcm('110111', 'Procedure Record'),
  query: dcm('110112', 'Query'),
  alert: dcm('110113', 'Security Alert'),
  authentication: dcm('110114', 'User Authentication'),
} as const;

export const TYPE = {
  start: dcm('110120', 'Application Start'),
  stop: dcm('110121', 'Application Stop'),
  login: dcm('110122', 'Login'),
  logout: dcm('110123', 'Logout'),
  nodeAuthentication: dcm('110126', 'Node Authentication'),
  securityConfiguration: dcm('110129', 'Security Configuration'),
  restrictedFunction: dcm('110132', 'Use of Restricted Function'),
} as const;

export const ROLE = {
  application: dcm('110150', 'Application'),
  launcher: dcm('110151', 'Application Launcher'),
  destination: dcm('110152', 'Destination Role ID'),
  source: dcm('110153', 'Source Role ID'),
} as const;

export const ID_TYPE = {
  patient: rfc3881('2', 'Patient Number'),
  report: rfc3881('9', 'Report Number'),
  uri: rfc3881('12', 'URI'),
  study: dcm('110180', 'Study Instance UID'),
  sopClass: dcm('110181', 'SOP Class UID'),
  submissionSet: metadata('urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd', 'submission set classificationNode'),
  entry: metadata('urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1', 'XDSDocumentEntry'),
} as const;

export type Action = 'C' | 'R' | 'U' | 'D' | 'E';

export interface Transaction {
  readonly name: string;
  readonly event: Code;
  /** Of who was asked. */
  readonly action: Action;
  /** Of who asks, where it is another. */
  readonly initiator?: { readonly event: Code; readonly action: Action };
  /** The data goes to who asks: who was asked is its source. */
  readonly given?: true;
}

const query = (name: string): Transaction => ({ name, event: EVENT.query, action: 'E' });
const taken = (name: string, action: Action = 'C'): Transaction => ({
  name,
  event: EVENT.import,
  action,
  initiator: { event: EVENT.export, action: 'R' },
});
const given = (name: string): Transaction => ({
  name,
  event: EVENT.export,
  action: 'R',
  initiator: { event: EVENT.import, action: 'C' },
  given: true,
});
const images = (name: string): Transaction => ({
  name,
  event: EVENT.transferred,
  action: 'R',
  initiator: { event: EVENT.transferred, action: 'C' },
  given: true,
});
const sent = (name: string): Transaction => ({
  name,
  event: EVENT.transferred,
  action: 'C',
  initiator: { event: EVENT.transferred, action: 'R' },
});
const record = (name: string, action: Action = 'C'): Transaction => ({ name, event: EVENT.patientRecord, action });

export const TRANSACTIONS: ReadonlyMap<string, Transaction> = new Map([
  ['ITI-8', record('Patient Identity Feed')],
  ['ITI-9', query('PIX Query')],
  ['ITI-10', record('PIX Update Notification', 'R')],
  ['ITI-18', query('Registry Stored Query')],
  ['ITI-21', query('Patient Demographics Query')],
  ['ITI-30', record('Patient Identity Management')],
  ['ITI-38', query('Cross Gateway Query')],
  ['ITI-39', given('Cross Gateway Retrieve')],
  ['ITI-41', taken('Provide and Register Document Set-b')],
  ['ITI-42', taken('Register Document Set-b')],
  ['ITI-43', given('Retrieve Document Set')],
  ['ITI-44', record('Patient Identity Feed HL7 V3')],
  ['ITI-45', query('PIXV3 Query')],
  ['ITI-46', record('PIXV3 Update Notification', 'R')],
  ['ITI-47', query('Patient Demographics Query HL7 V3')],
  ['ITI-51', query('Multi-Patient Stored Query')],
  ['ITI-52', query('Document Metadata Subscribe')],
  ['ITI-53', taken('Document Metadata Notify', 'R')],
  ['ITI-57', taken('Update Document Set', 'U')],
  ['ITI-61', taken('Register On-Demand Document Entry')],
  ['ITI-62', record('Delete Document Set', 'D')],
  ['ITI-65', taken('Provide Document Bundle')],
  ['ITI-66', query('Find Document Lists')],
  ['ITI-67', query('Find Document References')],
  ['ITI-68', given('Retrieve Document')],
  ['ITI-78', query('Mobile Patient Demographics Query')],
  ['ITI-83', query('Mobile Patient Identifier Cross-reference Query')],
  ['ITI-86', record('Remove Documents', 'D')],
  ['ITI-92', taken('Restricted Update Document Set', 'U')],
  ['ITI-93', record('Mobile Patient Identity Feed')],
  ['ITI-104', record('Patient Identity Feed FHIR')],
  ['ITI-119', query('Patient Demographics Match')],
  ['RAD-2', { name: 'Placer Order Management', event: EVENT.order, action: 'C' }],
  ['RAD-4', { name: 'Procedure Scheduled', event: EVENT.procedure, action: 'C' }],
  ['RAD-28', taken('Structured Report Export')],
  ['RAD-48', { name: 'Appointment Notification', event: EVENT.procedure, action: 'C' }],
  ['RAD-8', sent('Modality Images Stored')],
  ['RAD-14', query('Query Images')],
  ['RAD-16', images('Retrieve Images')],
  ['RAD-55', images('WADO Retrieve')],
  ['RAD-68', taken('Provide and Register Imaging Document Set')],
  ['RAD-69', images('Retrieve Imaging Document Set')],
  ['RAD-75', images('Cross Gateway Retrieve Imaging Document Set')],
  ['RAD-107', images('WADO-RS Retrieve')],
  ['RAD-108', sent('Store Instances Over the Web')],
  ['RAD-129', query('QIDO-RS Query')],
]);
