/** What an event was about: patients, documents, submission sets, studies, queries (PS3.15 A.5.2.4; ITI TF-2 §3.n.5). */
import type { AuditDocument, AuditQuery, AuditRecord } from '../../hub/core/audit.ts';
import { EVENT, ID_TYPE, type Code } from './codes.ts';
import type { AuditKind } from './event.ts';

export interface AuditObject {
  readonly id?: string;
  /** 1 person, 2 system object. */
  readonly type: 1 | 2;
  /** 1 patient, 3 report, 4 resource, 13 security resource, 20 job, 24 query. */
  readonly role: 1 | 3 | 4 | 13 | 20 | 24;
  readonly idType: Code;
  readonly name?: string;
  /** Base64. */
  readonly query?: string;
  /** Type and value as text. */
  readonly details: readonly (readonly [type: string, value: string])[];
}

export interface AuditObjects {
  readonly patients: readonly AuditObject[];
  /** Not more than a few: they stand in every message of the record. */
  readonly act: readonly AuditObject[];
  readonly things: readonly AuditObject[];
}

/** `idOf` tells the id in the affinity domain of a person of the index, HL7 CX; undefined where there is none. */
export function objectsOf(
  record: AuditRecord,
  kind: AuditKind,
  idOf: (person: string) => string | undefined,
): AuditObjects {
  if (kind.event === EVENT.application || kind.event === EVENT.authentication)
    return { patients: [], act: [], things: [] };
  if (kind.event === EVENT.auditLogUsed) return { patients: [], act: [auditLog(record)], things: [] };
  const { detail } = record;
  const given = detail?.patientIds ?? [];
  const ids = given.length > 0 ? given : record.persons.map((person) => idOf(person) ?? person);
  const details = detail?.messageId === undefined ? [] : [[messageName(record), detail.messageId] as const];
  const act: AuditObject[] = [];
  if (kind.event === EVENT.alert) act.push(alert(record));
  if (detail?.query !== undefined) act.push(queryOf(detail.query, kind));
  if (detail?.submissionSet !== undefined)
    act.push({ id: detail.submissionSet, type: 2, role: 20, idType: ID_TYPE.submissionSet, details: [] });
  return {
    patients: [...new Set(ids)].map((id) => ({
      id,
      type: 1,
      role: 1,
      idType: ID_TYPE.patient,
      details: kind.event === EVENT.patientRecord ? details : [],
    })),
    act,
    things: thingsOf(record, kind),
  };
}

/** ITI TF-2 §3.8.5.1: MSH-10; for HL7 v3 and SOAP the message id stands as an II. */
const messageName = ({ face }: AuditRecord): string => (face === 'hl7v2' ? 'MSH-10' : 'II');

const auditLog = (record: AuditRecord): AuditObject => ({
  id: record.operation,
  type: 2,
  role: 13,
  idType: ID_TYPE.uri,
  name: 'Security Audit Log',
  details: [],
});

/** PS3.15 A.5.3.12: the subject of the alert, and what is to be said of it. */
const alert = (record: AuditRecord): AuditObject => ({
  id: record.operation,
  type: 2,
  role: 13,
  idType: ID_TYPE.uri,
  details: record.reason === undefined ? [] : [['Alert Description', record.reason]],
});

function queryOf(query: AuditQuery, kind: AuditKind): AuditObject {
  const isDicom = kind.transaction === 'RAD-14' && query.id !== undefined;
  return {
    ...(query.id === undefined ? {} : { id: query.id }),
    type: 2,
    role: isDicom ? 3 : 24,
    idType: isDicom ? ID_TYPE.sopClass : (kind.type ?? ID_TYPE.uri),
    query: base64(query.content),
    details: [
      ...(isDicom ? [] : [['QueryEncoding', 'UTF-8'] as const]),
      ...(query.home === undefined ? [] : [['urn:ihe:iti:xca:2010:homeCommunityId', query.home] as const]),
    ],
  };
}

/** What is no base64 would make the message invalid: it is sent as the bytes that it is. */
const base64 = (text: string): string =>
  text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? text : Buffer.from(text).toString('base64');

/** Transactions whose objects are entries of the registry, not documents that were moved. */
const ENTRIES = new Set(['ITI-57', 'ITI-62', 'ITI-92']);
const STUDIES = new Set(['dicomweb', 'wado', 'dimse']);

function thingsOf(record: AuditRecord, kind: AuditKind): readonly AuditObject[] {
  const { detail, face, objects } = record;
  const ofEntries = ENTRIES.has(kind.transaction ?? '');
  const document = ({ uniqueId, repository, home }: AuditDocument): AuditObject => ({
    id: uniqueId,
    type: 2,
    role: 3,
    idType: ofEntries ? ID_TYPE.entry : ID_TYPE.report,
    details: [
      ...(repository === undefined ? [] : [['Repository Unique Id', repository] as const]),
      ...(home === undefined ? [] : [['ihe:homeCommunityID', home] as const]),
    ],
  });
  const isImages = STUDIES.has(face) || kind.event === EVENT.transferred;
  // A document of an image transaction is an instance; what those record is the study (RAD TF-2 §4.69.5).
  if (!isImages && detail?.documents !== undefined && detail.documents.length > 0)
    return detail.documents.map(document);
  const unique = [...new Set(objects)];
  if (isImages) return unique.map((id) => ({ id, type: 2, role: 3, idType: ID_TYPE.study, details: [] }));
  // The submission set stands in `act`; an answer to a query tells what was asked, not what was found.
  if (face === 'xds' && (detail?.submissionSet !== undefined || kind.event === EVENT.query)) return [];
  if (face === 'xds') return unique.map((uniqueId) => document({ uniqueId }));
  return unique.map((id) => ({ id, type: 2, role: 4, idType: ID_TYPE.uri, details: [] }));
}
