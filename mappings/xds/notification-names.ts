/** The words of WS-BaseNotification 1.3 as DSUB uses them (IHE ITI TF-2 §3.52, §3.53), and its faults. */
import type { SoapFault } from './soap.ts';
import { xml } from './xml.ts';

export const WSNT = 'http://docs.oasis-open.org/wsn/b-2';
const BW = 'http://docs.oasis-open.org/wsn/bw-2';
const BASE_FAULTS = 'http://docs.oasis-open.org/wsrf/bf-2';
const RESOURCES = 'http://docs.oasis-open.org/wsrf/rw-2';
export const DSUB = 'urn:ihe:iti:dsub:2009';

/** Requests; an answer's action has `Response` where its request has `Request`. */
export const SUBSCRIBE = `${BW}/NotificationProducer/SubscribeRequest`;
export const UNSUBSCRIBE = `${BW}/SubscriptionManager/UnsubscribeRequest`;
export const RENEW = `${BW}/SubscriptionManager/RenewRequest`;
export const NOTIFY = `${BW}/NotificationConsumer/Notify`;

export const SIMPLE_DIALECT = 'http://docs.oasis-open.org/wsn/t-1/TopicExpression/Simple';
/** The field writes both; the second stands in older prints of the profile. */
export const DIALECTS: ReadonlySet<string> = new Set([
  SIMPLE_DIALECT,
  'http://docs.oasis-open.org/wsn/t1/TopicExpression/Simple',
]);

export const TOPICS = {
  full: 'FullDocumentEntry',
  minimal: 'MinimalDocumentEntry',
  'submission-set': 'SubmissionSetMetadata',
} as const;

export const ANY_PATIENT = 'urn:uuid:742790e0-aba6-43d6-9f1f-e43ed9790b79';

export interface FilterKind {
  readonly of: 'documents' | 'submission-sets';
  readonly patient: 'one' | 'any';
}

/** ITI TF-2 §3.52.5: by the id of the AdhocQuery, what is filtered, and whether of one patient or of any. */
export const FILTERS: Readonly<Record<string, FilterKind>> = {
  'urn:uuid:aa2332d0-f8fe-11e0-be50-0800200c9a66': { of: 'documents', patient: 'one' },
  [ANY_PATIENT]: { of: 'documents', patient: 'any' },
  'urn:uuid:fbede94e-dbdc-4f6b-bc1f-d730e677cece': { of: 'submission-sets', patient: 'one' },
  'urn:uuid:868cad3d-ec09-4565-b66c-1be10d034399': { of: 'submission-sets', patient: 'any' },
};

export type FaultName =
  | 'SubscribeCreationFailedFault'
  | 'TopicNotSupportedFault'
  | 'TopicExpressionDialectUnknownFault'
  | 'InvalidTopicExpressionFault'
  | 'InvalidFilterFault'
  | 'UnacceptableInitialTerminationTimeFault'
  | 'UnacceptableTerminationTimeFault'
  | 'UnrecognizedPolicyRequestFault'
  | 'ResourceUnknownFault';

/** A fault of WS-BaseNotification: its element, a WS-BaseFault, is the detail. `inside` is XML with `wsnt` bound. */
export function notificationFault(name: FaultName, reason: string, at: Date, inside = ''): SoapFault {
  const prefix = name === 'ResourceUnknownFault' ? 'wsrf-rw' : 'wsnt';
  const detail =
    `<${prefix}:${name} xmlns:wsnt="${WSNT}" xmlns:wsrf-bf="${BASE_FAULTS}" xmlns:wsrf-rw="${RESOURCES}">` +
    `<wsrf-bf:Timestamp>${at.toISOString()}</wsrf-bf:Timestamp>` +
    `<wsrf-bf:Description xml:lang="en">${xml(reason)}</wsrf-bf:Description>${inside}</${prefix}:${name}>`;
  return { code: 'Sender', subcodes: [], reason, detail };
}
