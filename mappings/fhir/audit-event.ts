/**
 * A record of the audit as FHIR AuditEvent (R4 §6.4): what the ATNA message of the same record says, in the form of IHE
 * BALP where the record is a FHIR interaction that BALP has a profile for.
 */
import type { AuditEvent, AuditEventAgent, AuditEventEntity, CodeableConcept, Coding, Reference } from 'fhir/r4.js';
import type { AuditRecord } from '../../hub/core/audit.ts';
import type { Code } from '../atna/codes.ts';
import { EVENT, ID_TYPE } from '../atna/codes.ts';
import { kindOf, type AuditKind } from '../atna/event.ts';
import { objectsOf, type AuditObject } from '../atna/objects.ts';
import { participantsOf, purposesOf, type AuditSource, type Participant } from '../atna/participants.ts';
import { CANONICAL, SYSTEMS } from './context.ts';
import { compact, text } from './datatypes.ts';

/** Objects shown of one record; it may have had thousands. */
const SHOWN = 1_000;
const BALP = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.';
const INTERACTION = 'http://hl7.org/fhir/restful-interaction';
const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem';
export const CLIENT_SYSTEM = `${CANONICAL}/NamingSystem/client`;
const OUTCOMES = { success: '0', refused: '4', failure: '8' } as const;
const SYSTEM_OF: Readonly<Record<string, string>> = {
  DCM: SYSTEMS.dcm,
  'IHE Transactions': 'urn:ihe:event-type-code',
  [INTERACTION]: INTERACTION,
};

/** Not the text of a query nor the numbers of patients: for who runs the hub and has no clinical reading. */
export type Withheld = 'queries-and-numbers' | 'nothing';

export const auditEventId = (record: Pick<AuditRecord, 'at' | 'id'>): string =>
  `${String(Date.parse(record.at))}-${record.id}`;

/** The codes by which a record is found: derived, so that they are what the resource shows. */
export interface AuditCodes {
  readonly action: string;
  readonly outcome: string;
  readonly type: Coding;
  readonly subtype: readonly Coding[];
}

export function auditCodes(record: AuditRecord, kind: AuditKind = kindOf(record)): AuditCodes {
  const isRest = isInteraction(record, kind);
  const type = isRest ? coding(`${TERMINOLOGY}/audit-event-type`, 'rest', 'Restful Operation') : codingOf(kind.event);
  const interaction = record.action === 'search' ? 'search' : 'read';
  const subtype = [
    ...(isRest ? [coding(INTERACTION, interaction, interaction)] : []),
    ...(kind.type === null || (isRest && kind.type.system === INTERACTION) ? [] : [codingOf(kind.type)]),
  ];
  return { action: kind.action, outcome: OUTCOMES[record.outcome], type, subtype };
}

export function auditEvent(record: AuditRecord, source: AuditSource, withheld: Withheld): AuditEvent {
  const kind = kindOf(record);
  const codes = auditCodes(record, kind);
  const shown = withheld === 'nothing' ? record : withhold(record);
  const agents = participantsOf(record, kind, source).map((one) => agentOf(one, source));
  const isRest = isInteraction(record, kind);
  const entities = entitiesOf(shown, kind, isRest);
  const profile = isRest ? profileOf(record, agents, entities) : null;
  const purposes = purposesOf(record).map((one) => ({ coding: [codingOf(one)] }));
  return compact<AuditEvent>({
    resourceType: 'AuditEvent',
    id: auditEventId(record),
    meta: profile === null ? undefined : { profile: [profile] },
    type: codes.type,
    subtype: [...codes.subtype],
    action: codes.action as NonNullable<AuditEvent['action']>,
    recorded: record.at,
    outcome: codes.outcome as NonNullable<AuditEvent['outcome']>,
    outcomeDesc: text(record.reason),
    purposeOfEvent: purposes,
    agent: agents,
    source: {
      site: source.site,
      observer: { display: source.id },
      type: [coding(`${TERMINOLOGY}/security-source-type`, '4', 'Application Server')],
    },
    entity: [...entities, ...circumstances(record)],
  });
}

/** By what right and whence, where that is known: R4 has no place of its own for it. */
function circumstances({ basis, institution, session, agent }: AuditRecord): readonly AuditEventEntity[] {
  const told = Object.entries({ basis, institution, session, agent }).flatMap(([type, value]) => {
    const valueString = text(value);
    return valueString === undefined ? [] : [{ type, valueString }];
  });
  if (told.length === 0) return [];
  return [{ type: coding(`${TERMINOLOGY}/audit-entity-type`, '4', 'Other'), name: 'circumstances', detail: told }];
}

/** A read or a search of FHIR that was allowed; not one of the audit itself, which PS3.15 has an event for. */
const isInteraction = (record: AuditRecord, kind: AuditKind): boolean =>
  record.face === 'fhir' &&
  (record.action === 'read' || record.action === 'search') &&
  record.outcome !== 'refused' &&
  kind.event !== EVENT.auditLogUsed;

function withhold(record: AuditRecord): AuditRecord {
  if (record.detail === undefined) return record;
  const { query: _query, patientIds: _ids, ...detail } = record.detail;
  return { ...record, detail };
}

