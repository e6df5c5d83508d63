/**
 * ebRIM metadata -> the documents of core (ITI TF-3 §4.2.5): SubmitObjectsRequest, RegistryObjectList, ObjectRefList.
 * What is wrong with the form comes back as problems beside what could be read; what the values must be is judged by
 * hub/core/document-rules.ts.
 */
import type {
  ApprovalStatus,
  AssociationType,
  DocumentAssociation,
  DocumentAuthor,
  DocumentCode,
  EntryId,
  RegistryObject,
  RegistryProblem,
  Submission,
} from '../../hub/core/document.ts';
import { attribute, canonicalId, checkForm, Complaints, extraSlots, plain, slotsOf, textOf } from './ebrim-element.ts';
import type { ReadOptions } from './ebrim-element.ts';
import {
  ASSOCIATION_SLOTS,
  ASSOCIATIONS,
  DOCUMENTATION_SCHEME,
  ENTRY_TYPES,
  LCM,
  NAMES,
  RIM,
  SLOTS,
  STATUSES,
} from './ebrim-names.ts';
import { objectOf } from './ebrim-object.ts';
import type { Parts } from './ebrim-object.ts';
import { childNamed, is } from './xml.ts';
import type { XmlElement } from './xml.ts';

export type { ReadOptions } from './ebrim-element.ts';

export interface SubmissionRead {
  readonly submission: Submission;
  /** Errors and warnings; with an error the submission must not be used. */
  readonly problems: readonly RegistryProblem[];
  /** homeCommunityId of objects and associations that carry one, by id: as answers from other communities do. */
  readonly homes: ReadonlyMap<string, string>;
}

const OBJECTS = 20_000;
const SLOT_COUNT = 1_000;

/** `root` is a SubmitObjectsRequest of lcm or any element with a RegistryObjectList inside, or that list itself. */
export function readSubmission(root: XmlElement, options: ReadOptions): SubmissionRead {
  const complain = new Complaints();
  const list = is(root, RIM, 'RegistryObjectList') ? root : childNamed(root, RIM, 'RegistryObjectList');
  const nothing: Submission = { objects: [], associations: [] };
  const homes = new Map<string, string>();
  if (!list) {
    complain.add('Body', 'There is no RegistryObjectList.');
    return { submission: nothing, problems: complain.problems, homes };
  }
  if (list.children.length > (options.objects ?? OBJECTS)) {
    complain.add('RegistryObjectList', 'There are too many objects in one message.');
    return { submission: nothing, problems: complain.problems, homes };
  }
  const nodes = topLevelNodes(list, complain);
  const objects: RegistryObject[] = [];
  const associations: DocumentAssociation[] = [];
  for (const element of list.children) {
    const id = canonicalId(attribute(element, 'id'));
    const home = attribute(element, 'home');
    if (home !== '') homes.set(id, home);
    if (element.namespace !== RIM)
      complain.add('RegistryObjectList', `The element ${plain(element.name)} is not ebRIM.`);
    else if (element.name === 'Association') {
      // An association that nothing speaks of needs no id but for the schema: the registry gives it one (WIRE §2).
      const spare = options.form === 'lenient' ? `association-${String(associations.length + 1)}-without-id` : '';
      const association = readAssociation(element, spare, options, complain);
      if (association) associations.push(association);
    } else if (element.name === 'ExtrinsicObject' || element.name === 'RegistryPackage') {
      const object = readObject(element, nodes.get(id) ?? [], options, complain);
      if (object) objects.push(object);
      // A stray ObjectRef is of no use and does no harm (WIRE §12).
    } else if (element.name !== 'Classification' && element.name !== 'ObjectRef')
      complain.add('RegistryObjectList', `The element ${plain(element.name)} is not of this profile.`);
  }
  return { submission: { objects, associations }, problems: complain.problems, homes };
}

