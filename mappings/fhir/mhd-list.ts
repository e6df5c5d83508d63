/** SubmissionSet and Folder <-> List (ITI TF-3 §4.5.2, §4.5.3, MHD 4.2.3). Pure; both directions. */
import type { CodeableConcept, Extension, List, Organization, Reference } from 'fhir/r4.js';
import type {
  DocumentAuthor,
  DocumentCode,
  EntryId,
  Folder,
  PatientCx,
  SubmissionSet,
} from '../../hub/core/document.ts';
import { parseOid } from '../../hub/core/identifier.ts';
import { SYSTEMS } from './context.ts';
import { compact, list } from './datatypes.ts';
import { entryIdentifiers, fhirId } from './mhd-document.ts';
import { authorOf, authorReference, Contained, personOf, type Resolve } from './mhd-people.ts';
import { LIST_TYPES, MHD_EXTENSIONS, mhdProfile } from './mhd-terms.ts';
import {
  codeOf,
  conceptOf,
  contactOfXtn,
  dateTimeOfDtm,
  defined,
  dtmOfDateTime,
  firstText,
  identifierOfUniqueId,
  organizationOfXon,
  plainText,
  practitionerOfXcn,
  uniqueIdOf,
  xonOf,
  xtnOf,
} from './xds-values.ts';

export type ListKind = 'submissionset' | 'folder';

export interface ListSurroundings {
  readonly subject: Reference;
  /** What is in it, by FHIR type. */
  readonly items: readonly { readonly type: 'DocumentReference' | 'List'; readonly id: EntryId }[];
}

const listCode = (kind: ListKind): CodeableConcept => ({ coding: [{ system: LIST_TYPES, code: kind }] });

export const listKindOf = (body: List): ListKind | null => {
  const code = (body.code?.coding ?? []).find(({ system }) => system === LIST_TYPES)?.code;
  return code === 'submissionset' || code === 'folder' ? code : null;
};

const designation = (code: DocumentCode): Extension[] => {
  const valueCodeableConcept = conceptOf(code);
  return valueCodeableConcept ? [{ url: MHD_EXTENSIONS.designationType, valueCodeableConcept }] : [];
};
const itemsOf = (around: ListSurroundings): List['entry'] =>
  around.items.map(({ type, id }) => ({ item: { reference: `${type}/${fhirId(id)}` } }));
const noted = (text: string | undefined): List['note'] => (text === undefined ? [] : [{ text }]);

export function submissionSetList(set: SubmissionSet, around: ListSurroundings): List {
  const contained = new Contained();
  // List.source is one: further authors have no place in R4.
  const [first] = set.authors;
  const source = first && sourceOf(first, contained);
  const recipients = set.intendedRecipients.map((one) => recipientReference(one, contained));
  const profile = set.contentType && !set.limited ? 'Comprehensive' : 'Minimal';
  return compact<List>({
    resourceType: 'List',
    id: fhirId(set.id),
    meta: { profile: [mhdProfile(`${profile}.SubmissionSet`)] },
    contained: contained.resources,
    extension: [
      ...(set.contentType ? designation(set.contentType) : []),
      { url: MHD_EXTENSIONS.sourceId, valueIdentifier: sourceIdentifier(set.sourceId) },
      ...recipients.map((valueReference) => ({ url: MHD_EXTENSIONS.intendedRecipient, valueReference })),
    ],
    identifier: [...entryIdentifiers(set.id, set.lid), identifierOfUniqueId(set.uniqueId)],
    status: set.status === 'approved' ? 'current' : 'retired',
    mode: 'working',
    title: firstText(set.title),
    code: listCode('submissionset'),
    subject: around.subject,
    date: dateTimeOfDtm(set.submissionTime),
    source,
    note: noted(firstText(set.comments)),
    entry: itemsOf(around),
  });
}

export function folderList(folder: Folder, around: ListSurroundings): List {
  const title = firstText(folder.title);
  const profile = folder.codes.length > 0 && title !== undefined && !folder.limited ? 'Comprehensive' : 'Minimal';
  return compact<List>({
    resourceType: 'List',
    id: fhirId(folder.id),
    meta: { profile: [mhdProfile(`${profile}.Folder`)] },
    extension: folder.codes.flatMap(designation),
    identifier: [...entryIdentifiers(folder.id, folder.lid), identifierOfUniqueId(folder.uniqueId)],
    status: folder.status === 'approved' ? 'current' : 'retired',
    mode: 'working',
    title,
    code: listCode('folder'),
    subject: around.subject,
    date: dateTimeOfDtm(folder.lastUpdateTime),
    note: noted(firstText(folder.comments)),
    entry: itemsOf(around),
  });
}

const sourceIdentifier = (sourceId: string): { system: string; value: string } => ({
  system: SYSTEMS.uri,
  value: parseOid(sourceId) !== null && sourceId.includes('.') ? `urn:oid:${sourceId}` : sourceId,
});

