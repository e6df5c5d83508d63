/**
 * Documents of core -> ebRIM that is valid against rim.xsd (ITI TF-3 §4.2.5): full objects for LeafClass and for
 * submissions, references for ObjectRef. Ids of inner elements are derived from the object's, so the same object is
 * always written the same.
 */
import { createHash } from 'node:crypto';
import type {
  DocumentAssociation,
  DocumentAuthor,
  DocumentCode,
  LocalizedText,
  RegistryObject,
} from '../../hub/core/document.ts';
import {
  ASSOCIATION_TYPE,
  ASSOCIATIONS,
  AVAILABILITY,
  CLASSIFICATION_TYPE,
  DOCUMENTATION_SCHEME,
  ENTRY_TYPES,
  EXTERNAL_IDENTIFIER_TYPE,
  FREE_TEXT,
  LONG_NAME,
  NAMES,
  PACKAGE_TYPE,
  REFERENCE_IDS,
  RIM,
  STATUSES,
} from './ebrim-names.ts';
import type { CodeAttribute } from './ebrim-names.ts';
import { xml } from './xml.ts';

export interface WriteOptions {
  /** homeCommunityId as URI, `urn:oid:…`: on every object (ITI TF-2 §3.38.4.1.3). */
  readonly home?: string;
  /** Of single objects, by id, where several communities answered. */
  readonly homes?: ReadonlyMap<string, string>;
}

/** The content of a RegistryObjectList; the `rim` prefix must be bound around it. */
export function writeObjects(
  objects: readonly (RegistryObject | DocumentAssociation)[],
  options: WriteOptions = {},
): string {
  return objects
    .map((object) => ('kind' in object ? writeObject(object, options) : writeAssociation(object, options)))
    .join('');
}

export const writeObjectRefs = (ids: readonly string[], options: WriteOptions = {}): string =>
  ids.map((id) => `<rim:ObjectRef id="${xml(id)}"${homeOf(id, options)}/>`).join('');

/** lcm:SubmitObjectsRequest around them, for who submits to another registry. */
export const writeSubmission = (objects: readonly (RegistryObject | DocumentAssociation)[]): string =>
  `<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"><rim:RegistryObjectList xmlns:rim="${RIM}">${writeObjects(objects)}</rim:RegistryObjectList></lcm:SubmitObjectsRequest>`;

function homeOf(id: string, { home, homes }: WriteOptions): string {
  const value = homes?.get(id) ?? home;
  return value === undefined ? '' : ` home="${xml(value)}"`;
}

function writeObject(object: RegistryObject, options: WriteOptions): string {
  const names = NAMES[object.kind];
  const classifications = [
    ...(names.node === null ? [] : [node(object.id, names.node)]),
    ...(object.limited ? [node(object.id, names.limited)] : []),
    ...('authors' in object && names.author !== null
      ? object.authors.map((author, at) => writeAuthor(object.id, names.author ?? '', author, at))
      : []),
    ...names.codes.flatMap(([scheme, attribute]) =>
      codesOf(object, attribute).map((code, at) => writeCode(object.id, scheme, code, at)),
    ),
  ];
  const identifiers = names.identifiers.map(([scheme, attribute]) => {
    const value =
      attribute === 'sourceId' ? (object.kind === 'submission-set' ? object.sourceId : '') : object[attribute];
    return `<rim:ExternalIdentifier id="${innerId(object.id, scheme, 0)}" objectType="${EXTERNAL_IDENTIFIER_TYPE}" registryObject="${xml(object.id)}" identificationScheme="${scheme}" value="${long(value)}"><rim:Name><rim:LocalizedString value="${names.word}.${attribute}"/></rim:Name></rim:ExternalIdentifier>`;
  });
  const inside =
    slotsOf(object) +
    texts('Name', object.title) +
    texts('Description', object.comments) +
    `<rim:VersionInfo versionName="${String(object.version)}"/>` +
    classifications.join('') +
    identifiers.join('');
  const attributes = `id="${xml(object.id)}"${homeOf(object.id, options)} lid="${xml(object.lid)}" status="${STATUSES[object.status]}"`;
  return object.kind === 'document'
    ? `<rim:ExtrinsicObject ${attributes} objectType="${ENTRY_TYPES[object.entryType]}" mimeType="${long(object.mimeType)}" isOpaque="false">${inside}</rim:ExtrinsicObject>`
    : `<rim:RegistryPackage ${attributes} objectType="${PACKAGE_TYPE}">${inside}</rim:RegistryPackage>`;
}