/** BALP speaks of what succeeded, between two ends that are known by their addresses. */
function profileOf(
  record: AuditRecord,
  agents: readonly AuditEventAgent[],
  entities: readonly AuditEventEntity[],
): string | null {
  if (record.outcome !== 'success' || agents.slice(0, 2).some((agent) => agent.network === undefined)) return null;
  const count = (code: string): number => entities.filter(({ type }) => type?.code === code).length;
  if (count('2') !== 1) return null;
  const what = record.action === 'search' ? 'Query' : 'Read';
  return `${BALP}${count('1') === 1 ? 'Patient' : ''}${what}`;
}

const coding = (system: string, code: string, display: string): Coding =>
  compact<Coding>({ system, code: text(code)?.replace(/\s+/g, ' '), display: text(display) });

function codingOf({ code, system, text: display }: Code): Coding {
  const known = SYSTEM_OF[system] ?? (/^\d+(\.\d+)+$/.test(system) ? `urn:oid:${system}` : undefined);
  return coding(known ?? (system === '' ? CANONICAL : `${CANONICAL}/CodeSystem/audit`), code, display);
}

function agentOf(participant: Participant, source: AuditSource): AuditEventAgent {
  const { userId, alternativeId, userName, requestor, roles, network, isHub } = participant;
  const [data] = roles.filter(({ system }) => system === 'DCM');
  const concept = (code: Code): CodeableConcept => ({ coding: [codingOf(code)] });
  const own: CodeableConcept | undefined = data
    ? concept(data)
    : participant.isPerson
      ? { coding: [coding(`${TERMINOLOGY}/v3-ParticipationType`, 'IRCP', 'information recipient')] }
      : undefined;
  const who: Reference = isHub
    ? { display: source.id }
    : compact<Reference>({
        identifier: compact({ system: participant.isPerson ? undefined : CLIENT_SYSTEM, value: text(userId) }),
        display: text(userName) ?? text(userId),
      });
  return compact<AuditEventAgent>({
    type: own,
    role: roles.filter(({ system }) => system !== 'DCM').map(concept),
    who,
    altId: text(alternativeId),
    name: text(userName),
    requestor,
    network: network && { address: text(network.id) ?? 'unknown', type: network.isAddress ? '2' : '1' },
  });
}

function entitiesOf(record: AuditRecord, kind: AuditKind, isRest: boolean): AuditEventEntity[] {
  const persons = new Set(record.persons);
  const { patients, act, things } = objectsOf(record, kind, (person) => person);
  const isSearch = isRest && record.action === 'search';
  return [
    ...patients.slice(0, SHOWN).map((one) => entityOf(one, persons)),
    ...act.map((one) => (isSearch ? queryEntity(one) : entityOf(one, persons))),
    // BALP knows one system object of a search, the query: what it found stands as other.
    ...things.slice(0, SHOWN).map((one) => entityOf(one, persons, isSearch ? '4' : undefined)),
  ];
}

/** BALP's entity:query has neither `what` nor `detail`. */
function queryEntity(object: AuditObject): AuditEventEntity {
  const { what: _what, detail: _detail, ...entity } = entityOf(object, new Set());
  return entity;
}

function entityOf(object: AuditObject, persons: ReadonlySet<string>, type = String(object.type)): AuditEventEntity {
  const { role, name, query, details } = object;
  return compact<AuditEventEntity>({
    what: whatOf(object, persons),
    type: coding(`${TERMINOLOGY}/audit-entity-type`, type, TYPES[type] ?? type),
    role: coding(`${TERMINOLOGY}/object-role`, String(role), ROLES[role]),
    name: text(name),
    query: query === undefined || query === '' ? undefined : query,
    detail: details.map(([kind, value]) => ({ type: text(kind) ?? 'detail', valueString: text(value) ?? '-' })),
  });
}

const TYPES: Readonly<Record<string, string>> = { '1': 'Person', '2': 'System Object', '4': 'Other' };
const ROLES: Readonly<Record<AuditObject['role'], string>> = {
  1: 'Patient',
  3: 'Report',
  4: 'Domain Resource',
  13: 'Security Resource',
  20: 'Job',
  24: 'Query',
};

function whatOf({ id, idType, role }: AuditObject, persons: ReadonlySet<string>): Reference | undefined {
  const clean = text(id);
  if (clean === undefined) return undefined;
  if (role === 1) {
    if (persons.has(clean) && /^[A-Za-z0-9.-]{1,64}$/.test(clean)) return { reference: `Patient/${clean}` };
    const [number = '', , , authority = ''] = clean.split('^');
    const oid = authority.split('&')[1] ?? '';
    return { identifier: compact({ system: oid === '' ? undefined : `urn:oid:${oid}`, value: text(number) ?? clean }) };
  }
  if (idType === ID_TYPE.study) return { identifier: { system: SYSTEMS.dicomUid, value: `urn:oid:${clean}` } };
  if (/^[A-Z][A-Za-z]{1,40}\/[A-Za-z0-9.-]{1,64}$/.test(clean)) return { reference: clean };
  const isOid = /^\d+(\.\d+)+$/.test(clean);
  return { identifier: isOid ? { system: SYSTEMS.uri, value: `urn:oid:${clean}` } : { value: clean } };
}