/** List.source is a person; the institution stands in the extension authorOrg (MHD 4.2.3). */
function sourceOf(author: DocumentAuthor, contained: Contained): Reference | undefined {
  const [institution, ...others] = author.institutions;
  const plain = others.length + author.roles.length + author.specialties.length === 0;
  if (!plain || institution === undefined) return authorReference(author, contained);
  const organization = { url: MHD_EXTENSIONS.authorOrg, valueReference: contained.add(organizationOfXon(institution)) };
  if (author.person === undefined) {
    const telecom = list(...author.telecoms.map(contactOfXtn));
    const role = contained.add(compact({ resourceType: 'PractitionerRole' as const, telecom }));
    return { extension: [organization], ...role };
  }
  const person = authorReference({ ...author, institutions: [] }, contained);
  return person && { extension: [organization], ...person };
}

/** `XON|XCN|XTN` (ITI TF-3 §4.2.3.3.7): the person where there is one, else the organisation. */
function recipientReference(recipient: string, contained: Contained): Reference {
  const [xon = '', xcn = '', xtn = ''] = recipient.split('|');
  const telecom = list(contactOfXtn(xtn));
  if (xcn !== '' || xon === '') return contained.add(compact({ ...practitionerOfXcn(xcn), telecom }));
  return contained.add(compact({ ...organizationOfXon(xon), telecom }));
}
function recipientOf(reference: Reference, resolve: Resolve): string | undefined {
  const found = resolve(reference);
  const telecom = (found as Organization | undefined)?.telecom ?? [];
  const xtn = list(...telecom.map(xtnOf))[0] ?? '';
  if (found?.resourceType === 'Organization')
    return [xonOf(found as Organization), '', xtn].join('|').replace(/\|+$/, '') || undefined;
  return ['', personOf(reference, resolve) ?? '', xtn].join('|').replace(/\|+$/, '') || undefined;
}

export interface ListTarget {
  readonly id: EntryId;
  readonly patientId: PatientCx;
  readonly limited: boolean;
  readonly resolve: Resolve;
  /** Where the sender gives none. */
  readonly uniqueId: string;
}

const extensionsOf = (body: List, url: string): Extension[] => (body.extension ?? []).filter((one) => one.url === url);
const usual = (body: List, otherwise: string): string => {
  const found = (body.identifier ?? []).find(({ use }) => use === 'usual');
  return found ? uniqueIdOf(found) : otherwise;
};
const lidOf = (body: List, target: ListTarget): EntryId =>
  ((body.identifier ?? [])
    .find((one) => one.type?.coding?.some(({ code }) => code === 'logicalID'))
    ?.value?.toLowerCase() as EntryId | undefined) ?? target.id;
const headOf = (body: List, target: ListTarget) => ({
  id: target.id,
  lid: lidOf(body, target),
  version: 1,
  status: 'approved' as const,
  patientId: target.patientId,
  uniqueId: usual(body, target.uniqueId),
  title: plainText(body.title),
  comments: plainText(body.note?.[0]?.text),
  extra: [],
  limited: target.limited,
});

export function submissionSetOf(body: List, target: ListTarget): SubmissionSet {
  const [designated] = extensionsOf(body, MHD_EXTENSIONS.designationType);
  const [source] = extensionsOf(body, MHD_EXTENSIONS.sourceId);
  const recipients = extensionsOf(body, MHD_EXTENSIONS.intendedRecipient).map(({ valueReference }) =>
    valueReference ? recipientOf(valueReference, target.resolve) : undefined,
  );
  return defined<SubmissionSet>({
    kind: 'submission-set',
    ...headOf(body, target),
    authors: list(submitter(body, target.resolve)),
    contentType: codeOf(designated?.valueCodeableConcept),
    sourceId: uniqueIdOf(source?.valueIdentifier ?? {}),
    submissionTime: dtmOfDateTime(body.date) ?? '',
    intendedRecipients: list(...recipients),
  });
}

function submitter(body: List, resolve: Resolve): DocumentAuthor | undefined {
  const { source } = body;
  if (source === undefined) return undefined;
  const organizations = (source.extension ?? []).filter(({ url }) => url === MHD_EXTENSIONS.authorOrg);
  const institutions = organizations.flatMap(
    ({ valueReference }) =>
      (valueReference && authorOf({ type: 'Organization', ...valueReference }, resolve))?.institutions ?? [],
  );
  const author =
    source.reference === undefined && source.identifier === undefined && source.display === undefined
      ? undefined
      : authorOf(source, resolve);
  if (author === undefined && institutions.length === 0) return undefined;
  const base = author ?? { institutions: [], roles: [], specialties: [], telecoms: [] };
  return { ...base, institutions: [...base.institutions, ...institutions] };
}

export function folderOf(body: List, target: ListTarget): Folder {
  return {
    kind: 'folder',
    ...headOf(body, target),
    codes: list(...extensionsOf(body, MHD_EXTENSIONS.designationType).map((one) => codeOf(one.valueCodeableConcept))),
    lastUpdateTime: dtmOfDateTime(body.date) ?? '',
  };
}
