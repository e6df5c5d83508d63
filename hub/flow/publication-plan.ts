/**
 * What must change in the registry so that it holds the documents of an exam and no others. Pure: the entries of an exam
 * have derived ids, one after the other in each slot, so what stands is found by asking for the ids themselves. No ledger
 * can disagree with the registry, nobody outside can pass an entry off as the hub's, and a repeat finds its own work done.
 */
import { createHash } from 'node:crypto';
import type {
  DocumentAssociation,
  DocumentEntry,
  EntryId,
  PatientCx,
  Submission,
  SubmissionSet,
} from '../core/document.ts';
import type { RepositoryDocument } from '../core/document-ports.ts';
import type { Derivation, HubId } from '../core/identifier.ts';
import { STATUSES } from '../../mappings/xds/ebrim-names.ts';
import type { ImagingDocument, Slot } from '../../mappings/xds/imaging-documents.ts';

/** A document whose bytes lie in the object store. */
export interface KeptDocument {
  readonly document: ImagingDocument;
  readonly object: string;
  readonly size: number;
  readonly sha1: string;
}

export interface Standing {
  readonly slot: Slot;
  /** How many entries this slot ever had. */
  readonly generations: number;
  /** Those that are approved: the last version of each. */
  readonly approved: readonly DocumentEntry[];
}

export interface Addition {
  readonly entry: DocumentEntry;
  readonly replaces: EntryId | null;
  readonly bytes: RepositoryDocument;
}

/** Another version of an entry whose document stays as it is. */
export interface Update {
  readonly entry: DocumentEntry;
  readonly previous: number;
}

export interface Plan {
  /** Approved entries that no addition replaces and no update supersedes, by the patient under whom they stand. */
  readonly withdrawals: ReadonlyMap<PatientCx, readonly EntryId[]>;
  readonly additions: readonly Addition[];
  readonly updates: readonly Update[];
}

/** The name of the slot in which an entry carries the digest of all that the hub said of it. */
const FINGERPRINT = 'urn:hutong:xds:fingerprint';

export const entryIdOf = (examId: HubId, slot: Slot, generation: number, derive: Derivation): EntryId =>
  `urn:uuid:${derive.id('document entry', examId, slot, String(generation))}` as EntryId;

/** `wanted` is empty for an exam that has none: cancelled, or united with another. `waiting`: what stands there stays. */
export function planPublication(
  examId: HubId,
  patientId: PatientCx,
  wanted: readonly KeptDocument[],
  waiting: readonly Slot[],
  standing: readonly Standing[],
  derive: Derivation,
): Plan {
  const withdrawals = new Map<PatientCx, EntryId[]>();
  const additions: Addition[] = [];
  const updates: Update[] = [];
  const withdraw = (entry: DocumentEntry): void => {
    withdrawals.set(entry.patientId, [...(withdrawals.get(entry.patientId) ?? []), entry.id]);
  };
  for (const { slot, approved, generations } of standing) {
    const kept = wanted.find(({ document }) => document.slot === slot);
    if (kept === undefined) {
      // What waits for its last images stays, unless the exam went to another person: then it must go at once.
      for (const entry of approved) if (!waiting.includes(slot) || entry.patientId !== patientId) withdraw(entry);
      continue;
    }
    const mark = fingerprint(kept);
    const same = approved.find((entry) => entry.patientId === patientId && markOf(entry) === mark);
    // RPLC within one patient only (ITI TF-3 §4.2.2.2.3): under another, the old is withdrawn and the new is new.
    const replaced = same === undefined ? approved.find((entry) => entry.patientId === patientId) : undefined;
    for (const entry of approved) if (entry !== same && entry !== replaced) withdraw(entry);
    if (same !== undefined) continue;
    if (replaced !== undefined && isSameDocument(replaced, kept)) {
      updates.push({ entry: versionOf(replaced, kept, mark, derive), previous: replaced.version });
      continue;
    }
    additions.push({
      entry: entryOf(entryIdOf(examId, slot, generations, derive), patientId, kept, mark),
      replaces: replaced?.id ?? null,
      bytes: bytesOf(kept),
    });
  }
  return { withdrawals, additions, updates };
}

const markOf = (entry: DocumentEntry): string | undefined =>
  entry.extra.find(({ name }) => name === FINGERPRINT)?.values[0];

const fingerprint = ({ document, size, sha1 }: KeptDocument): string =>
  createHash('sha256')
    .update(JSON.stringify([document.uniqueId, size, sha1, document.entry]))
    .digest('hex')
    .slice(0, 32);

function entryOf(id: EntryId, patientId: PatientCx, kept: KeptDocument, mark: string): DocumentEntry {
  const { document, size, sha1 } = kept;
  return {
    ...document.entry,
    id,
    lid: id,
    version: 1,
    status: 'approved',
    patientId,
    uniqueId: document.uniqueId,
    extra: [...document.entry.extra, { name: FINGERPRINT, values: [mark] }],
    hash: sha1,
    size,
  };
}

