/**
 * Provide Document Bundle (ITI-65) and Simplified Publish (ITI-105): keeps the bytes, then registers everything at once.
 * Bytes of a submission that was refused are removed again; nothing can be retrieved that is not registered.
 */
import { createHash } from 'node:crypto';
import type { Bundle } from 'fhir/r4.js';
import type { ChangeOrigin, DocumentRegistry, RepositoryDocument } from '../core/document-ports.ts';
import type { EntryId, RegistryProblem } from '../core/document.ts';
import type { FhirBody } from '../core/fhir.ts';
import type { Oid } from '../core/identifier.ts';
import type { ObjectStore } from '../core/ports.ts';
import { mimeType } from '../../mappings/fhir/document.ts';
import { readProvideBundle, type BundleFault, type ProvidedBundle } from '../../mappings/fhir/mhd-bundle.ts';
import { submissionOf } from '../../mappings/fhir/mhd-submission.ts';
import { uniqueIdOf } from '../../mappings/fhir/xds-values.ts';
import { freshDocumentKey } from './sweep-repository.ts';
import { localOf, patientOf, type PatientDeps } from './submission-patient.ts';

export interface ProvideDeps extends PatientDeps {
  readonly registry: DocumentRegistry;
  readonly objects: Pick<ObjectStore, 'write' | 'remove'>;
  readonly repositoryOid: Oid;
  readonly clock: () => Date;
  /** An id that nobody had before: `urn:uuid:…`. */
  readonly draw: () => EntryId;
}

export interface Sender {
  readonly origin: ChangeOrigin;
  /** The hub's base, under which absolute references are its own. */
  readonly base: string;
  /** How a document that is itself a Bundle goes into bytes. */
  readonly format: 'json' | 'xml';
}

export interface ProvidedEntry {
  readonly created: boolean;
  /** `Type/id`. */
  readonly location: string;
}

export type Provided =
  | {
      readonly ok: true;
      readonly entries: readonly ProvidedEntry[];
      readonly warnings: readonly RegistryProblem[];
      readonly persons: readonly string[];
    }
  | { readonly ok: false; readonly faults: readonly (BundleFault | ProblemAt)[]; readonly persons: readonly string[] };

export interface ProblemAt extends BundleFault {
  readonly problem: RegistryProblem;
}

const refused = (faults: readonly BundleFault[], persons: readonly string[] = []): Provided => ({
  ok: false,
  faults,
  persons,
});

export async function provideBundle(deps: ProvideDeps, input: unknown, sender: Sender): Promise<Provided> {
  const read = readProvideBundle(input);
  if (!read.ok) return refused(read.faults);
  const bundle = read.value;
  const whose = await patientOf(deps, bundle, sender.base);
  if (!whose.ok) return refused(whose.faults);
  const bytes = documentsIn(bundle, sender);
  if (!bytes.ok) return refused(bytes.faults, whose.persons);
  const held = await heldFor(deps, bundle, sender);
  const folders = await existingFolders(deps, bundle);
  const made = submissionOf(bundle, {
    patientId: whose.id,
    repositoryUniqueId: deps.repositoryOid,
    measured: new Map([...bytes.documents].map(([at, { hash, data }]) => [at, { hash, size: data.length }])),
    folders,
    held: (reference) => held.get(localOf(reference.reference, sender.base) ?? ''),
    draw: deps.draw,
    uids: [uidOf(deps.draw()), ...bundle.folders.map(() => uidOf(deps.draw()))],
  });
  if (!made.ok) return refused(made.faults, whose.persons);
  const documents = await keep(deps, bundle, bytes.documents);
  const answer = await registered(deps, made.submission, documents, sender);
  if (!answer.ok) {
    const faults = answer.problems.map((problem) => located(problem, bundle, made.ids));
    return refused(faults, whose.persons);
  }
  return {
    ok: true,
    entries: entriesOf(bundle, made.ids, folders, whose.persons),
    warnings: answer.warnings,
    persons: whose.persons,
  };
}

/** ITU-T X.667: a UUID as an OID. */
const uidOf = (id: EntryId): string => `2.25.${BigInt(`0x${id.replace(/^urn:uuid:|-/g, '')}`).toString()}`;