/** Classification nodes may stand beside the object that they are about (ITI TF-3 §4.2.1.2). */
function topLevelNodes(list: XmlElement, complain: Complaints): Map<string, string[]> {
  const nodes = new Map<string, string[]>();
  for (const element of list.children) {
    if (!is(element, RIM, 'Classification')) continue;
    const of = canonicalId(attribute(element, 'classifiedObject'));
    const node = canonicalId(attribute(element, 'classificationNode'));
    if (of === '' || node === '') complain.add('Classification', 'It needs classifiedObject and classificationNode.');
    else nodes.set(of, [...(nodes.get(of) ?? []), node]);
  }
  return nodes;
}

function readObject(
  element: XmlElement,
  outer: readonly string[],
  options: ReadOptions,
  complain: Complaints,
): RegistryObject | null {
  const id = canonicalId(attribute(element, 'id'));
  if (id === '') {
    complain.add(element.name, 'The object has no id.');
    return null;
  }
  const inner = element.children
    .filter((child) => is(child, RIM, 'Classification') && attribute(child, 'classificationNode') !== '')
    .map((child) => canonicalId(attribute(child, 'classificationNode')));
  const kind = kindOf(element, [...outer, ...inner], complain);
  if (kind === null) return null;
  const names = NAMES[kind];
  const at = names.word;
  if (options.form === 'strict') checkForm(element, at, complain);
  const slots = slotsOf(element, at, complain, options.slots ?? SLOT_COUNT);
  for (const [name, cardinality] of Object.entries(SLOTS[kind]))
    if (cardinality === 'one' && (slots.get(name)?.length ?? 0) > 1)
      complain.add(`${at}.${plain(name)}`, 'The slot takes one value.');
  const limited = [...outer, ...inner].includes(names.limited);
  const parts: Parts = {
    id,
    lid: canonicalId(attribute(element, 'lid')) || id,
    version: versionOf(element),
    status: statusOf(element),
    title: textOf(element, 'Name', at, complain),
    comments: textOf(element, 'Description', at, complain),
    slots,
    extra: extraSlots(slots, (name) => Object.hasOwn(SLOTS[kind], name), at, complain),
    limited,
    authors: [],
    codes: new Map(),
    identifiers: new Map(),
  };
  readClassifications(element, id, kind, parts, options, complain);
  readIdentifiers(element, id, kind, parts, options, complain);
  return objectOf(kind, parts, attribute(element, 'mimeType'), entryTypeOf(element));
}

function kindOf(element: XmlElement, nodes: readonly string[], complain: Complaints): RegistryObject['kind'] | null {
  if (element.name === 'ExtrinsicObject') {
    const type = canonicalId(attribute(element, 'objectType'));
    if (type === ENTRY_TYPES.stable || type === ENTRY_TYPES['on-demand']) return 'document';
    complain.add('ExtrinsicObject', 'The objectType is neither a stable nor an on-demand document entry.');
    return null;
  }
  const set = nodes.includes(NAMES['submission-set'].node ?? '');
  const folder = nodes.includes(NAMES.folder.node ?? '');
  if (set !== folder) return set ? 'submission-set' : 'folder';
  complain.add('RegistryPackage', 'It must be classified as either a submission set or a folder.');
  return null;
}

const entryTypeOf = (element: XmlElement): 'stable' | 'on-demand' =>
  canonicalId(attribute(element, 'objectType')) === ENTRY_TYPES['on-demand'] ? 'on-demand' : 'stable';

const statusOf = (element: XmlElement): ApprovalStatus =>
  attribute(element, 'status') === STATUSES.deprecated ? 'deprecated' : 'approved';

/** VersionInfo as IHE writes it is a whole number; `1.1` is ebRIM's own first version (TF-3 §4.2.3.1.5 has integers). */
function versionOf(element: XmlElement): number {
  const info = childNamed(element, RIM, 'VersionInfo');
  const number = /^\d{1,6}/.exec(info ? attribute(info, 'versionName') : '')?.[0];
  return number === undefined ? 1 : Math.max(1, Number(number));
}

