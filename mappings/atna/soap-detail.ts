/**
 * What a SOAP request of IHE says for its audit record (ITI TF-2 §3.n.5): which transaction, whose patient ids, which
 * submission set, which documents, and the query as it was sent. Read from the body, so that no transaction has to say it
 * twice; what is not found is left out, since a bad request is recorded too.
 */
import type { AuditDetail, AuditDocument, AuditQuery } from '../../hub/core/audit.ts';
import { xml, type XmlElement } from '../xds/xml.ts';

export interface SoapRequest {
  readonly action: string;
  readonly messageId: string | null;
  readonly body: XmlElement;
}

const ITI = 'urn:ihe:iti';
const HL7 = 'urn:hl7-org:v3';
const WSN = 'http://docs.oasis-open.org/wsn/bw-2';

/** Request actions (WIRE §1): the transaction, and what it does to a patient's record. */
const ACTIONS: ReadonlyMap<string, readonly [transaction: string, change?: AuditDetail['change']]> = new Map([
  [`${ITI}:2007:RegistryStoredQuery`, ['ITI-18']],
  [`${ITI}:2007:CrossGatewayQuery`, ['ITI-38']],
  [`${ITI}:2007:CrossGatewayRetrieve`, ['ITI-39']],
  [`${ITI}:2007:ProvideAndRegisterDocumentSet-b`, ['ITI-41']],
  [`${ITI}:2007:RegisterDocumentSet-b`, ['ITI-42']],
  [`${ITI}:2007:RetrieveDocumentSet`, ['ITI-43']],
  [`${ITI}:2009:MultiPatientStoredQuery`, ['ITI-51']],
  [`${ITI}:2010:UpdateDocumentSet`, ['ITI-57']],
  [`${ITI}:2010:RegisterOnDemandDocumentEntry`, ['ITI-61']],
  [`${ITI}:2010:DeleteDocumentSet`, ['ITI-62']],
  [`${ITI}:2017:RemoveDocuments`, ['ITI-86']],
  [`${ITI}:2018:RestrictedUpdateDocumentSet`, ['ITI-92']],
  ['urn:ihe:rad:2009:RetrieveImagingDocumentSet', ['RAD-69']],
  ['urn:ihe:rad:2011:CrossGatewayRetrieveImagingDocumentSet', ['RAD-75']],
  [`${HL7}:PRPA_IN201301UV02`, ['ITI-44', 'create']],
  [`${HL7}:PRPA_IN201302UV02`, ['ITI-44', 'update']],
  [`${HL7}:PRPA_IN201304UV02`, ['ITI-44', 'merge']],
  [`${HL7}:PRPA_IN201305UV02`, ['ITI-47']],
  [`${HL7}:PRPA_IN201309UV02`, ['ITI-45']],
  [`${HL7}:QUQI_IN000003UV01`, ['ITI-47']],
  [`${HL7}:QUQI_IN000003UV01_Cancel`, ['ITI-47']],
  [`${WSN}/NotificationProducer/SubscribeRequest`, ['ITI-52']],
  [`${WSN}/NotificationConsumer/Notify`, ['ITI-53']],
] as const);

/** A longer query is cut: a message must not grow with what somebody sent. */
const QUERY_BYTES = 32_768;
const MOST = 10_000;
const ID_LENGTH = 256;

const SET_UNIQUE_ID = 'urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8';
const PATIENT_IDS = new Set([
  'urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446',
  'urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427',
  'urn:uuid:f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a',
]);

/**
 * `endpoint` is the URL that was called. `only`: what this record is about, where it is part of what was asked for (a
 * retrieve of which some was given); empty: all.
 */
export function soapDetail(
  request: SoapRequest,
  about: { readonly endpoint?: string; readonly initiated?: boolean; readonly only?: readonly string[] } = {},
): AuditDetail {
  const found = find(request.body);
  const [transaction, change] = ACTIONS.get(request.action) ?? [];
  const isImages = transaction?.startsWith('RAD-') === true;
  const documents = isImages ? [] : documentsIn(request.body, found, new Set(about.only));
  const submissionSet = identifiers(found, (scheme) => scheme === SET_UNIQUE_ID)[0];
  const patientIds = patientsIn(request.body, found).slice(0, MOST);
  const query = queryIn(request.body, found);
  return {
    ...(transaction === undefined ? {} : { transaction }),
    ...(change === undefined ? {} : { change }),
    ...(about.initiated === true ? { initiated: true } : {}),
    ...(about.endpoint === undefined ? {} : { endpoint: about.endpoint }),
    ...(request.messageId === null ? {} : { messageId: request.messageId }),
    ...(patientIds.length === 0 ? {} : { patientIds }),
    ...(submissionSet === undefined ? {} : { submissionSet }),
    ...(documents.length === 0 ? {} : { documents }),
    ...(query === null ? {} : { query }),
  };
}

/** By local name, since namespaces below the body are not insisted on (WIRE §6.3); one walk over what may be large. */
type Found = ReadonlyMap<string, readonly XmlElement[]>;

const WANTED = new Set([
  'AdhocQuery',
  'DocumentRequest',
  'ExternalIdentifier',
  'ObjectRef',
  'Slot',
  'livingSubjectId',
  'patient',
  'patientIdentifier',
  'priorRegisteredRole',
  'queryByParameter',
]);

function find(body: XmlElement): Found {
  const found = new Map<string, XmlElement[]>();
  const waiting = [body];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    if (WANTED.has(one.name)) {
      const same = found.get(one.name);
      if (same === undefined) found.set(one.name, [one]);
      else if (same.length < MOST) same.push(one);
    }
    for (let at = one.children.length - 1; at >= 0; at -= 1) {
      const child = one.children[at];
      if (child !== undefined) waiting.push(child);
    }
  }
  return found;
}