/** In the order of the request (ITI TF-2 §3.65.4.2.2). */
function entriesOf(
  bundle: ProvidedBundle,
  ids: ReadonlyMap<number, EntryId>,
  existing: ReadonlyMap<number, EntryId>,
  persons: readonly string[],
): ProvidedEntry[] {
  const idAt = (at: number): string => (ids.get(at) ?? '').replace(/^urn:uuid:/, '');
  const entries = new Map<number, ProvidedEntry>();
  entries.set(bundle.set.at, { created: true, location: `List/${idAt(bundle.set.at)}` });
  for (const { at } of bundle.folders) entries.set(at, { created: !existing.has(at), location: `List/${idAt(at)}` });
  for (const { at, bytes } of bundle.documents) {
    entries.set(at, { created: true, location: `DocumentReference/${idAt(at)}` });
    entries.set(bytes.at, { created: true, location: `Binary/${idAt(at)}` });
  }
  for (const { at, target } of bundle.patches)
    entries.set(at, { created: false, location: `DocumentReference/${target}` });
  if (bundle.patient) entries.set(bundle.patient.at, { created: false, location: `Patient/${persons[0] ?? ''}` });
  return [...entries].sort(([a], [b]) => a - b).map(([, entry]) => entry);
}

/** The object or attribute that a problem of the registry names, as the element that became it. */
function located(problem: RegistryProblem, bundle: ProvidedBundle, ids: ReadonlyMap<number, EntryId>): ProblemAt {
  const { location = '', context, code } = problem;
  const named = [...ids].find(([, id]) => location.includes(id))?.[0];
  const [word = '', attribute = ''] = location.split('.');
  // The registry names the kind of object; which one of several it is, it does not say.
  const [only, ...more] =
    word === 'XDSSubmissionSet'
      ? [bundle.set]
      : word === 'XDSFolder'
        ? bundle.folders
        : word === 'XDSDocumentEntry'
          ? bundle.documents
          : [];
  const item = more.length === 0 ? only : undefined;
  const element = item && (item === bundle.set || word === 'XDSFolder' ? LIST_ELEMENTS : DOCUMENT_ELEMENTS)[attribute];
  const path = named === undefined ? (item?.path ?? 'Bundle') : `Bundle.entry[${String(named)}].resource`;
  return { path: element === undefined ? path : `${path}.${element}`, text: context, code, problem };
}

/** ITI TF-3 §4.5.1.1: attributes by the elements that carry them. */
const DOCUMENT_ELEMENTS: Readonly<Record<string, string>> = {
  uniqueId: 'masterIdentifier',
  patientId: 'subject',
  mimeType: 'content[0].attachment.contentType',
  creationTime: 'content[0].attachment.creation',
  languageCode: 'content[0].attachment.language',
  hash: 'content[0].attachment.hash',
  size: 'content[0].attachment.size',
  formatCode: 'content[0].format',
  classCode: 'category',
  typeCode: 'type',
  confidentialityCode: 'securityLabel',
  facilityType: 'context.facilityType',
  practiceSetting: 'context.practiceSetting',
  serviceStartTime: 'context.period.start',
  serviceStopTime: 'context.period.end',
  sourcePatientId: 'context.sourcePatientInfo',
  sourcePatientInfo: 'context.sourcePatientInfo',
  referenceIdList: 'context.related',
  author: 'author',
};
const LIST_ELEMENTS: Readonly<Record<string, string>> = {
  uniqueId: 'identifier',
  patientId: 'subject',
  sourceId: "extension('https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-sourceId')",
  submissionTime: 'date',
  contentTypeCode: "extension('https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-designationType')",
  codeList: "extension('https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-designationType')",
  title: 'title',
  author: 'source',
};

/** Organizations and patients of the hub that the resources refer to without containing them. */
async function heldFor(
  deps: ProvideDeps,
  bundle: ProvidedBundle,
  sender: Sender,
): Promise<ReadonlyMap<string, FhirBody>> {
  const wanted = new Map<string, Set<string>>();
  const bodies = [bundle.set, ...bundle.documents].map(({ body }) => JSON.stringify(body));
  for (const body of bodies)
    for (const [, reference] of body.matchAll(/"reference":"([^"\\]{1,200})"/g)) {
      const [type = '', id = ''] = (localOf(reference, sender.base) ?? '').split('/');
      if (type === 'Organization' || type === 'Patient') wanted.set(type, (wanted.get(type) ?? new Set()).add(id));
    }
  const held = new Map<string, FhirBody>();
  for (const [type, ids] of wanted)
    for (const version of await deps.projection.fetch(type, [...ids].slice(0, 100)))
      if (version.body) held.set(`${type}/${version.id}`, version.body);
  return held;
}