function readClassifications(
  element: XmlElement,
  id: string,
  kind: RegistryObject['kind'],
  parts: Parts,
  options: ReadOptions,
  complain: Complaints,
): void {
  const names = NAMES[kind];
  for (const one of element.children) {
    if (!is(one, RIM, 'Classification')) continue;
    const scheme = canonicalId(attribute(one, 'classificationScheme'));
    const node = canonicalId(attribute(one, 'classificationNode'));
    const of = canonicalId(attribute(one, 'classifiedObject'));
    const at = `${names.word}/Classification`;
    if (of === '' ? options.form === 'strict' : of !== id)
      complain.add(at, 'classifiedObject is not the object around it.');
    if (options.form === 'strict' && attribute(one, 'id') === '') complain.add(at, 'A classification needs an id.');
    if (scheme === '' && node !== '') {
      if (node !== names.node && node !== names.limited)
        complain.add(at, 'The classificationNode is not of this profile.');
      continue;
    }
    const known = names.codes.find(([uuid]) => uuid === scheme);
    if (scheme === names.author) parts.authors.push(readAuthor(one, names.word, complain));
    else if (!known) complain.add(at, 'The classificationScheme is not of this profile.');
    else {
      const [, name, many] = known;
      const codes = parts.codes.get(name) ?? [];
      const code = readCode(one, `${names.word}.${name}`, complain);
      if (codes.length > 0 && !many) complain.add(`${names.word}.${name}`, 'The attribute takes one code.');
      if (code) parts.codes.set(name, [...codes, code]);
    }
  }
}

function readCode(element: XmlElement, at: string, complain: Complaints): DocumentCode | null {
  const slots = slotsOf(element, at, complain);
  const code = attribute(element, 'nodeRepresentation');
  const scheme = slots.get('codingScheme')?.[0] ?? '';
  notKept(slots, new Set(['codingScheme']), at, complain);
  if (code === '' || scheme === '' || code.length > LONG_CODE || (slots.get('codingScheme')?.length ?? 0) > 1) {
    complain.add(at, 'A code needs nodeRepresentation and one codingScheme.');
    return null;
  }
  return { code, scheme, display: textOf(element, 'Name', at, complain) };
}

const LONG_CODE = 256;
const AUTHOR_SLOTS = ['authorPerson', 'authorInstitution', 'authorRole', 'authorSpecialty', 'authorTelecommunication'];

function readAuthor(element: XmlElement, word: string, complain: Complaints): DocumentAuthor {
  const at = `${word}.author`;
  const slots = slotsOf(element, at, complain);
  const values = (name: string): string[] => (slots.get(name) ?? []).filter((value) => value !== '');
  notKept(slots, new Set(AUTHOR_SLOTS), at, complain);
  const [person, ...more] = values('authorPerson');
  if (more.length > 0) complain.add(`${at}.authorPerson`, 'An author is one person.');
  return {
    ...(person === undefined ? {} : { person }),
    institutions: values('authorInstitution'),
    roles: values('authorRole'),
    specialties: values('authorSpecialty'),
    telecoms: values('authorTelecommunication'),
  };
}

/** Extra slots inside a classification have no place in core: the sender is told (ITI TF-3 §4.2.3.1.6). */
function notKept(
  slots: ReadonlyMap<string, unknown>,
  known: ReadonlySet<string>,
  at: string,
  complain: Complaints,
): void {
  for (const name of slots.keys())
    if (known.has(name)) continue;
    else if (name.startsWith('urn:')) complain.warn(`${at}/${plain(name)}`, 'The slot is not kept.');
    else complain.add(`${at}/${plain(name)}`, 'The slot is not of this profile.', 'XDSRegistryError');
}

