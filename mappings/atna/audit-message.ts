/**
 * A record of the audit as AuditMessages of DICOM PS3.15 A.5, in the form that IHE ITI TF-2 §3.20 asks for. A record
 * about very many patients or objects becomes several messages of the same event, so that none grows without bound.
 */
import type { AuditRecord } from '../../hub/core/audit.ts';
import { xml } from '../xds/xml.ts';
import type { Code } from './codes.ts';
import { kindOf } from './event.ts';
import { objectsOf, type AuditObject } from './objects.ts';
import { participantsOf, purposesOf, type AuditSource, type Participant } from './participants.ts';

/** Patients, and other objects, in one message. */
const CHUNK = 100;

/** ITI TF-2 §3.20.7.1: refusals are minor, what was tried and failed is serious. */
const OUTCOMES = { success: 0, refused: 4, failure: 8 } as const;

/** `idOf` tells the id in the affinity domain of a person of the index, HL7 CX; undefined where there is none. */
export function auditMessages(
  record: AuditRecord,
  source: AuditSource,
  idOf: (person: string) => string | undefined = () => undefined,
): readonly string[] {
  return partsOf(record).flatMap((part) => messagesOf(part, source, idOf));
}

/** ITI TF-2 §3.8.5.1.2: a merge changes the record of who remains, and deletes that of who ends. */
function partsOf(record: AuditRecord): readonly AuditRecord[] {
  const { detail } = record;
  const [survivor, ...ended] = detail?.patientIds ?? [];
  if (detail?.change !== 'merge' || survivor === undefined || ended.length === 0) return [record];
  return [
    { ...record, detail: { ...detail, change: 'update', patientIds: [survivor] } },
    { ...record, detail: { ...detail, change: 'delete', patientIds: ended } },
  ];
}

function messagesOf(
  record: AuditRecord,
  source: AuditSource,
  idOf: (person: string) => string | undefined,
): readonly string[] {
  const kind = kindOf(record);
  const { patients, act, things } = objectsOf(record, kind, idOf);
  const head =
    eventXml(record, kind.event, kind.action, kind.type) +
    participantsOf(record, kind, source).map(participantXml).join('') +
    sourceXml(source);
  const messages = Math.max(1, Math.ceil(patients.length / CHUNK), Math.ceil(things.length / CHUNK));
  return Array.from({ length: messages }, (_, n) => {
    const slice = (all: readonly AuditObject[]): readonly AuditObject[] => all.slice(n * CHUNK, (n + 1) * CHUNK);
    const told = [...slice(patients), ...act, ...slice(things), ...circumstances(record)];
    const objects = told.map(objectXml).join('');
    return `<?xml version="1.0" encoding="UTF-8"?><AuditMessage>${head}${objects}</AuditMessage>`;
  });
}

/** PS3.15 A.5.2.4: 4 is what is neither a person nor an object of a system. */
type Circumstances = Omit<AuditObject, 'type' | 'role'> & { readonly type: 4; readonly role?: never };

/** By what right, for whom and in which session, as the record has it: messages of the standard have no place of their own for it. */
function circumstances({ basis, institution, session, agent }: AuditRecord): readonly Circumstances[] {
  const details = Object.entries({ basis, institution, session, agent }).flatMap(([kind, value]) =>
    value === undefined || value === '' ? [] : [[kind, value] as const],
  );
  const code = { code: 'circumstances', system: 'HUTONG', text: 'By what right and whence' };
  return details.length === 0 ? [] : [{ id: 'circumstances', type: 4, idType: code, details }];
}

const attribute = (name: string, value: string | number | boolean | undefined): string =>
  value === undefined ? '' : ` ${name}="${xml(String(value)).replace(/[\t\n]/g, ' ')}"`;

const coded = (element: string, { code, system, text }: Code): string =>
  `<${element}${attribute('csd-code', code)}${attribute('codeSystemName', system)}${attribute('originalText', text)}/>`;

function eventXml(record: AuditRecord, event: Code, action: string, type: Code | null): string {
  return (
    `<EventIdentification${attribute('EventActionCode', action)}${attribute('EventDateTime', record.at)}` +
    `${attribute('EventOutcomeIndicator', OUTCOMES[record.outcome])}>` +
    coded('EventID', event) +
    (type === null ? '' : coded('EventTypeCode', type)) +
    (record.reason === undefined ? '' : `<EventOutcomeDescription>${xml(record.reason)}</EventOutcomeDescription>`) +
    purposesOf(record)
      .map((purpose) => coded('PurposeOfUse', purpose))
      .join('') +
    '</EventIdentification>'
  );
}

function participantXml({ userId, alternativeId, userName, requestor, roles, network }: Participant): string {
  const at = network && attribute('NetworkAccessPointID', network.id);
  const kind = network && attribute('NetworkAccessPointTypeCode', network.isAddress ? 2 : 1);
  return (
    `<ActiveParticipant${attribute('UserID', userId)}${attribute('AlternativeUserID', alternativeId)}` +
    `${attribute('UserName', userName)}${attribute('UserIsRequestor', requestor)}${at ?? ''}${kind ?? ''}>` +
    `${roles.map((role) => coded('RoleIDCode', role)).join('')}</ActiveParticipant>`
  );
}

const SOURCE_TYPE: Code = { code: '4', system: 'DCM', text: 'Application Server Process' };

const sourceXml = ({ id, site }: AuditSource): string =>
  `<AuditSourceIdentification${attribute('AuditEnterpriseSiteID', site)}${attribute('AuditSourceID', id)}>` +
  `${coded('AuditSourceTypeCode', SOURCE_TYPE)}</AuditSourceIdentification>`;

function objectXml({ id, type, role, idType, name, query, details }: AuditObject | Circumstances): string {
  return (
    `<ParticipantObjectIdentification${attribute('ParticipantObjectID', id)}` +
    `${attribute('ParticipantObjectTypeCode', type)}${attribute('ParticipantObjectTypeCodeRole', role)}>` +
    coded('ParticipantObjectIDTypeCode', idType) +
    (name === undefined ? '' : `<ParticipantObjectName>${xml(name)}</ParticipantObjectName>`) +
    (query === undefined ? '' : `<ParticipantObjectQuery>${query}</ParticipantObjectQuery>`) +
    details
      .map(([kind, value]) => `<ParticipantObjectDetail${attribute('type', kind)}${detailValue(value)}/>`)
      .join('') +
    '</ParticipantObjectIdentification>'
  );
}

const detailValue = (value: string): string => attribute('value', Buffer.from(value).toString('base64'));
