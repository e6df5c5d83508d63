/**
 * Document Metadata Subscribe (ITI-52): wsnt:Subscribe, Renew and Unsubscribe in, what they ask for or the fault that
 * WS-BaseNotification prescribes out, and their answers.
 */
import type {
  Consumer,
  EntryCriteria,
  NewSubscription,
  SetCriteria,
  SubscriptionCriteria,
  SubscriptionTopic,
} from '../../hub/core/document-subscription.ts';
import type { PatientCx } from '../../hub/core/document.ts';
import { RIM } from './ebrim-names.ts';
import {
  ANY_PATIENT,
  DIALECTS,
  DSUB,
  FILTERS,
  notificationFault,
  SIMPLE_DIALECT,
  TOPICS,
  WSNT,
} from './notification-names.ts';
import type { FaultName, FilterKind } from './notification-names.ts';
import { SOAP, WSA, WSSE } from './soap.ts';
import type { SoapFault } from './soap.ts';
import { Parameters } from './stored-query-parameters.ts';
import { andOrCodes, codes, field } from './stored-query-readers.ts';
import { parsePatientCx } from './stored-query-value.ts';
import { readTermination } from './termination-time.ts';
import type { TerminationLimits } from './termination-time.ts';
import { writeXml } from './xml-write.ts';
import { childNamed, childrenNamed, is, xml } from './xml.ts';
import type { XmlElement } from './xml.ts';

export type Asked = Pick<NewSubscription, 'topic' | 'patientId' | 'criteria' | 'consumer' | 'endsAt'>;

const XSI_NIL = '{http://www.w3.org/2001/XMLSchema-instance}nil';
const [DOC, SET] = ['$XDSDocumentEntry', '$XDSSubmissionSet'];
const named = (stem: string, names: readonly string[]): ReadonlySet<string> =>
  new Set(names.map((name) => `${stem}${name}`));
const PARAMETERS: Readonly<Record<FilterKind['of'], ReadonlySet<string>>> = {
  documents: named(DOC, [
    'PatientId',
    'ClassCode',
    'TypeCode',
    'FormatCode',
    'HealthcareFacilityTypeCode',
    'PracticeSettingCode',
    'EventCodeList',
    'ConfidentialityCode',
    'AuthorPerson',
    'ReferenceIdList',
  ]),
  'submission-sets': named(SET, ['PatientId', 'SourceId', 'AuthorPerson', 'IntendedRecipient']),
};
const ADDRESS_LENGTH = 1_024;
const HEADERS_LENGTH = 8_192;
/** What the hub itself says in a header is no subscriber's to say. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['', SOAP, WSA, WSSE, WSSE.replace('secext', 'utility')]);

/** `body`: the wsnt:Subscribe. */
export function readSubscribe(body: XmlElement, limits: TerminationLimits): Asked | { readonly fault: SoapFault } {
  const { now } = limits;
  const consumer = readConsumer(body, now);
  if ('fault' in consumer) return consumer;
  if ((childNamed(body, WSNT, 'SubscriptionPolicy')?.children.length ?? 0) > 0)
    return fault('UnrecognizedPolicyRequestFault', 'No SubscriptionPolicy is served.', now);
  const filter = childNamed(body, WSNT, 'Filter');
  const topic = readTopic(filter, now);
  if (typeof topic !== 'string') return topic;
  const wanted = readFilter(filter, topic, now);
  if ('fault' in wanted) return wanted;
  const time = childNamed(body, WSNT, 'InitialTerminationTime');
  const isNil = ['true', '1'].includes(time?.attributes.get(XSI_NIL)?.trim() ?? '');
  const endsAt = readTermination(isNil ? '' : (time?.text.trim() ?? ''), limits);
  if (endsAt === null) return { fault: unacceptable('UnacceptableInitialTerminationTimeFault', limits) };
  return { topic, ...wanted, consumer, endsAt };
}

const fault = (name: FaultName, reason: string, at: Date, inside?: string): { readonly fault: SoapFault } => ({
  fault: notificationFault(name, reason, at, inside),
});

/** WS-Addressing 1.0 SOAP Binding §2.3: what the reference holds as parameters stands in the header of every message. */
function readConsumer(body: XmlElement, now: Date): Consumer | { readonly fault: SoapFault } {
  const reference = childNamed(body, WSNT, 'ConsumerReference');
  const address = reference ? (childNamed(reference, WSA, 'Address')?.text.trim() ?? '') : '';
  if (reference === undefined || address === '' || address.length > ADDRESS_LENGTH)
    return fault('SubscribeCreationFailedFault', 'The ConsumerReference must have an Address.', now);
  const parameters = childNamed(reference, WSA, 'ReferenceParameters')?.children ?? [];
  if (parameters.some(({ namespace }) => OWN_HEADERS.has(namespace)))
    return fault('SubscribeCreationFailedFault', 'A ReferenceParameter cannot stand as a header of its own.', now);
  const headers = parameters.map(asHeader).join('');
  if (Buffer.byteLength(headers) > HEADERS_LENGTH)
    return fault('SubscribeCreationFailedFault', 'The ReferenceParameters are larger than is served.', now);
  return { address, headers };
}