function readIdentifiers(
  element: XmlElement,
  id: string,
  kind: RegistryObject['kind'],
  parts: Parts,
  options: ReadOptions,
  complain: Complaints,
): void {
  const names = NAMES[kind];
  for (const one of element.children) {
    if (!is(one, RIM, 'ExternalIdentifier')) continue;
    const at = `${names.word}/ExternalIdentifier`;
    const scheme = canonicalId(attribute(one, 'identificationScheme'));
    const known = names.identifiers.find(([uuid]) => uuid === scheme);
    const of = canonicalId(attribute(one, 'registryObject'));
    if (of === '' ? options.form === 'strict' : of !== id)
      complain.add(at, 'registryObject is not the object around it.');
    if (options.form === 'strict' && attribute(one, 'id') === '')
      complain.add(at, 'An external identifier needs an id.');
    if (!known) complain.add(at, 'The identificationScheme is not of this profile.');
    else if (parts.identifiers.has(known[1])) complain.add(`${names.word}.${known[1]}`, 'The attribute stands twice.');
    else {
      const value = attribute(one, 'value');
      if (value.length > LONG_CODE)
        complain.add(`${names.word}.${known[1]}`, 'The value has more than 256 characters.');
      parts.identifiers.set(known[1], value);
    }
  }
}

const TYPE_OF: ReadonlyMap<string, AssociationType> = new Map(
  (Object.keys(ASSOCIATIONS) as AssociationType[]).map((type) => [ASSOCIATIONS[type], type]),
);

function readAssociation(
  element: XmlElement,
  spareId: string,
  options: ReadOptions,
  complain: Complaints,
): DocumentAssociation | null {
  const at = 'Association';
  if (options.form === 'strict') checkForm(element, at, complain);
  const id = canonicalId(attribute(element, 'id')) || spareId;
  const type = TYPE_OF.get(attribute(element, 'associationType'));
  const source = canonicalId(attribute(element, 'sourceObject'));
  const target = canonicalId(attribute(element, 'targetObject'));
  if (id === '') complain.add(at, 'The association has no id.');
  if (!type) complain.add(at, 'The associationType is not of this profile.');
  if (source === '' || target === '') complain.add(at, 'An association needs sourceObject and targetObject.');
  if (id === '' || !type || source === '' || target === '') return null;
  const slots = slotsOf(element, at, complain, options.slots ?? SLOT_COUNT);
  const status = slots.get('SubmissionSetStatus');
  const word = status?.length === 1 ? status[0] : undefined;
  if (status && word !== 'Original' && word !== 'Reference')
    complain.add(`${at}.SubmissionSetStatus`, 'It must be either Original or Reference.');
  const extra = extraSlots(
    slots,
    (name) => name === 'SubmissionSetStatus' || ASSOCIATION_SLOTS.has(name),
    at,
    complain,
  );
  for (const [name, values] of slots)
    if (name !== 'SubmissionSetStatus' && ASSOCIATION_SLOTS.has(name)) extra.push({ name, values });
  const documentation = element.children
    .filter((child) => is(child, RIM, 'Classification'))
    .map((child) => {
      if (canonicalId(attribute(child, 'classificationScheme')) === DOCUMENTATION_SCHEME)
        return readCode(child, `${at}.documentation`, complain);
      complain.add(`${at}/Classification`, 'The classificationScheme is not of this profile.');
      return null;
    })
    .find((code) => code !== null);
  return {
    id: id as EntryId,
    type,
    source: source as EntryId,
    target: target as EntryId,
    status: statusOf(element),
    ...(word === 'Original' || word === 'Reference' ? { submissionSetStatus: word } : {}),
    ...(documentation ? { documentation } : {}),
    extra,
  };
}

export interface ObjectRef {
  readonly id: EntryId;
  readonly home?: string;
}

/** The ObjectRefs inside: of a RemoveObjectsRequest (its ObjectRefList), or of the list of a query's answer. */
export function readObjectRefs(root: XmlElement): readonly ObjectRef[] {
  const lists = [root, ...root.children].filter(
    (one) =>
      is(one, RIM, 'ObjectRefList') || is(one, RIM, 'RegistryObjectList') || is(one, LCM, 'RemoveObjectsRequest'),
  );
  return lists
    .flatMap((list) => list.children.filter((child) => is(child, RIM, 'ObjectRef')))
    .map((ref) => {
      const id = canonicalId(attribute(ref, 'id')) as EntryId;
      const home = attribute(ref, 'home');
      return home === '' ? { id } : { id, home };
    });
}