function slotsOf(object: RegistryObject): string {
  const slots: (readonly [string, readonly (string | undefined)[]])[] = [];
  if (object.kind === 'document')
    slots.push(
      ['creationTime', [object.creationTime]],
      ['hash', [object.hash]],
      ['size', [object.size === undefined ? undefined : String(object.size)]],
      ['languageCode', [object.languageCode]],
      ['legalAuthenticator', [object.legalAuthenticator]],
      ['repositoryUniqueId', [object.repositoryUniqueId]],
      ['serviceStartTime', [object.serviceStartTime]],
      ['serviceStopTime', [object.serviceStopTime]],
      ['sourcePatientId', [object.sourcePatientId]],
      ['sourcePatientInfo', object.sourcePatientInfo],
      ['URI', object.uri === undefined ? [] : cutUri(object.uri)],
      ['documentAvailability', object.availability === 'offline' ? [AVAILABILITY.offline] : []],
      [REFERENCE_IDS, object.referenceIds],
    );
  else if (object.kind === 'submission-set')
    slots.push(['submissionTime', [object.submissionTime]], ['intendedRecipient', object.intendedRecipients]);
  else slots.push(['lastUpdateTime', [object.lastUpdateTime]]);
  return slots.map(([name, values]) => slot(name, values)).join('') + extras(object.extra);
}

const extras = (extra: RegistryObject['extra']): string =>
  extra.map(({ name, values }) => (values.length === 0 ? emptySlot(name) : slot(name, values))).join('');

const emptySlot = (name: string): string => `<rim:Slot name="${long(name)}"><rim:ValueList/></rim:Slot>`;

function slot(name: string, values: readonly (string | undefined)[]): string {
  const given = values.filter((value) => value !== undefined && value !== '');
  if (given.length === 0) return '';
  const list = given.map((value) => `<rim:Value>${long(value ?? '')}</rim:Value>`).join('');
  return `<rim:Slot name="${long(name)}"><rim:ValueList>${list}</rim:ValueList></rim:Slot>`;
}

/** ITI TF-3 §4.2.3.2.27: pieces with their number, where one value cannot hold it. */
function cutUri(uri: string): string[] {
  if (uri.length <= LONG_NAME) return [uri];
  const pieces: string[] = [];
  for (let at = 0; at < uri.length; at += 240) pieces.push(`${String(pieces.length + 1)}|${uri.slice(at, at + 240)}`);
  return pieces;
}

function texts(name: 'Name' | 'Description', text: LocalizedText): string {
  if (text.length === 0) return '';
  const strings = text.map(
    (one) =>
      `<rim:LocalizedString${one.language === undefined ? '' : ` xml:lang="${xml(one.language)}"`} value="${inAttribute(cut(one.text, FREE_TEXT))}"/>`,
  );
  return `<rim:${name}>${strings.join('')}</rim:${name}>`;
}

function codesOf(object: RegistryObject, attribute: CodeAttribute): readonly DocumentCode[] {
  const value: unknown = Reflect.get(object, attribute);
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly DocumentCode[]) : [value as DocumentCode];
}

const node = (id: string, uuid: string): string =>
  `<rim:Classification id="${innerId(id, uuid, 0)}" objectType="${CLASSIFICATION_TYPE}" classifiedObject="${xml(id)}" classificationNode="${uuid}"/>`;

const writeCode = (id: string, scheme: string, { code, scheme: system, display }: DocumentCode, at: number): string =>
  `<rim:Classification id="${innerId(id, scheme, at)}" objectType="${CLASSIFICATION_TYPE}" classificationScheme="${scheme}" classifiedObject="${xml(id)}" nodeRepresentation="${long(code)}">${slot('codingScheme', [system])}${texts('Name', display)}</rim:Classification>`;

function writeAuthor(id: string, scheme: string, author: DocumentAuthor, at: number): string {
  const slots =
    slot('authorPerson', [author.person]) +
    slot('authorInstitution', author.institutions) +
    slot('authorRole', author.roles) +
    slot('authorSpecialty', author.specialties) +
    slot('authorTelecommunication', author.telecoms);
  return `<rim:Classification id="${innerId(id, scheme, at)}" objectType="${CLASSIFICATION_TYPE}" classificationScheme="${scheme}" classifiedObject="${xml(id)}" nodeRepresentation="">${slots}</rim:Classification>`;
}

function writeAssociation(association: DocumentAssociation, options: WriteOptions): string {
  const { id, type, source, target, status, submissionSetStatus, documentation, extra } = association;
  const inside =
    slot('SubmissionSetStatus', [submissionSetStatus]) +
    extras(extra) +
    (documentation ? writeCode(id, DOCUMENTATION_SCHEME, documentation, 0) : '');
  return `<rim:Association id="${xml(id)}"${homeOf(id, options)} lid="${xml(id)}" status="${STATUSES[status]}" objectType="${ASSOCIATION_TYPE}" associationType="${ASSOCIATIONS[type]}" sourceObject="${xml(source)}" targetObject="${xml(target)}">${inside}</rim:Association>`;
}

const cut = (text: string, length: number): string => {
  const characters = Array.from(text);
  return characters.length <= length ? text : characters.slice(0, length).join('');
};

/** Line ends and tabs in an attribute value would come back as blanks (XML 1.0 §3.3.3). */
const inAttribute = (text: string): string => xml(text).replace(/\n/g, '&#10;').replace(/\t/g, '&#9;');
const long = (text: string): string => inAttribute(cut(text, LONG_NAME));

/** A UUID of version 8 from what it stands for: no randomness in a mapping. */
function innerId(...parts: readonly [string, string, number]): string {
  const hex = createHash('sha256').update(parts.join('\n')).digest('hex');
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