/** Folders that a PUT adds to: known by their identifiers. */
async function existingFolders(deps: ProvideDeps, bundle: ProvidedBundle): Promise<ReadonlyMap<number, EntryId>> {
  const found = new Map<number, EntryId>();
  for (const { at, body, method } of bundle.folders) {
    if (method !== 'PUT') continue;
    const uniqueIds = (body.identifier ?? []).filter(({ use }) => use === 'usual').map(uniqueIdOf);
    const [folder] = await deps.registry.byUniqueId('folder', uniqueIds);
    if (folder) found.set(at, folder.id);
  }
  return found;
}

interface Held {
  readonly data: Buffer;
  readonly hash: string;
}
type Bytes =
  | { readonly ok: true; readonly documents: ReadonlyMap<number, Held> }
  | { readonly ok: false; readonly faults: readonly BundleFault[] };

function documentsIn(bundle: ProvidedBundle, { format }: Sender): Bytes {
  const documents = new Map<number, Held>();
  const faults: BundleFault[] = [];
  for (const { bytes, body, path } of bundle.documents) {
    const content = bytes.body;
    const stated = body.content[0]?.attachment.contentType ?? '';
    let data: Buffer;
    if (content.resourceType === 'Binary') {
      if (content.data === undefined)
        faults.push({ path: `${bytes.path}.data`, text: 'the document has no bytes', code: 'XDSMissingDocument' });
      if (content.contentType !== stated)
        faults.push({
          path: `${path}.content[0].attachment.contentType`,
          text: 'the document is of another type',
          code: 'XDSRepositoryMetadataError',
        });
      data = Buffer.from(content.data ?? '', 'base64');
    } else {
      // ITI-65 FHIR Document Publish: written in the format in which it came.
      if (format !== 'json' || !/^application\/fhir\+json\b/.test(stated))
        faults.push({
          path: bytes.path,
          text: 'documents that are Bundles are taken in a JSON request, as application/fhir+json',
          code: 'FHIRDocumentNotSupported',
        });
      data = Buffer.from(JSON.stringify(content satisfies Bundle));
    }
    documents.set(bytes.at, { data, hash: createHash('sha1').update(data).digest('hex') });
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, documents };
}

async function keep(
  { objects, clock }: ProvideDeps,
  bundle: ProvidedBundle,
  documents: ReadonlyMap<number, Held>,
): Promise<RepositoryDocument[]> {
  const kept: RepositoryDocument[] = [];
  try {
    for (const { bytes, body } of bundle.documents) {
      const held = documents.get(bytes.at);
      if (!held) continue;
      const key = freshDocumentKey(clock());
      const writer = await objects.write(key);
      try {
        await writer.write(held.data);
        await writer.commit();
      } catch (error) {
        await writer.abort();
        throw error;
      }
      kept.push({
        uniqueId: uniqueIdOf(body.masterIdentifier ?? {}),
        mimeType: mimeType(body.content[0]?.attachment.contentType ?? ''),
        object: key,
        size: held.data.length,
        hash: held.hash,
      });
    }
    return kept;
  } catch (error) {
    await discard(objects, kept);
    throw error;
  }
}

async function registered(
  deps: ProvideDeps,
  submission: Parameters<DocumentRegistry['register']>[0],
  documents: readonly RepositoryDocument[],
  sender: Sender,
): ReturnType<DocumentRegistry['register']> {
  // Where registration breaks off nobody knows whether it was done: the bytes stay, since they may be registered.
  const answer = await deps.registry.register(submission, { ...sender.origin, documents, trusted: false });
  if (!answer.ok) await discard(deps.objects, documents);
  return answer;
}

async function discard(objects: ProvideDeps['objects'], documents: readonly RepositoryDocument[]): Promise<void> {
  for (const { object } of documents) await objects.remove(object);
}