const asHeader = (parameter: XmlElement): string =>
  writeXml({
    ...parameter,
    attributes: new Map([...parameter.attributes, [`{${WSA}}IsReferenceParameter`, 'true']]),
  });

/**
 * The topic is a QName in content, whose prefix the tree does not resolve; its local name is unique among the topics of
 * the profile.
 */
function readTopic(filter: XmlElement | undefined, now: Date): SubscriptionTopic | { readonly fault: SoapFault } {
  const topics = filter ? childrenNamed(filter, WSNT, 'TopicExpression') : [];
  const [topic] = topics;
  if (topic === undefined || topics.length > 1)
    return fault('InvalidTopicExpressionFault', 'The Filter must have one TopicExpression.', now);
  if (!DIALECTS.has(topic.attributes.get('Dialect')?.trim() ?? ''))
    return fault('TopicExpressionDialectUnknownFault', 'Only the Simple dialect of topics is served.', now);
  const name = topic.text.trim();
  const local = name.slice(name.indexOf(':') + 1);
  for (const topic of ['full', 'minimal', 'submission-set'] as const) if (TOPICS[topic] === local) return topic;
  const served = Object.values(TOPICS).map((one) => `ihe:${one}`);
  return fault('TopicNotSupportedFault', `The topics are ${served.join(', ')}.`, now);
}

function readFilter(
  filter: XmlElement | undefined,
  topic: SubscriptionTopic,
  now: Date,
): { readonly patientId: PatientCx | null; readonly criteria: SubscriptionCriteria } | { readonly fault: SoapFault } {
  const queries = filter ? childrenNamed(filter, RIM, 'AdhocQuery') : [];
  const stranger = filter?.children.find(
    (child) => !is(child, WSNT, 'TopicExpression') && !is(child, RIM, 'AdhocQuery'),
  );
  if (stranger) return invalidFilter('The Filter holds what is not served.', now, stranger);
  const [query] = queries;
  if (query === undefined || queries.length > 1)
    return invalidFilter('The Filter must have one AdhocQuery.', now, query);
  const kind = FILTERS[query.attributes.get('id')?.trim().toLowerCase() ?? ''];
  if (kind?.of !== (topic === 'submission-set' ? 'submission-sets' : 'documents'))
    return invalidFilter('The id of the AdhocQuery names no filter for this topic.', now, query);
  // A parameter passed over would tell of more than was asked for.
  const names = childrenNamed(query, RIM, 'Slot').map(({ attributes }) => attributes.get('name')?.trim() ?? '');
  if (names.some((name) => !PARAMETERS[kind.of].has(name)))
    return invalidFilter('The AdhocQuery has a parameter that its filter does not know.', now, query);
  const p = new Parameters(query);
  const patientId = readPatient(p, kind);
  const criteria = kind.of === 'documents' ? readEntryCriteria(p) : readSetCriteria(p);
  const [wrong] = p.problems;
  return wrong === undefined ? { patientId, criteria } : invalidFilter(wrong.context, now, query);
}

function readPatient(p: Parameters, { of, patient }: FilterKind): PatientCx | null {
  const name = `${of === 'documents' ? DOC : SET}PatientId`;
  if (patient === 'any') {
    if (p.has(name)) p.note('XDSRegistryError', `${name} belongs to the filter of one patient.`, name);
    return null;
  }
  const value = p.one(name, { required: true });
  if (value === undefined) return null;
  return p.parsed(name, [value], parsePatientCx, 'a patient id as id^^^&oid&ISO')[0] ?? null;
}

const some = <T>(values: readonly T[]): readonly T[] | undefined => (values.length === 0 ? undefined : values);

function readSetCriteria(p: Parameters): SetCriteria {
  return {
    ...field('sourceIds', some(p.many(`${SET}SourceId`))),
    ...field('authorPerson', some(p.many(`${SET}AuthorPerson`))),
    ...field('intendedRecipients', some(p.many(`${SET}IntendedRecipient`))),
  };
}

