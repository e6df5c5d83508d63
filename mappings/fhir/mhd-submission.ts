/** A checked Provide Document Bundle as a submission of XDS (ITI TF-2 §3.65.4.1.3.1): objects, members, relations. */
import type { DocumentReference, Identifier, Reference } from 'fhir/r4.js';
import type {
  AssociationType,
  DocumentAssociation,
  EntryId,
  PatientCx,
  RegistryObject,
  Submission,
} from '../../hub/core/document.ts';
import type { FhirBody } from '../../hub/core/fhir.ts';
import type { Oid } from '../../hub/core/identifier.ts';
import { documentId, resolver, type BundleFault, type ProvidedBundle } from './mhd-bundle.ts';
import { documentEntryOf, statedDigest } from './mhd-document.ts';
import { folderOf, submissionSetOf } from './mhd-list.ts';
import type { Resolve } from './mhd-people.ts';
import { uniqueIdOf } from './xds-values.ts';

export interface SubmissionContext {
  readonly patientId: PatientCx;
  readonly repositoryUniqueId: Oid;
  /** Of the bytes in an entry, as the recipient measured them. */
  readonly measured: ReadonlyMap<number, { readonly hash: string; readonly size: number }>;
  /** Folders that are there already, by their place in the bundle. */
  readonly folders: ReadonlyMap<number, EntryId>;
  readonly held: Resolve;
  /** Draws the id of a new object: real from the start, so that whatever the registry says of it leads back here. */
  readonly draw: () => EntryId;
  /** Unique ids for lists that bring none. */
  readonly uids: readonly [set: string, ...folders: string[]];
}

export type Assembled =
  | {
      readonly ok: true;
      readonly submission: Submission;
      /** Ids by place in the bundle. */
      readonly ids: ReadonlyMap<number, EntryId>;
    }
  | { readonly ok: false; readonly faults: readonly BundleFault[] };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Relation of R4 by the association that means it; ConceptMap AssociationTypeVsRelatesTo read backwards. */
const ASSOCIATION_OF: Readonly<Record<string, AssociationType>> = {
  replaces: 'RPLC',
  transforms: 'XFRM',
  appends: 'APND',
  signs: 'signs',
};

export function submissionOf(bundle: ProvidedBundle, context: SubmissionContext): Assembled {
  const faults: BundleFault[] = [];
  const ids = new Map<number, EntryId>();
  const byUrl = new Map<string, EntryId>();
  const place = (at: number, fullUrl: string | undefined, id: EntryId): EntryId => {
    ids.set(at, id);
    if (fullUrl !== undefined) byUrl.set(fullUrl, id);
    return id;
  };
  const common = { patientId: context.patientId, limited: bundle.profile === 'Minimal' };
  const resolve = (body: object): Resolve => resolver(body as FhirBody, bundle, context.held);
  const setId = place(bundle.set.at, bundle.set.fullUrl, givenId(bundle.set.body.identifier) ?? context.draw());
  const objects: RegistryObject[] = [
    submissionSetOf(bundle.set.body, {
      ...common,
      id: setId,
      resolve: resolve(bundle.set.body),
      uniqueId: context.uids[0],
    }),
  ];
  for (const { at, fullUrl, body, path, bytes } of bundle.documents) {
    const digest = context.measured.get(bytes.at) ?? { hash: '', size: 0 };
    faults.push(...digestFaults(statedDigest(body), digest, path), ...repeated(bundle, at, body, path));
    const id = place(at, fullUrl, givenId(body.identifier) ?? context.draw());
    const { repositoryUniqueId } = context;
    const entry = documentEntryOf(body, { ...common, ...digest, id, repositoryUniqueId, resolve: resolve(body) });
    // XDS wants the id under which the source knows the patient: the sender knew them by that of this domain.
    objects.push({ ...entry, sourcePatientId: entry.sourcePatientId ?? context.patientId });
  }
  bundle.folders.forEach(({ at, fullUrl, body }, index) => {
    const existing = context.folders.get(at);
    const id = place(at, fullUrl, existing ?? givenId(body.identifier) ?? context.draw());
    const uniqueId = context.uids[index + 1] ?? '';
    if (existing === undefined) objects.push(folderOf(body, { ...common, id, resolve: resolve(body), uniqueId }));
  });
  const links = new Links(byUrl, faults);
  relate(bundle, ids, setId, context, links);
  return faults.length > 0
    ? { ok: false, faults }
    : { ok: true, submission: { objects, associations: links.made }, ids };
}

/** An entryUUID that the sender gave (MHD EntryUUID identifier); without one the registry chooses. */
function givenId(identifiers: readonly Identifier[] | undefined): EntryId | null {
  const value = identifiers?.find(({ use, value: one }) => use === 'official' && one?.startsWith('urn:uuid:'))?.value;
  return value === undefined ? null : (value.toLowerCase() as EntryId);
}