/** What ITI-57 leaves as it is: then only metadata changed (ITI TF-2 §3.57.4.1.3.3.1). */
const isSameDocument = (entry: DocumentEntry, { document, size, sha1 }: KeptDocument): boolean =>
  entry.uniqueId === document.uniqueId &&
  entry.hash === sha1 &&
  entry.size === size &&
  entry.entryType === document.entry.entryType &&
  entry.repositoryUniqueId === document.entry.repositoryUniqueId;

function versionOf(before: DocumentEntry, kept: KeptDocument, mark: string, derive: Derivation): DocumentEntry {
  const version = before.version + 1;
  const id = `urn:uuid:${derive.id('document entry version', before.lid, String(version))}` as EntryId;
  return { ...entryOf(id, before.patientId, kept, mark), lid: before.lid, version };
}

const bytesOf = ({ document, object, size, sha1 }: KeptDocument): RepositoryDocument => ({
  uniqueId: document.uniqueId,
  mimeType: document.entry.mimeType,
  object,
  size,
  hash: sha1,
});

export interface SetContext {
  readonly derive: Derivation;
  readonly sourceId: string;
  /** DTM. */
  readonly submissionTime: string;
  readonly authors: SubmissionSet['authors'];
  readonly contentType: NonNullable<SubmissionSet['contentType']>;
  readonly title: string;
}

/** One submission set that brings these entries, each under the entry it replaces. */
export function registration(patientId: PatientCx, additions: readonly Addition[], context: SetContext): Submission {
  const ids = additions.map(({ entry }) => entry.id);
  const set = submissionSet(patientId, ['register', ...ids], context);
  return {
    objects: [set, ...additions.map(({ entry }) => entry)],
    associations: additions.flatMap(({ entry, replaces }) => [
      associate('HasMember', set.id, entry.id, context, { submissionSetStatus: 'Original' }),
      ...(replaces === null ? [] : [associate('RPLC', entry.id, replaces, context)]),
    ]),
  };
}

/** Update DocumentEntry Metadata (ITI TF-2 §3.57.4.1.3.3.1): another version of each entry; its document stays. */
export function metadataUpdate(patientId: PatientCx, updates: readonly Update[], context: SetContext): Submission {
  const set = submissionSet(patientId, ['update', ...updates.map(({ entry }) => entry.id)], context);
  return {
    objects: [set, ...updates.map(({ entry }) => entry)],
    associations: updates.map(({ entry, previous }) =>
      associate('HasMember', set.id, entry.id, context, {
        submissionSetStatus: 'Original',
        extra: [{ name: 'PreviousVersion', values: [String(previous)] }],
      }),
    ),
  };
}

/**
 * Takes entries out of circulation (decision 0014): Update Availability Status to Deprecated (ITI TF-2 §3.57.4.1.3.3.2).
 * Deprecated documents stay retrievable for audit; an approved one comes back as a new entry.
 */
export function withdrawal(patientId: PatientCx, entries: readonly EntryId[], context: SetContext): Submission {
  // An entry may be withdrawn again after somebody approved it again: the time tells the acts apart.
  const set = submissionSet(patientId, ['withdraw', context.submissionTime, ...entries], context);
  return {
    objects: [set],
    associations: entries.map((entry) =>
      associate('UpdateAvailabilityStatus', set.id, entry, context, {
        extra: [
          { name: 'OriginalStatus', values: [STATUSES.approved] },
          { name: 'NewStatus', values: [STATUSES.deprecated] },
        ],
      }),
    ),
  };
}

function submissionSet(patientId: PatientCx, act: readonly string[], context: SetContext): SubmissionSet {
  const id = `urn:uuid:${context.derive.id('submission set', ...act)}` as EntryId;
  return {
    kind: 'submission-set',
    id,
    lid: id,
    version: 1,
    status: 'approved',
    patientId,
    uniqueId: context.derive.uid('submission set', ...act),
    title: [{ language: 'zh-CN', text: context.title }],
    comments: [],
    extra: [],
    limited: false,
    authors: context.authors,
    contentType: context.contentType,
    sourceId: context.sourceId,
    submissionTime: context.submissionTime,
    intendedRecipients: [],
  };
}

function associate(
  type: DocumentAssociation['type'],
  source: EntryId,
  target: EntryId,
  { derive }: SetContext,
  more: Partial<DocumentAssociation> = {},
): DocumentAssociation {
  const id = `urn:uuid:${derive.id('document association', type, source, target)}` as EntryId;
  return { id, type, source, target, status: 'approved', extra: [], ...more };
}