const named = (found: Found, name: string): readonly XmlElement[] => found.get(name) ?? [];
const childrenOf = (element: XmlElement, name: string): readonly XmlElement[] =>
  element.children.filter((one) => one.name === name);
const child = (element: XmlElement, name: string): string =>
  element.children
    .find((one) => one.name === name)
    ?.text.trim()
    .slice(0, ID_LENGTH) ?? '';
const value = (element: XmlElement, name: string): string =>
  (element.attributes.get(name) ?? '').trim().slice(0, ID_LENGTH);
const unique = (values: readonly string[]): string[] => [...new Set(values)].filter((one) => one !== '');

const identifiers = (found: Found, wanted: (scheme: string) => boolean): readonly string[] =>
  unique(
    named(found, 'ExternalIdentifier').flatMap((one) =>
      wanted(value(one, 'identificationScheme')) ? [value(one, 'value')] : [],
    ),
  );

/** ITI TF-3 Table 4.2.3.1.7-2: an OID, or an OID and an extension. What is none names no document, and may be anything. */
const UNIQUE_ID = /^[\d.]{1,128}(\^[\x21-\x7e]{1,64})?$/;

function documentsIn(body: XmlElement, found: Found, only: ReadonlySet<string>): readonly AuditDocument[] {
  const all: AuditDocument[] = [];
  for (const one of named(found, 'DocumentRequest')) {
    const uniqueId = child(one, 'DocumentUniqueId');
    const [repository, home] = [child(one, 'RepositoryUniqueId'), child(one, 'HomeCommunityId')];
    if (UNIQUE_ID.test(uniqueId))
      all.push({ uniqueId, ...(repository === '' ? {} : { repository }), ...(home === '' ? {} : { home }) });
  }
  if (body.name === 'RemoveObjectsRequest')
    all.push(...named(found, 'ObjectRef').map((one) => ({ uniqueId: value(one, 'id') })));
  const some = all.filter(({ uniqueId }) => only.has(uniqueId));
  return some.length > 0 ? some : all;
}

function patientsIn(body: XmlElement, found: Found): readonly string[] {
  const slots = named(found, 'AdhocQuery').length > 0 ? named(found, 'Slot') : [];
  const asked = slots
    .filter((slot) => /patientid$/i.test(value(slot, 'name')))
    .flatMap((slot) => childrenOf(slot, 'ValueList').flatMap((list) => childrenOf(list, 'Value')))
    .flatMap((one) => literals(one.text));
  return unique([...identifiers(found, (scheme) => PATIENT_IDS.has(scheme)), ...asked, ...hl7Patients(body, found)]);
}

/** ITI TF-2 §3.18.4.1.2.3.5: `'a'`, `('a','b')`; an unquoted one is the sender's mistake, and is recorded as it is. */
function literals(text: string): readonly string[] {
  const quoted = [...text.matchAll(/'((?:[^']|'')*)'/g)].map((match) => (match[1] ?? '').replaceAll("''", "'"));
  return (quoted.length > 0 ? quoted : [text]).map((one) => one.trim().slice(0, ID_LENGTH));
}

/** The survivor first, then the ids that end (PRPA_IN201304UV02); ids that are asked for (PRPA_IN201309UV02, 201305). */
function hl7Patients(body: XmlElement, found: Found): readonly string[] {
  if (body.namespace !== HL7) return [];
  const ids = (names: readonly string[], id: string): readonly string[] =>
    names.flatMap((name) => named(found, name)).flatMap((one) => childrenOf(one, id).map(instanceId));
  return [...ids(['patient', 'priorRegisteredRole'], 'id'), ...ids(['patientIdentifier', 'livingSubjectId'], 'value')];
}

function instanceId(id: XmlElement): string {
  const [root, extension] = [value(id, 'root'), value(id, 'extension')];
  return extension === '' ? '' : `${extension}^^^&${root}&ISO`;
}

function queryIn(body: XmlElement, found: Found): AuditQuery | null {
  if (body.name === 'AdhocQueryRequest') {
    const [query] = named(found, 'AdhocQuery');
    const [id, home] = query ? [value(query, 'id'), value(query, 'home')] : ['', ''];
    return { ...(id === '' ? {} : { id }), content: content(body), ...(home === '' ? {} : { home }) };
  }
  const [parameters] = body.namespace === HL7 ? named(found, 'queryByParameter') : [];
  const id = parameters?.children.find(({ name }) => name === 'queryId');
  return parameters
    ? { ...(id ? { id: instanceId(id) || value(id, 'root') } : {}), content: content(parameters) }
    : null;
}

const content = (element: XmlElement): string =>
  Buffer.from(writeElement(element, '')).subarray(0, QUERY_BYTES).toString('base64');

/** The element as XML again: same names, attributes and text, other prefixes. */
function writeElement(element: XmlElement, outer: string): string {
  const { namespace, name, attributes, children, text } = element;
  const own = namespace === outer ? '' : ` xmlns="${xml(namespace)}"`;
  const written = [...attributes].map(([key, of], at) => {
    const [, uri, local] = /^\{([^}]*)\}(.*)$/.exec(key) ?? [];
    return uri === undefined
      ? ` ${key}="${xml(of)}"`
      : ` xmlns:a${String(at)}="${xml(uri)}" a${String(at)}:${local ?? ''}="${xml(of)}"`;
  });
  const inner = children.map((one) => writeElement(one, namespace)).join('');
  return `<${name}${own}${written.join('')}>${children.length > 0 ? inner : xml(text)}</${name}>`;
}