function readEntryCriteria(p: Parameters): EntryCriteria {
  return {
    ...field('classCode', codes(p, `${DOC}ClassCode`)),
    ...field('typeCode', codes(p, `${DOC}TypeCode`)),
    ...field('formatCode', codes(p, `${DOC}FormatCode`)),
    ...field('facilityType', codes(p, `${DOC}HealthcareFacilityTypeCode`)),
    ...field('practiceSetting', codes(p, `${DOC}PracticeSettingCode`)),
    ...field('eventCodes', andOrCodes(p, `${DOC}EventCodeList`)),
    ...field('confidentiality', andOrCodes(p, `${DOC}ConfidentialityCode`)),
    ...field('authorPerson', some(p.many(`${DOC}AuthorPerson`))),
    ...field('referenceIds', some(p.andOr(`${DOC}ReferenceIdList`))),
  };
}

/** The fault names the filter that is not taken, as its schema asks. */
function invalidFilter(reason: string, now: Date, of: XmlElement | undefined): { readonly fault: SoapFault } {
  const { namespace, name } = of ?? { namespace: RIM, name: 'AdhocQuery' };
  const told = namespace === '' ? xml(name) : `f:${xml(name)}`;
  const bound = namespace === '' ? '' : ` xmlns:f="${xml(namespace)}"`;
  return fault('InvalidFilterFault', reason, now, `<wsnt:UnknownFilter${bound}>${told}</wsnt:UnknownFilter>`);
}

/** `body`: the wsnt:Renew. */
export function readRenew(body: XmlElement, limits: TerminationLimits): Date | { readonly fault: SoapFault } {
  const endsAt = readTermination(childNamed(body, WSNT, 'TerminationTime')?.text.trim() ?? '', limits);
  return endsAt ?? { fault: unacceptable('UnacceptableTerminationTimeFault', limits) };
}

function unacceptable(
  name: 'UnacceptableInitialTerminationTimeFault' | 'UnacceptableTerminationTimeFault',
  { now, longestMs }: TerminationLimits,
): SoapFault {
  const latest = new Date(now.getTime() + longestMs).toISOString();
  return notificationFault(
    name,
    `The termination time must be an xsd:dateTime or xsd:duration after now and not after ${latest}.`,
    now,
    `<wsnt:MinimumTime>${now.toISOString()}</wsnt:MinimumTime><wsnt:MaximumTime>${latest}</wsnt:MaximumTime>`,
  );
}

export const responseAction = (request: string): string => request.replace(/Request$/, 'Response');

export const writeSubscribeResponse = (address: string, now: Date, endsAt: Date): string =>
  `<wsnt:SubscribeResponse xmlns:wsnt="${WSNT}" xmlns:wsa="${WSA}"><wsnt:SubscriptionReference>` +
  `<wsa:Address>${xml(address)}</wsa:Address></wsnt:SubscriptionReference>` +
  `<wsnt:CurrentTime>${now.toISOString()}</wsnt:CurrentTime>` +
  `<wsnt:TerminationTime>${endsAt.toISOString()}</wsnt:TerminationTime></wsnt:SubscribeResponse>`;

export const writeRenewResponse = (now: Date, endsAt: Date): string =>
  `<wsnt:RenewResponse xmlns:wsnt="${WSNT}"><wsnt:TerminationTime>${endsAt.toISOString()}</wsnt:TerminationTime>` +
  `<wsnt:CurrentTime>${now.toISOString()}</wsnt:CurrentTime></wsnt:RenewResponse>`;

export const UNSUBSCRIBED = `<wsnt:UnsubscribeResponse xmlns:wsnt="${WSNT}"/>`;

/** What the hub asks of a hospital's broker: to be told of every document that is registered there. */
export const writeSubscribe = (consumer: string, endsAt: Date): string =>
  `<wsnt:Subscribe xmlns:wsnt="${WSNT}" xmlns:wsa="${WSA}"><wsnt:ConsumerReference><wsa:Address>${xml(consumer)}</wsa:Address></wsnt:ConsumerReference>` +
  `<wsnt:Filter><wsnt:TopicExpression xmlns:ihe="${DSUB}" Dialect="${SIMPLE_DIALECT}">ihe:${TOPICS.full}</wsnt:TopicExpression>` +
  `<rim:AdhocQuery xmlns:rim="${RIM}" id="${ANY_PATIENT}"/></wsnt:Filter>` +
  `<wsnt:InitialTerminationTime>${endsAt.toISOString()}</wsnt:InitialTerminationTime></wsnt:Subscribe>`;

/** When the subscription ends that the broker made; `asked` where it does not tell. null: it made none. */
export function readSubscribeResponse(body: XmlElement, asked: Date): Date | null {
  if (!is(body, WSNT, 'SubscribeResponse') || !childNamed(body, WSNT, 'SubscriptionReference')) return null;
  const told = Date.parse(childNamed(body, WSNT, 'TerminationTime')?.text.trim() ?? '');
  return Number.isNaN(told) ? asked : new Date(told);
}
