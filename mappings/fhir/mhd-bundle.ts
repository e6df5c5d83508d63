/** Provide Document Bundle (ITI TF-2 §3.65.4.1): what is in it, checked; patients, bytes and ids are the recipient's. */
import type { Binary, Bundle, BundleEntry, DocumentReference, List, Parameters, Patient, Reference } from 'fhir/r4.js';
import type { RegistryErrorCode } from '../../hub/core/document.ts';
import type { FhirBody } from '../../hub/core/fhir.ts';
import { listKindOf } from './mhd-list.ts';
import type { Resolve } from './mhd-people.ts';
import { profileFaults, type MhdProfile } from './mhd-rules.ts';
import { mhdProfile } from './mhd-terms.ts';
import { structureFaults } from './structure.ts';

/** An error of MHD or XDS, at an element. */
export interface BundleFault {
  readonly path: string;
  readonly text: string;
  readonly code?: RegistryErrorCode | 'FHIRDocumentNotSupported';
}

export interface Item<R> {
  /** Place in the bundle. */
  readonly at: number;
  readonly path: string;
  readonly fullUrl: string | undefined;
  readonly method: string;
  readonly body: R;
}

export interface ProvidedBundle {
  readonly profile: MhdProfile;
  readonly entries: number;
  readonly set: Item<List>;
  /** Each with the entry that holds its bytes. */
  readonly documents: readonly (Item<DocumentReference> & { readonly bytes: Item<Binary | Bundle> })[];
  readonly folders: readonly Item<List>[];
  /** Places of the Binary entries, and of the Patient, which stores nothing. */
  readonly binaries: readonly Item<Binary | Bundle>[];
  readonly patient: Item<Patient> | undefined;
  readonly patches: readonly { readonly at: number; readonly path: string; readonly target: string }[];
}

export type ReadBundle =
  | { readonly ok: true; readonly value: ProvidedBundle }
  | { readonly ok: false; readonly faults: readonly BundleFault[] };

const PROFILES: readonly MhdProfile[] = ['UnContained.Comprehensive', 'Comprehensive', 'Minimal'];
const MOST_ENTRIES = 1000;
const entryPath = (at: number): string => `Bundle.entry[${String(at)}]`;

export function readProvideBundle(input: unknown): ReadBundle {
  if ((input as { resourceType?: unknown } | null)?.resourceType !== 'Bundle')
    return { ok: false, faults: [{ path: 'Bundle', text: 'a transaction Bundle is taken here' }] };
  const isDocument = (path: string, type: string): boolean => type === 'Bundle' && path !== 'Bundle';
  const faults: BundleFault[] = structureFaults(input, 'Bundle', isDocument);
  if (faults.length > 0) return { ok: false, faults };
  const bundle = input as Bundle;
  if (bundle.type !== 'transaction')
    return { ok: false, faults: [{ path: 'Bundle.type', text: 'a transaction Bundle is taken here' }] };
  const profile = PROFILES.find((name) => bundle.meta?.profile?.includes(mhdProfile(`${name}.ProvideBundle`)));
  if (profile === undefined)
    return {
      ok: false,
      faults: [{ path: 'Bundle.meta.profile', text: 'one of the ProvideBundle profiles of MHD is required' }],
    };
  const entries = bundle.entry ?? [];
  if (entries.length > MOST_ENTRIES)
    return { ok: false, faults: [{ path: 'Bundle.entry', text: `at most ${String(MOST_ENTRIES)} entries are taken` }] };
  const sorted = sort(entries, faults);
  const [set, ...more] = sorted.sets;
  if (set === undefined || more.length > 0)
    faults.push({
      path: 'Bundle.entry',
      text: 'exactly one SubmissionSet List is required',
      code: 'XDSRepositoryMetadataError',
    });
  if (set === undefined || faults.length > 0) return { ok: false, faults };
  faults.push(...demands(sorted, set, profile));
  const documents = withBytes(sorted, faults);
  faults.push(...membership(set, sorted));
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, value: { profile, entries: entries.length, ...sorted, set, documents } };
}

interface Sorted {
  readonly sets: Item<List>[];
  readonly references: Item<DocumentReference>[];
  readonly folders: Item<List>[];
  readonly binaries: Item<Binary | Bundle>[];
  readonly patches: { at: number; path: string; target: string }[];
  patient: Item<Patient> | undefined;
}

/** The slices of the ProvideBundle profiles are closed: what is none of them is refused. */
function sort(entries: readonly BundleEntry[], faults: BundleFault[]): Sorted {
  const sorted: Sorted = { sets: [], references: [], folders: [], binaries: [], patches: [], patient: undefined };
  const seen = new Set<string>();
  entries.forEach((entry, at) => {
    const path = entryPath(at);
    const { resource, request, fullUrl } = entry;
    if (resource === undefined || request === undefined) {
      faults.push({ path, text: 'an entry has a resource and a request' });
      return;
    }
    if (fullUrl !== undefined && seen.has(fullUrl))
      faults.push({ path: `${path}.fullUrl`, text: 'another entry has this fullUrl' });
    if (fullUrl !== undefined) seen.add(fullUrl);
    const { method } = request;
    const item = <R>(body: object): Item<R> => ({ at, path: `${path}.resource`, fullUrl, method, body: body as R });
    const slice = sliceOf(resource as FhirBody, method);
    if (slice === 'submission-set') sorted.sets.push(item(resource));
    else if (slice === 'folder') sorted.folders.push(item(resource));
    else if (slice === 'document') sorted.references.push(item(resource));
    else if (slice === 'bytes') sorted.binaries.push(item(resource));
    else if (slice === 'patient' && sorted.patient === undefined) sorted.patient = item(resource);
    else if (slice === 'patch') {
      const target = superseded(resource as Parameters, request.url);
      if (target === null)
        faults.push({ path, text: 'the one patch taken replaces the status of a DocumentReference by superseded' });
      else sorted.patches.push({ at, path, target });
    } else faults.push({ path, text: 'MHD has no place for an entry of this type and method' });
  });
  return sorted;
}

