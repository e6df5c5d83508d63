/** Which event of PS3.15 A.5 and which transaction of IHE a record of the audit is. Pure; every record is some event. */
import type { AuditRecord } from '../../hub/core/audit.ts';
import { EVENT, TRANSACTIONS, TYPE, type Action, type Code } from './codes.ts';

export interface AuditKind {
  readonly event: Code;
  readonly action: Action;
  readonly type: Code | null;
  /** Of IHE, where it is one: `ITI-18`. */
  readonly transaction: string | null;
  /** Who was asked is the source of the data. */
  readonly given: boolean;
}

const CHANGES = { create: 'C', update: 'U', delete: 'D', merge: 'U' } as const;
/** The hub's own words for what is no transaction of IHE. */
const HUB = 'HUTONG';
const FHIR = 'http://hl7.org/fhir/restful-interaction';

export function kindOf(record: AuditRecord): AuditKind {
  const own = (event: Code, action: Action, type: Code | null, given = false): AuditKind => ({
    event,
    action,
    type,
    transaction: null,
    given,
  });
  if (record.face === 'hub' && record.operation === 'start') return own(EVENT.application, 'E', TYPE.start);
  if (record.face === 'hub' && record.operation === 'stop') return own(EVENT.application, 'E', TYPE.stop);
  if (record.outcome === 'refused') return refusal(record);
  if (record.objects.includes('audit')) return own(EVENT.auditLogUsed, 'R', null);
  const transaction = transactionOf(record);
  const known = transaction === null ? undefined : TRANSACTIONS.get(transaction);
  if (transaction !== null && known !== undefined) {
    const initiated = record.detail?.initiated === true;
    const { event, action } = (initiated ? known.initiator : undefined) ?? known;
    const change = record.detail?.change;
    return {
      event,
      action: change !== undefined && event === EVENT.patientRecord ? CHANGES[change] : action,
      type: { code: transaction, system: 'IHE Transactions', text: known.name },
      transaction,
      given: known.given === true,
    };
  }
  const type = record.face === 'fhir' ? fhirType(record) : { code: record.operation, system: HUB, text: record.action };
  switch (record.action) {
    case 'search':
      return own(EVENT.query, 'E', type);
    case 'read':
    case 'export':
      return own(EVENT.export, 'R', type, true);
    case 'feed':
      return own(EVENT.import, 'C', type);
    case 'change':
      return own(EVENT.patientRecord, 'U', type);
    case 'sign-on':
      return own(EVENT.authentication, 'E', TYPE.login);
    case 'sign-out':
      return own(EVENT.authentication, 'E', TYPE.logout);
    case 'administer':
    case 'refuse':
      return own(EVENT.alert, 'E', TYPE.securityConfiguration);
  }
}

/** PS3.15 A.5.3.12 and A.5.3.14: who is not known failed to authenticate; who is known asked for what is not his. */
function refusal(record: AuditRecord): AuditKind {
  const base = { transaction: transactionOf(record), given: false, action: 'E' } as const;
  const isNode = record.face === 'dimse' || record.face === 'hl7v2';
  if (isNode && (record.callerRole === 'unknown' || record.callerId === ''))
    return { ...base, event: EVENT.alert, type: TYPE.nodeAuthentication };
  const isKnown = record.callerId !== '' && record.callerId !== 'none';
  return isKnown
    ? { ...base, event: EVENT.alert, type: TYPE.restrictedFunction }
    : { ...base, event: EVENT.authentication, type: TYPE.login };
}

const fhirType = (record: AuditRecord): Code => {
  const code = record.action === 'search' ? 'search' : 'read';
  return { code, system: FHIR, text: code };
};

/** By what the face said of it, else by the operation in the face's own words. */
function transactionOf(record: AuditRecord): string | null {
  if (record.detail?.transaction !== undefined) return record.detail.transaction;
  const { face, operation, action } = record;
  if (face === 'xds') return /^(ITI|RAD)-\d{1,3}/.exec(operation)?.[0] ?? null;
  if (face === 'dimse')
    return operation.startsWith('C-FIND')
      ? 'RAD-14'
      : /^C-(MOVE|GET)/.test(operation)
        ? 'RAD-16'
        : operation.startsWith('C-STORE')
          ? 'RAD-8'
          : null;
  if (face === 'dicomweb' || face === 'wado') {
    if (action === 'search') return 'RAD-129';
    if (action === 'feed') return 'RAD-108';
    return operation.startsWith('WADO-URI') ? 'RAD-55' : 'RAD-107';
  }
  if (face === 'fhir') return fhirTransaction(operation, action);
  return null;
}

/** PDQm and MHD are plain FHIR: a search for patients or documents is the transaction, whoever makes it. */
function fhirTransaction(operation: string, action: AuditRecord['action']): string | null {
  const [type, next] = operation.split('?', 1)[0]?.split('/fhir/', 2)[1]?.split('/') ?? [];
  if (type === 'Binary' && action === 'read') return 'ITI-68';
  if (action !== 'search' || next === '_history') return null;
  if (type === 'Patient') return 'ITI-78';
  if (type === 'DocumentReference') return 'ITI-67';
  return type === 'List' ? 'ITI-66' : null;
}
