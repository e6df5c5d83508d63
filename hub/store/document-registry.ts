/**
 * Writes the document registry: one transaction a submission, all or nothing, in which the rules of core decide over
 * what the registry holds at that moment. Reading for queries is document-reader's business.
 */
import { randomUUID } from 'node:crypto';
import { checkMetadata } from '../core/document-rules.ts';
import { withRealIds } from '../core/document-format.ts';
import {
  decideRegistration,
  documentsOf,
  namedIds,
  registryError,
  replacedIds,
  submissionSetOf,
} from '../core/document-register.ts';
import type { RegistryChanges } from '../core/document-register.ts';
import { checkRemoval } from '../core/document-removal.ts';
import { changedIds, decideUpdate, updatedLogicalIds } from '../core/document-update.ts';
import type {
  ChangeOrigin,
  DocumentReader,
  DocumentRegistry,
  RepositoryDocument,
  SubmissionOrigin,
} from '../core/document-ports.ts';
import type { EntryId, PatientCx, Registered, RegistryProblem, Submission } from '../core/document.ts';
import { knownPatients } from './affinity-patients.ts';
import { associationsBy, loadAround, lockNames, objectsBy } from './document-around.ts';
import { vaultOf, type Connection, type Database } from './database.ts';
import {
  ASSOCIATION_COLUMNS,
  associationRow,
  entryId,
  OBJECT_COLUMNS,
  objectRow,
  uuidOf,
  uuidsOf,
} from './document-row.ts';
import { bulk } from './save.ts';
import { announceDocuments } from './subscription.ts';

interface RegistryDeps {
  readonly database: Database;
  readonly clock: () => Date;
  readonly affinityDomainOid: string;
}

/** `reader` answers the queries. */
export function createDocumentRegistry(deps: RegistryDeps & { readonly reader: DocumentReader }): DocumentRegistry {
  const { reader } = deps;
  return {
    findDocuments: (criteria, limit) => reader.findDocuments(criteria, limit),
    findSubmissionSets: (criteria, limit) => reader.findSubmissionSets(criteria, limit),
    findFolders: (criteria, limit) => reader.findFolders(criteria, limit),
    sharedIds: (ids) => reader.sharedIds(ids),
    byId: (ids) => reader.byId(ids),
    byLogicalId: (ids) => reader.byLogicalId(ids),
    byUniqueId: (kind, uniqueIds) => reader.byUniqueId(kind, uniqueIds),
    associations: (...of) => reader.associations(...of),
    ...createDocumentWriter(deps),
  };
}

/** What changes the registry and files bytes, for who asks no queries of it. */
export const createDocumentWriter = (
  deps: RegistryDeps,
): Pick<DocumentRegistry, 'register' | 'update' | 'remove' | 'documents'> => ({
  register: (submission, origin) => register(deps, submission, origin),
  update: (submission, origin) => update(deps, submission, origin),
  remove: (ids, origin) => remove(deps, ids, origin),
  documents: (uniqueIds) => repositoryDocuments(deps.database, uniqueIds),
});

const draw = (): EntryId => entryId(randomUUID());

/** DTM of 14 digits in UTC. */
export const dtmNow = (now: Date): string => now.toISOString().replace(/\D/g, '').slice(0, 14);

/** Register Document Set (ITI-42, ITI-61): decided and written in one transaction. */
async function register(deps: RegistryDeps, sent: Submission, origin: SubmissionOrigin): Promise<Registered> {
  const wrong = checkMetadata(sent);
  if (wrong.length > 0) return { ok: false, problems: wrong };
  const { submission, sentAs } = withRealIds(sent, draw);
  return deps.database.transaction(async (connection) => {
    const patientId = submissionSetOf(submission)?.patientId ?? ('' as PatientCx);
    const uniqueIds = submission.objects.map((one) => one.uniqueId);
    await lockNames(connection, [patientId, ...uniqueIds, ...namedIds(submission)]);
    const known = await knownPatients(connection, [patientId], deps.affinityDomainOid);
    const wanted = { named: namedIds(submission), replaced: replacedIds(submission), uniqueIds };
    const foreign = await foreignTo(connection, origin, wanted.replaced);
    if (foreign.length > 0) return { ok: false, problems: foreign };
    const around = await loadAround(connection, wanted, known);
    const decided = decideRegistration(submission, around, {
      trusted: origin.trusted,
      at: dtmNow(deps.clock()),
      draw,
    });
    if (!decided.ok) return { ok: false, problems: inSendersNames(decided.problems, sentAs) };
    const now = deps.clock();
    await write(connection, decided.changes, origin, now);
    await announceDocuments(connection, decided.changes.insert, now);
    return { ok: true, warnings: [], submission: decided.changes.insert };
  });
}