function sliceOf(
  resource: FhirBody,
  method: string,
): 'submission-set' | 'folder' | 'document' | 'bytes' | 'patient' | 'patch' | null {
  switch (resource.resourceType) {
    case 'List': {
      const kind = listKindOf(resource as List);
      if (kind === 'submissionset') return method === 'POST' ? 'submission-set' : null;
      return kind === 'folder' && (method === 'POST' || method === 'PUT') ? 'folder' : null;
    }
    case 'DocumentReference':
      return method === 'POST' ? 'document' : null;
    case 'Binary':
    case 'Bundle':
      return method === 'POST' ? 'bytes' : null;
    case 'Patient':
      return method === 'POST' || method === 'PUT' || method === 'GET' ? 'patient' : null;
    case 'Parameters':
      return method === 'PATCH' ? 'patch' : null;
    default:
      return null;
  }
}

/** UpdateDocumentRefs (IHE.MHD.Patch.Parameters): the id of the DocumentReference that it supersedes. */
function superseded(body: Parameters, url: string): string | null {
  const [operation, ...more] = (body.parameter ?? []).filter(({ name }) => name === 'operation');
  const part = (name: string) => operation?.part?.find((one) => one.name === name);
  const fits =
    more.length === 0 &&
    part('type')?.valueCode === 'replace' &&
    part('path')?.valueString === 'DocumentReference.status' &&
    part('value')?.valueCode === 'superseded';
  return fits ? documentId(url) : null;
}

export const documentId = (reference: string | undefined): string | null =>
  /(?:^|\/)DocumentReference\/([A-Za-z0-9.-]{1,64})$/.exec(reference ?? '')?.[1] ?? null;

function demands(sorted: Sorted, set: Item<List>, profile: MhdProfile): BundleFault[] {
  const faults: BundleFault[] = profileFaults(set.body, 'submission-set', profile, set.path);
  for (const { body, path } of sorted.folders) faults.push(...profileFaults(body, 'folder', profile, path));
  for (const { body, path } of sorted.references) {
    faults.push(...profileFaults(body, 'document', profile, path));
    if (body.status !== 'current') faults.push({ path: `${path}.status`, text: 'a new document is current' });
  }
  for (const { body, path } of [set, ...sorted.folders]) {
    if (body.mode !== 'working') faults.push({ path: `${path}.mode`, text: 'the mode is working' });
    if (body.status !== 'current') faults.push({ path: `${path}.status`, text: 'a new list is current' });
  }
  return faults.map((fault) => ({ code: 'XDSRepositoryMetadataError', ...fault }));
}

function withBytes(
  sorted: Sorted,
  faults: BundleFault[],
): (Item<DocumentReference> & { bytes: Item<Binary | Bundle> })[] {
  const byUrl = new Map(sorted.binaries.map((one) => [one.fullUrl, one]));
  const used = new Set<number>();
  const documents = sorted.references.flatMap((reference) => {
    const url = reference.body.content[0]?.attachment.url;
    const bytes = url === undefined ? undefined : byUrl.get(url);
    if (bytes === undefined) {
      const path = `${reference.path}.content[0].attachment.url`;
      faults.push({ path, text: 'the document itself must be in the bundle', code: 'XDSMissingDocument' });
      return [];
    }
    if (used.has(bytes.at)) faults.push({ path: reference.path, text: 'another DocumentReference has these bytes' });
    used.add(bytes.at);
    return [{ ...reference, bytes }];
  });
  for (const { at, path } of sorted.binaries)
    if (!used.has(at))
      faults.push({ path, text: 'no DocumentReference describes this document', code: 'XDSMissingDocumentMetadata' });
  return documents;
}

/** Everything submitted is in the submission set (ITI TF-3 §4.2.1.1). */
function membership(set: Item<List>, sorted: Sorted): BundleFault[] {
  const listed = new Set((set.body.entry ?? []).map(({ item }) => item.reference));
  return [...sorted.references, ...sorted.folders]
    .filter(({ fullUrl, method }) => (fullUrl === undefined || !listed.has(fullUrl)) && method === 'POST')
    .map(({ path }) => ({
      path,
      text: 'the SubmissionSet does not list it',
      code: 'XDSRepositoryMetadataError' as const,
    }));
}

/** References of one resource: contained, or the fullUrl of another entry; `held` finds what the hub itself has. */
export function resolver(body: FhirBody, bundle: ProvidedBundle | null, held: Resolve): Resolve {
  const contained = (body as { contained?: readonly FhirBody[] }).contained ?? [];
  const carried: object | undefined = bundle?.patient?.body;
  return (reference) => {
    const at = reference.reference;
    if (at === undefined) return undefined;
    if (at.startsWith('#')) return contained.find(({ id }) => id === at.slice(1));
    return at === bundle?.patient?.fullUrl ? (carried as FhirBody) : held(reference);
  };
}

/** Every reference that says whose the submission is, with its place. */
export function subjectsOf(
  bundle: ProvidedBundle,
): { readonly path: string; readonly subject: Reference | undefined }[] {
  const items: readonly Item<List | DocumentReference>[] = [bundle.set, ...bundle.documents, ...bundle.folders];
  return items.map(({ path, body }) => ({ path: `${path}.subject`, subject: body.subject }));
}
