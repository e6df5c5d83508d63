/**
 * Reads of the document registry: each a named statement whose first condition an index of 0005-document.sql answers.
 * Criteria that are not given are null parameters, so a query has one plan whatever else it asks for.
 */
import { fullDtm } from '../core/document.ts';
import type {
  AndOr,
  CodeToken,
  DocumentCriteria,
  DocumentReader,
  DtmRange,
  FolderCriteria,
  SubmissionSetCriteria,
} from '../core/document-ports.ts';
import type { DocumentAssociation, DocumentEntry, PatientCx, RegistryObject } from '../core/document.ts';
import { vaultOf, type Database } from './database.ts';
import {
  ASSOCIATION_SELECT,
  associationOf,
  codeToken,
  OBJECT_SELECT,
  objectOf,
  patientKeys,
  standingPersons,
  uuidsOf,
} from './document-row.ts';
import type { AssociationRow, ObjectRow } from './document-row.ts';
import { timed } from './fhir-query.ts';

/** Bounds of reads that have no limit of their own; more objects than these are more than any answer may hold. */
const OBJECT_ROWS = 20_000;
const ASSOCIATION_ROWS = 100_000;

export interface NamedStatement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/**
 * What is asked of all patients may look at very many rows: it has a time limit, and rejects with SearchTimeout. It is
 * planned each time, for its values: a code may be that of half the registry, or of nobody.
 */
const WIDE_MS = 10_000;

export function createDocumentReader(database: Database): DocumentReader {
  const { pool } = database;
  const { fields } = vaultOf(pool);
  const objects = async (statement: NamedStatement): Promise<readonly RegistryObject[]> =>
    (await pool.query<ObjectRow>(statement)).rows.map((row) => objectOf(fields, row));
  const wide = async (statement: NamedStatement): Promise<readonly RegistryObject[]> =>
    (await timed<ObjectRow>(database, statement, WIDE_MS)).map((row) => objectOf(fields, row));
  const sharedIds = async (ids: readonly PatientCx[]): Promise<ReadonlyMap<PatientCx, PatientCx>> => {
    const { rows } = await pool.query<{ id: PatientCx; shared: PatientCx }>(sharedIdStatement(ids));
    return new Map(rows.map(({ id, shared }) => [id, shared]));
  };
  /** Under the id that was asked about: what its person has under another is its own (decision 0017). */
  const asAsked = async (
    { patientIds }: { readonly patientIds: readonly PatientCx[] },
    found: readonly RegistryObject[],
  ): Promise<readonly RegistryObject[]> => {
    const others = found.map(({ patientId }) => patientId).filter((id) => !patientIds.includes(id));
    const [asked] = patientIds;
    if (asked === undefined || others.length === 0) return found;
    if (patientIds.length === 1) return found.map((one) => ({ ...one, patientId: asked }));
    const shared = await sharedIds([...new Set([...patientIds, ...others])]);
    const shown = new Map(patientIds.map((id) => [shared.get(id) ?? id, id]));
    return found.map((one) => {
      const { patientId } = one;
      const id = patientIds.includes(patientId) ? patientId : shown.get(shared.get(patientId) ?? patientId);
      return { ...one, patientId: id ?? patientId };
    });
  };
  return {
    async findDocuments(criteria, limit) {
      const ask = criteria.patientIds.length > 0 ? objects : wide;
      const found = await asAsked(criteria, await ask(documentStatement(criteria, limit)));
      return found.filter((object): object is DocumentEntry => object.kind === 'document');
    },
    findSubmissionSets: async (criteria, limit) =>
      asAsked(criteria, await objects(submissionSetStatement(criteria, limit))),
    findFolders: async (criteria, limit) =>
      asAsked(criteria, await (criteria.patientIds.length > 0 ? objects : wide)(folderStatement(criteria, limit))),
    sharedIds,
    byId: (ids) => objects(idStatement('id', uuidsOf(ids))),
    byLogicalId: (ids) => objects(idStatement('lid', uuidsOf(ids))),
    byUniqueId: (kind, uniqueIds) => objects(uniqueIdStatement(kind, uniqueIds)),
    async associations({ ids = [], sources = [], targets = [] }, limit = ASSOCIATION_ROWS) {
      const found = new Map<string, DocumentAssociation>();
      for (const [column, wanted] of [
        ['id', ids],
        ['source', sources],
        ['target', targets],
      ] as const) {
        if (wanted.length === 0 || found.size > limit) continue;
        const { rows } = await pool.query<AssociationRow>(associationStatement(column, uuidsOf(wanted), limit + 1));
        for (const row of rows) found.set(row.id, associationOf(row));
      }
      return [...found.values()].slice(0, limit + 1).sort((a, b) => (a.id < b.id ? -1 : 1));
    },
  };
}