/** Update Document Set (ITI-57). */
async function update(deps: RegistryDeps, sent: Submission, origin: ChangeOrigin): Promise<Registered> {
  const wrong = checkMetadata(sent);
  if (wrong.length > 0) return { ok: false, problems: wrong };
  const { submission, sentAs } = withRealIds(sent, draw);
  return deps.database.transaction(async (connection) => {
    const set = submissionSetOf(submission);
    const patientId = set?.patientId ?? ('' as PatientCx);
    const lids = updatedLogicalIds(submission);
    await lockNames(connection, [patientId, set?.uniqueId ?? '', ...namedIds(submission), ...lids]);
    const known = await knownPatients(connection, [patientId], deps.affinityDomainOid);
    const named = namedIds(submission);
    const objects = await objectsBy(connection, { ids: named, lids, uniqueIds: [set?.uniqueId ?? ''] });
    const associations = await associationsBy(connection, { ids: named, ends: objects.map(({ id }) => id) });
    // Where an association of the old version comes from tells whether it is carried to the new one.
    const sources = await objectsBy(connection, { ids: associations.map(({ source }) => source) });
    const around = { objects: unique([...objects, ...sources]), associations, known };
    const foreign = await foreignTo(connection, origin, changedIds(submission, around));
    if (foreign.length > 0) return { ok: false, problems: foreign };
    const decided = decideUpdate(submission, around, { trusted: false, at: dtmNow(deps.clock()), draw });
    if (!decided.ok) return { ok: false, problems: inSendersNames(decided.problems, sentAs) };
    const now = deps.clock();
    await write(connection, decided.changes, { sender: origin.sender, documents: [] }, now);
    await announceDocuments(connection, decided.changes.insert, now);
    return { ok: true, warnings: [], submission: decided.changes.insert };
  });
}

/** Delete Document Set (ITI-62); empty: done. */
async function remove(
  deps: RegistryDeps,
  ids: readonly EntryId[],
  origin: ChangeOrigin = { sender: '', anybodys: true },
): Promise<readonly RegistryProblem[]> {
  return deps.database.transaction(async (connection) => {
    // The patients too: a replacement enters folders that its message does not name.
    const named = await objectsBy(connection, { ids });
    await lockNames(connection, [...ids, ...named.map(({ patientId }) => patientId)]);
    const objects = await objectsBy(connection, { ids });
    const direct = await associationsBy(connection, { ids, ends: ids });
    const gone = new Set(ids);
    const targets = direct.filter((one) => gone.has(one.id)).map(({ target }) => target);
    const associations = unique([...direct, ...(await associationsBy(connection, { targets }))]);
    const ends = await objectsBy(connection, { ids: associations.flatMap(({ source, target }) => [source, target]) });
    const kinds = new Map([...objects, ...ends].map((one) => [one.id, one.kind]));
    const problems = checkRemoval([...new Set(ids)], { objects, associations, kinds });
    if (problems.length > 0) return problems;
    const foreign = await foreignTo(connection, origin, ids);
    if (foreign.length > 0) return foreign;
    for (const table of ['document_association', 'registry_object'])
      await connection.query(`delete from ${table} where id = any ($1::uuid[])`, [uuidsOf(ids)]);
    return [];
  });
}

const unique = <T extends { readonly id: EntryId }>(all: readonly T[]): T[] => [
  ...new Map(all.map((one) => [one.id, one])).values(),
];

/** A hospital changes and replaces what it submitted, not what others did. */
async function foreignTo(
  connection: Connection,
  origin: ChangeOrigin,
  ids: readonly EntryId[],
): Promise<RegistryProblem[]> {
  if (origin.anybodys || ids.length === 0) return [];
  const { rows } = await connection.query<{ id: string }>(
    // An association is whose its source is.
    `select o.id from registry_object o where o.sender <> $2 and (o.id = any ($1::uuid[])
       or o.id in (select a.source from document_association a where a.id = any ($1::uuid[]))) limit 10`,
    [uuidsOf(ids), origin.sender],
  );
  return rows.map(({ id }) =>
    registryError('XDSRegistryError', entryId(id), 'It was submitted by somebody else, who alone may change it.'),
  );
}

