/** Submissions as a document source makes them, and the packages in which they travel. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DocumentAssociation, DocumentEntry, RegistryObject } from '../../hub/core/document.ts';
import { ITI41_REQUEST, writeProvideRequest } from '../../mappings/xds/document-set.ts';
import { writeSubmission } from '../../mappings/xds/ebrim-write.ts';
import { packageEnd, packageType, partHead, rootHead } from '../../mappings/xds/mtom.ts';
import { association, documentEntry, submissionSet } from './documents.ts';
import { PATIENT, send, soap } from './repository-hub.ts';
import type { Answer, RepositoryHub } from './repository-hub.ts';
import { invalid, noSchemas } from './xsd.ts';
import { openDocument } from './stored.ts';

export interface SentDocument {
  /** The id of the entry and of the document: symbolic or `urn:uuid:`. */
  readonly name: string;
  readonly uniqueId: string;
  readonly bytes: Buffer;
  readonly entry?: Partial<DocumentEntry>;
}

export const sha1 = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex');

let serial = 0;
/** A unique id that no other submission of this process has. */
export const uid = (): string => `2.999.156.77.${String(process.pid)}.${String(++serial)}`;

export const sent = (text: string, entry: Partial<DocumentEntry> = {}): SentDocument => ({
  name: `Document${String(++serial)}`,
  uniqueId: uid(),
  bytes: Buffer.from(text),
  entry,
});

/** An entry as a source writes it: hash, size and repository are the repository's to tell. */
export function entryOf({ name, uniqueId, entry }: SentDocument): DocumentEntry {
  const whole = documentEntry(name, PATIENT, uniqueId);
  const { hash: _hash, size: _size, repositoryUniqueId: _repository, ...rest } = whole;
  return { ...rest, ...entry };
}

export function objectsOf(
  documents: readonly SentDocument[],
  more: readonly DocumentAssociation[] = [],
): (RegistryObject | DocumentAssociation)[] {
  const set = `Set${String(++serial)}`;
  return [
    ...documents.map(entryOf),
    submissionSet(set, PATIENT, uid()),
    ...documents.map(({ name }, at) =>
      association(`Member${String(at)}`, 'HasMember', set, name, { submissionSetStatus: 'Original' }),
    ),
    ...more,
  ];
}

export interface PackedPart {
  readonly contentId: string;
  readonly bytes: Buffer;
  readonly contentType?: string;
}

/** MTOM as the hub's own client writes it. */
export function packed(
  envelope: string,
  parts: readonly PackedPart[],
  action = ITI41_REQUEST,
): { type: string; bytes: Buffer } {
  return {
    type: packageType('bound', 'root@test', action),
    bytes: Buffer.concat([
      Buffer.from(rootHead('bound', 'root@test') + envelope),
      ...parts.flatMap(({ contentId, bytes, contentType = 'application/octet-stream' }) => [
        Buffer.from(partHead('bound', { contentId, contentType })),
        bytes,
      ]),
      Buffer.from(packageEnd('bound')),
    ]),
  };
}

/** The envelope of ITI-41, and its package; `metadata` and `ids` where they shall not fit. */
export function provided(
  documents: readonly SentDocument[],
  change: { metadata?: string; ids?: readonly string[]; more?: readonly DocumentAssociation[] } = {},
): { envelope: string; type: string; bytes: Buffer } {
  const metadata = change.metadata ?? writeSubmission(objectsOf(documents, change.more));
  const list = documents.map(({ name }, at) => ({ id: change.ids?.[at] ?? name, contentId: `${String(at)}@test` }));
  const envelope = soap(ITI41_REQUEST, writeProvideRequest(metadata, list));
  const parts = documents.map(({ bytes }, at) => ({ contentId: `${String(at)}@test`, bytes }));
  return { envelope, ...packed(envelope, parts) };
}

/** Every answer is valid, whatever it says; unchecked where the schemas are not at hand. */
export const valid = <T extends Answer>(answer: T): T => {
  if (noSchemas === false) assert.equal(invalid(answer.envelope), '', answer.envelope.toString().slice(0, 2_000));
  return answer;
};

/** Submits, and holds request and answer against the schemas. */
export async function provide(
  hub: RepositoryHub,
  documents: readonly SentDocument[],
  change: Parameters<typeof provided>[1] = {},
): Promise<Answer> {
  const { type, bytes, envelope } = provided(documents, change);
  if (noSchemas === false) assert.equal(invalid(envelope), '', 'the request itself');
  return valid(await send(hub.url, type, bytes));
}

/** Nothing that `work` does leaves a file in the object store, once the hub has tidied up behind its answer. */
export async function leavesNothing(hub: RepositoryHub, work: () => Promise<void>): Promise<void> {
  const files = (await hub.files()).length;
  await work();
  for (const end = Date.now() + 20_000; Date.now() < end && (await hub.files()).length !== files;) await sleep(50);
  assert.equal((await hub.files()).length, files);
}

export async function registered(hub: RepositoryHub, uniqueId: string): Promise<Partial<DocumentEntry>> {
  const { rows } = await hub.database.pool.query<{ id: string; status: DocumentEntry['status']; body: string }>(
    'select id, status, body from registry_object where unique_id = $1',
    [uniqueId],
  );
  assert.equal(rows.length, 1);
  const [row] = rows;
  return row === undefined ? {} : { ...openDocument(hub.database.pool, row), status: row.status };
}