export const sharedIdStatement = (ids: readonly PatientCx[]): NamedStatement => ({
  name: 'affinity-shared-ids',
  text: `select s.id, s.person || substr(s.id, strpos(s.id, '^')) as shared from (${standingPersons('$1')}) s where s.person is not null`,
  values: [ids],
});

const times = (range: DtmRange | undefined): readonly [string | null, string | null] => [
  range?.from === undefined ? null : fullDtm(range.from),
  range?.to === undefined ? null : fullDtm(range.to),
];

const tokens = (codes: readonly CodeToken[] | undefined): string[] | null => codes?.map(codeToken) ?? null;

/** Groups as JSON: an array of arrays of unequal lengths is no SQL array. */
const groups = (all: AndOr<CodeToken> | undefined): string | null =>
  all === undefined ? null : JSON.stringify(all.map((group) => group.map(codeToken)));

/**
 * LIKE has no escape character in SQL-92 unless one is named, and IHE names none; PostgreSQL has the backslash, which
 * therefore stands for itself here.
 */
const patterns = (like: readonly string[] | undefined): string[] | null =>
  like?.map((pattern) => pattern.replaceAll('\\', '\\\\')) ?? null;

/** From inclusive, To exclusive, both as DTM of 14 digits; an object without the time is outside any range. */
const within = (column: string, from: number): string =>
  `($${String(from)}::text is null or ${column} >= $${String(from)}) and ($${String(from + 1)}::text is null or ${column} < $${String(from + 1)})`;

/** A filter and no condition of an index: only what a search begins with leads it, so its cost is that of the patient. */
const any = (column: string, at: number): string =>
  `($${String(at)}::text[] is null or $${String(at)} @> array[${column}])`;

/** Each group has a value that is among those of the object. */
const every = (column: string, at: number): string =>
  `($${String(at)}::jsonb is null or not exists (select from jsonb_array_elements($${String(at)}) g
     where not ${column} && array(select jsonb_array_elements_text(g))))`;

const like = (at: number): string =>
  `($${String(at)}::text[] is null or exists (select from unnest(o.authors) a where a like any ($${String(at)})))`;

const OF_PATIENTS = `o.patient_id = any (${patientKeys('$1')})`;
const STATUS = '$2::text[] @> array[o.status]';
/** Newest first, and always the same: what a reader sees first must not depend on the plan. */
const ORDER = 'order by o.main_time desc nulls last, o.id';

const DOCUMENT_FILTER = `o.kind = 'document' and ${STATUS} and o.entry_type = any ($3::text[])
  and ${any('o.class_code', 4)} and ${any('o.type_code', 5)} and ${any('o.format_code', 6)}
  and ${any('o.facility_type', 7)} and ${any('o.practice_setting', 8)}
  and ${every('o.confidentiality', 9)} and ${every('o.event_codes', 10)} and ${every('o.reference_ids', 11)}
  and ${like(12)} and ${within('o.main_time', 13)} and ${within('o.service_start', 15)} and ${within('o.service_stop', 17)}`;

/**
 * What the search begins with. Without a patient (ITI-51) there is no order: the answer is bounded, and to sort all
 * documents of a class only to give some of them would cost the whole class.
 */
const DOCUMENT_SEARCHES = {
  patient: `${OBJECT_SELECT} where ${OF_PATIENTS} and ${DOCUMENT_FILTER} ${ORDER} limit $19`,
  reference: `${OBJECT_SELECT} where $1::text[] is not null and o.reference_ids && $20::text[] and ${DOCUMENT_FILTER} limit $19`,
  event: `${OBJECT_SELECT} where $1::text[] is not null and o.event_codes && $20::text[] and ${DOCUMENT_FILTER} limit $19`,
  class: `${OBJECT_SELECT} where $1::text[] is not null and o.class_code = any ($20::text[]) and ${DOCUMENT_FILTER} limit $19`,
  facility: `${OBJECT_SELECT} where $1::text[] is not null and o.facility_type = any ($20::text[]) and ${DOCUMENT_FILTER} limit $19`,
} as const;

