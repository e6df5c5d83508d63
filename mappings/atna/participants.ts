/** Who took part in an event: the system that asks, the hub, and the person for whom it asks (PS3.15 A.5.2.2, ITI-40). */
import type { AuditRecord, AuditedUser } from '../../hub/core/audit.ts';
import { EVENT, ROLE, type Code } from './codes.ts';
import type { AuditKind } from './event.ts';

/** The hub as its messages name it. */
export interface AuditSource {
  /** AuditSourceID: this installation. */
  readonly id: string;
  /** AuditEnterpriseSiteID: the home community's OID. */
  readonly site: string;
  /** Name of the machine; and how its services are called, without a path, where that is configured. */
  readonly host: string;
  readonly origin: string | null;
  readonly aeTitle: string;
  readonly processId: string;
}

export interface Participant {
  readonly userId: string;
  readonly alternativeId?: string;
  readonly userName?: string;
  readonly requestor: boolean;
  readonly roles: readonly Code[];
  readonly isHub?: true;
  readonly isPerson?: true;
  readonly network?: { readonly id: string; readonly isAddress: boolean };
}

export function participantsOf(record: AuditRecord, kind: AuditKind, source: AuditSource): readonly Participant[] {
  if (kind.event === EVENT.application) return applicationOf(record, source);
  const initiated = record.detail?.initiated === true;
  const roles = rolesOf(kind, initiated);
  const peer: Participant = {
    ...peerOf(record),
    requestor: !initiated,
    roles: [...roles.peer, ...(initiated ? [] : callerRole(record))],
  };
  const hub: Participant = { ...hubOf(record, source), requestor: initiated, roles: roles.hub, isHub: true };
  const user = record.onBehalfOf;
  return [
    ...(kind.given !== initiated ? [hub, peer] : [peer, hub]),
    ...(initiated ? askedBy(record) : []),
    ...(user === undefined ? [] : [personOf(user)]),
  ];
}

/** Where the hub asks others because somebody asked it: that one, beside both ends. */
const askedBy = (record: AuditRecord): readonly Participant[] =>
  record.callerId === '' || record.callerId === 'system'
    ? []
    : [
        {
          userId: record.callerId,
          ...(record.callerName === '' ? {} : { userName: record.callerName }),
          requestor: true,
          roles: callerRole(record),
        },
      ];

/** Source and destination of the data; nobody is either in an event that moves none (PS3.15 A.5.3). */
function rolesOf(kind: AuditKind, initiated: boolean): { peer: readonly Code[]; hub: readonly Code[] } {
  if (kind.event === EVENT.alert || kind.event === EVENT.authentication || kind.event === EVENT.auditLogUsed)
    return { peer: [], hub: [] };
  const hubGives = kind.given !== initiated;
  return hubGives ? { peer: [ROLE.destination], hub: [ROLE.source] } : { peer: [ROLE.source], hub: [ROLE.destination] };
}

function applicationOf(record: AuditRecord, source: AuditSource): readonly Participant[] {
  const network = { id: source.host, isAddress: false };
  return [
    {
      userId: source.id,
      alternativeId: source.processId,
      requestor: false,
      roles: [ROLE.application],
      isHub: true,
      network,
    },
    { userId: orUnknown(record.callerId), requestor: true, roles: [ROLE.launcher], network },
  ];
}

const orUnknown = (text: string): string => (text === '' || text === 'none' ? 'unknown' : text);

function peerOf(record: AuditRecord): Omit<Participant, 'requestor' | 'roles'> {
  const { detail, face, callerId, callerName, peer } = record;
  const network = peer === '' || peer === 'unknown' ? {} : { network: { id: peer, isAddress: isAddress(peer) } };
  if (detail?.initiated === true)
    return { userId: orUnknown(detail.endpoint ?? callerId), ...networkOfUrl(detail.endpoint) };
  // PS3.15 A.5.2.2: AE titles stand in the alternative id.
  const name = callerName === '' || callerName === 'none' || callerName === callerId ? {} : { userName: callerName };
  if (face === 'dimse')
    return { userId: orUnknown(callerId), alternativeId: `AETITLES=${callerId}`, ...name, ...network };
  return { userId: orUnknown(callerId === '' ? callerName : callerId), ...name, ...network };
}

function hubOf(record: AuditRecord, source: AuditSource): Omit<Participant, 'requestor' | 'roles'> {
  const network = { id: source.host, isAddress: isAddress(source.host) };
  if (record.face === 'dimse') return { userId: source.aeTitle, alternativeId: `AETITLES=${source.aeTitle}`, network };
  const { detail, face } = record;
  const called = detail?.initiated === true ? undefined : detail?.endpoint;
  const own = face === 'hl7v2' ? source.id : `${source.origin ?? `http://${source.host}`}${PATHS[face] ?? ''}`;
  return { userId: called ?? own, alternativeId: source.processId, network };
}

const PATHS: Readonly<Record<string, string>> = {
  fhir: '/fhir',
  dicomweb: '/dicomweb',
  wado: '/wado',
  xds: '/xds',
  rest: '/api/v1',
};

const isAddress = (text: string): boolean => /^\d{1,3}(\.\d{1,3}){3}$/.test(text) || text.includes(':');

function networkOfUrl(url: string | undefined): Pick<Participant, 'network'> {
  const host = url !== undefined && URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
  return host === '' ? {} : { network: { id: host, isAddress: isAddress(host) } };
}

const callerRole = ({ callerRole: role }: AuditRecord): readonly Code[] =>
  role === '' || role === 'none' || role === 'unknown' ? [] : [{ code: role, system: 'HUTONG', text: role }];

/** ITI TF-2 §3.40.4.2: `alias"<"user"@"issuer">"`. */
const personOf = (user: AuditedUser): Participant => ({
  userId: orUnknown(user.userId),
  userName: `${user.userName ?? ''}<${user.userId}@${user.issuer}>`,
  requestor: true,
  roles: user.roles.map(codeOf),
  isPerson: true,
});

const codeOf = ({ code, system, display }: AuditedUser['roles'][number]): Code => ({
  code,
  system,
  text: display === '' ? code : display,
});

/** For what: as an assertion said it, and as a person in a session chose it. */
export const purposesOf = ({ onBehalfOf, purpose }: AuditRecord): readonly Code[] => [
  ...(onBehalfOf?.purposes ?? []).map(codeOf),
  ...(purpose === undefined ? [] : [{ code: purpose, system: 'HUTONG', text: purpose }]),
];