/** With the patient id that stands today, for the access decision and the audit. */
async function repositoryDocuments(
  database: Database,
  uniqueIds: readonly string[],
): Promise<readonly (RepositoryDocument & { readonly patientId: PatientCx })[]> {
  const { rows } = await database.pool.query<{
    patient_id: PatientCx;
    unique_id: string;
    mime_type: string;
    object: string;
    size: string;
    hash: string;
  }>({
    name: 'document-files',
    text: `select coalesce(p.survivor, d.patient_id) as patient_id, d.unique_id, d.mime_type, d.object, d.size, d.hash
      from repository_document d
      left join affinity_patient p on p.patient_id = d.patient_id and p.survivor is not null
      where d.unique_id = any ($1::text[])`,
    values: [uniqueIds],
  });
  return rows.map((row) => ({
    uniqueId: row.unique_id,
    mimeType: row.mime_type,
    object: row.object,
    size: Number(row.size),
    hash: row.hash,
    patientId: row.patient_id,
  }));
}

const inSendersNames = (
  problems: readonly RegistryProblem[],
  sentAs: ReadonlyMap<string, string>,
): readonly RegistryProblem[] =>
  problems.map((one) => {
    const symbol = one.location === undefined ? undefined : sentAs.get(one.location);
    return symbol === undefined ? one : { ...one, location: symbol };
  });

async function write(
  connection: Connection,
  changes: RegistryChanges,
  origin: Pick<SubmissionOrigin, 'sender' | 'documents'>,
  now: Date,
): Promise<void> {
  const { insert, patientId, status, touched, at } = changes;
  const { fields } = vaultOf(connection);
  await bulk(
    connection,
    'document-insert',
    `insert into registry_object (${namesOf(OBJECT_COLUMNS)}, registered_at)
     select ${namesOf(OBJECT_COLUMNS)}, $2 from jsonb_to_recordset($1::jsonb) as r(${OBJECT_COLUMNS})`,
    insert.objects.map((one) => objectRow(fields, one, origin.sender)),
    now,
  );
  await bulk(
    connection,
    'document-associate',
    `insert into document_association (${namesOf(ASSOCIATION_COLUMNS)}, registered_at)
     select ${namesOf(ASSOCIATION_COLUMNS)}, $2 from jsonb_to_recordset($1::jsonb) as r(${ASSOCIATION_COLUMNS})`,
    insert.associations.map((one) => associationRow(one, patientId)),
    now,
  );
  await fileDocuments(connection, changes, origin, now);
  if (status.size > 0)
    for (const table of ['registry_object', 'document_association'])
      await connection.query(
        `update ${table} o set status = s.status from unnest($1::uuid[], $2::text[]) as s(id, status) where o.id = s.id`,
        [[...status.keys()].map(uuidOf), [...status.values()]],
      );
  if (touched.length > 0)
    await connection.query(
      `update registry_object set main_time = $2
       where id = any ($1::uuid[]) and kind = 'folder'`,
      [uuidsOf(touched), at],
    );
}

const namesOf = (columns: string): string => columns.replace(/\s+[a-z]+(\[\])?(?=,|$)/g, '');

/** The bytes become retrievable with their entry, or not at all. The same document twice lies there once. */
async function fileDocuments(
  connection: Connection,
  changes: RegistryChanges,
  origin: Pick<SubmissionOrigin, 'documents'>,
  now: Date,
): Promise<void> {
  const owners = new Map(documentsOf(changes.insert).map((one) => [one.uniqueId, one.patientId]));
  const rows = origin.documents.map((document) => {
    const patientId = owners.get(document.uniqueId);
    if (patientId === undefined) throw new Error('a document came without an entry in its submission');
    const { uniqueId, mimeType, object, size, hash } = document;
    return { patient_id: patientId, unique_id: uniqueId, mime_type: mimeType, object, size, hash };
  });
  await bulk(
    connection,
    'document-file',
    `insert into repository_document (patient_id, unique_id, mime_type, object, size, hash, stored_at)
     select patient_id, unique_id, mime_type, object, size, hash, $2 from jsonb_to_recordset($1::jsonb)
       as r(patient_id text, unique_id text, mime_type text, object text, size bigint, hash text)
     on conflict do nothing`,
    rows,
    now,
  );
}