/** The narrowest criterion that was given; null: nothing narrows the search, and nothing is found. */
function beginning(criteria: DocumentCriteria): readonly [keyof typeof DOCUMENT_SEARCHES, string[]] | null {
  if (criteria.patientIds.length > 0) return ['patient', []];
  const [references] = criteria.referenceIds ?? [];
  if (references) return ['reference', [...references]];
  const [events] = criteria.eventCodes ?? [];
  if (events) return ['event', events.map(codeToken)];
  if (criteria.facilityType) return ['facility', criteria.facilityType.map(codeToken)];
  return criteria.classCode ? ['class', criteria.classCode.map(codeToken)] : null;
}

export function documentStatement(criteria: DocumentCriteria, limit: number): NamedStatement {
  const [by, driving] = beginning(criteria) ?? ['patient', []];
  const { referenceIds } = criteria;
  return {
    name: `document-find-by-${by}`,
    text: DOCUMENT_SEARCHES[by],
    values: [
      criteria.patientIds,
      criteria.status,
      criteria.entryTypes,
      tokens(criteria.classCode),
      tokens(criteria.typeCode),
      tokens(criteria.formatCode),
      tokens(criteria.facilityType),
      tokens(criteria.practiceSetting),
      groups(criteria.confidentiality),
      groups(criteria.eventCodes),
      referenceIds === undefined ? null : JSON.stringify(referenceIds),
      patterns(criteria.authorPerson),
      ...times(criteria.creationTime),
      ...times(criteria.serviceStartTime),
      ...times(criteria.serviceStopTime),
      limit + 1,
      ...(by === 'patient' ? [] : [driving]),
    ],
  };
}

const SUBMISSION_SET_SEARCH = `${OBJECT_SELECT} where ${OF_PATIENTS} and o.kind = 'submission-set' and ${STATUS}
  and ${any('o.source_id', 3)} and ${like(4)} and ${any('o.content_type', 5)} and ${within('o.main_time', 6)} ${ORDER} limit $8`;

export const submissionSetStatement = (criteria: SubmissionSetCriteria, limit: number): NamedStatement => ({
  name: 'submission-set-find',
  text: SUBMISSION_SET_SEARCH,
  values: [
    criteria.patientIds,
    criteria.status,
    criteria.sourceIds ?? null,
    patterns(criteria.authorPerson === undefined ? undefined : [criteria.authorPerson]),
    tokens(criteria.contentTypes),
    ...times(criteria.submissionTime),
    limit + 1,
  ],
});

const FOLDER_FILTER = `o.kind = 'folder' and ${STATUS} and ${every('o.event_codes', 3)} and ${within('o.main_time', 4)}`;
const FOLDER_SEARCHES = {
  patient: `${OBJECT_SELECT} where ${OF_PATIENTS} and ${FOLDER_FILTER} ${ORDER} limit $6`,
  code: `${OBJECT_SELECT} where $1::text[] is not null and o.event_codes && $7::text[] and ${FOLDER_FILTER} limit $6`,
} as const;

export function folderStatement(criteria: FolderCriteria, limit: number): NamedStatement {
  const [codes] = criteria.codes ?? [];
  const by = criteria.patientIds.length === 0 && codes ? 'code' : 'patient';
  return {
    name: `folder-find-by-${by}`,
    text: FOLDER_SEARCHES[by],
    values: [
      criteria.patientIds,
      criteria.status,
      groups(criteria.codes),
      ...times(criteria.lastUpdateTime),
      limit + 1,
      ...(by === 'code' ? [codes?.map(codeToken)] : []),
    ],
  };
}

export const idStatement = (column: 'id' | 'lid', uuids: readonly string[]): NamedStatement => ({
  name: `registry-object-by-${column}`,
  text: `${OBJECT_SELECT} where o.${column} = any ($1::uuid[]) ${ORDER} limit ${String(OBJECT_ROWS)}`,
  values: [uuids],
});

export const uniqueIdStatement = (kind: RegistryObject['kind'], uniqueIds: readonly string[]): NamedStatement => ({
  name: 'registry-object-by-unique-id',
  text: `${OBJECT_SELECT} where o.unique_id = any ($1::text[]) and o.kind = $2 ${ORDER} limit ${String(OBJECT_ROWS)}`,
  values: [uniqueIds, kind],
});

/** Not ordered here: with a limit, the planner could walk the index of the ids through all there are. */
export const associationStatement = (
  column: 'id' | 'source' | 'target',
  uuids: readonly string[],
  limit: number,
): NamedStatement => ({
  name: `document-association-by-${column}`,
  text: `${ASSOCIATION_SELECT} where a.${column} = any ($1::uuid[]) limit $2`,
  values: [uuids, limit],
});