/** ITI TF-2 §3.41.4.1.3: two documents of one message have two unique ids. */
function repeated(bundle: ProvidedBundle, at: number, body: DocumentReference, path: string): BundleFault[] {
  const own = uniqueIdOf(body.masterIdentifier ?? {});
  const first = bundle.documents.find((one) => uniqueIdOf(one.body.masterIdentifier ?? {}) === own);
  if (first === undefined || first.at === at) return [];
  const text = 'another DocumentReference of this bundle has this identifier';
  return [{ path: `${path}.masterIdentifier`, text, code: 'XDSRepositoryDuplicateUniqueIdInMessage' }];
}

function digestFaults(
  stated: ReturnType<typeof statedDigest>,
  measured: { readonly hash: string; readonly size: number },
  path: string,
): BundleFault[] {
  const at = `${path}.content[0].attachment`;
  const faults: BundleFault[] = [];
  if (stated.hash === null)
    faults.push({ path: `${at}.hash`, text: 'this is no base64 of a SHA-1', code: 'XDSRepositoryMetadataError' });
  else if (stated.hash !== undefined && stated.hash !== measured.hash)
    faults.push({ path: `${at}.hash`, text: 'the document has another hash', code: 'XDSNonIdenticalHash' });
  if (stated.size !== undefined && stated.size !== measured.size)
    faults.push({ path: `${at}.size`, text: 'the document has another size', code: 'XDSNonIdenticalSize' });
  return faults;
}

class Links {
  readonly made: DocumentAssociation[] = [];
  readonly #byUrl: ReadonlyMap<string, EntryId>;
  readonly #faults: BundleFault[];

  constructor(byUrl: ReadonlyMap<string, EntryId>, faults: BundleFault[]) {
    this.#byUrl = byUrl;
    this.#faults = faults;
  }

  add(type: AssociationType, source: EntryId, target: EntryId, status?: 'Original' | 'Reference'): EntryId {
    // Associations are spoken of by nobody: the registry draws their ids.
    const id = `association-${String(this.made.length + 1)}` as EntryId;
    this.made.push({
      id,
      type,
      source,
      target,
      status: 'approved',
      ...(status === undefined ? {} : { submissionSetStatus: status }),
      extra: [],
    });
    return id;
  }

  /** An entry of this bundle, or an object of the registry by its FHIR id. */
  target(reference: Reference, path: string): { readonly id: EntryId; readonly isNew: boolean } | null {
    const url = reference.reference ?? '';
    const own = this.#byUrl.get(url);
    if (own !== undefined) return { id: own, isNew: true };
    const id = /(?:^|\/)(?:DocumentReference|List)\/([^/]+)$/.exec(url)?.[1] ?? url.replace(/^urn:uuid:/, '');
    if (UUID.test(id)) return { id: `urn:uuid:${id}` as EntryId, isNew: false };
    this.#faults.push({
      path,
      text: 'this leads to no document of this registry',
      code: 'UnresolvedReferenceException',
    });
    return null;
  }

  fault(fault: BundleFault): void {
    this.#faults.push(fault);
  }
}

function relate(
  bundle: ProvidedBundle,
  ids: ReadonlyMap<number, EntryId>,
  setId: EntryId,
  context: SubmissionContext,
  links: Links,
): void {
  const updated = new Set(context.folders.values());
  (bundle.set.body.entry ?? []).forEach(({ item }, index) => {
    const found = links.target(item, `${bundle.set.path}.entry[${String(index)}].item`);
    // A folder that is there already is no member of this submission; only what is put into it is.
    if (found && !updated.has(found.id)) {
      const isDocument = bundle.documents.some(({ at }) => ids.get(at) === found.id) || !found.isNew;
      links.add('HasMember', setId, found.id, isDocument ? (found.isNew ? 'Original' : 'Reference') : undefined);
    }
  });
  const replaced = new Set<string>();
  for (const { at, path, body } of bundle.documents) {
    const source = ids.get(at);
    (body.relatesTo ?? []).forEach(({ code, target }, index) => {
      const found = links.target(target, `${path}.relatesTo[${String(index)}].target`);
      const type = ASSOCIATION_OF[code];
      if (!found || source === undefined || type === undefined) return;
      if (code === 'replaces') replaced.add(documentId(target.reference) ?? '');
      links.add(type, source, found.id);
    });
  }
  for (const { path, target } of bundle.patches)
    if (!replaced.has(target))
      links.fault({
        path,
        text: 'no DocumentReference of this bundle replaces it',
        code: 'XDSRepositoryMetadataError',
      });
  for (const { at, path, body } of bundle.folders) {
    const source = ids.get(at);
    (body.entry ?? []).forEach(({ item }, index) => {
      const found = links.target(item, `${path}.entry[${String(index)}].item`);
      // ITI TF-3 §4.2.1.3: the submission set has the membership itself as a member.
      if (found && source !== undefined) links.add('HasMember', setId, links.add('HasMember', source, found.id));
    });
  }
}
