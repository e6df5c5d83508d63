/**
 * Registry objects and associations <-> their rows: columns are what is searched or joined, the rest is the body. Reader
 * and registration share it, and the SQL that shows every object under the patient id that stands today.
 */
import { fullDtm } from '../core/document.ts';
import type { DocumentAssociation, DocumentCode, EntryId, PatientCx, RegistryObject } from '../core/document.ts';
import type { Sealer } from '../core/sealing.ts';
import { openJson, sealJson } from './sealed.ts';

/** `o` is the object, `p` tells whether its patient was merged away. Add conditions behind it. */
export const OBJECT_SELECT = `select coalesce(p.survivor, o.patient_id) as patient_id, o.id, o.kind, o.lid, o.version, o.status, o.unique_id, o.main_time, o.body
  from registry_object o left join affinity_patient p on p.patient_id = o.patient_id and p.survivor is not null`;

export const ASSOCIATION_SELECT = `select a.id, a.type, a.source, a.target, a.status, a.body from document_association a`;

/** Rows (id, person) of ids of the affinity domain that stand: the person of the index behind each, where there is one. */
export const standingPersons = (parameter: string): string =>
  `select k.id, coalesce(r.person_id, p.person_id) as person from unnest(${parameter}::text[]) k (id)
     left join affinity_patient a on a.patient_id = k.id
     left join patient_record r on r.record_id = a.record_id
     left join person p on p.person_id = case when k.id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\^\\^\\^&' then left(k.id, 36)::uuid end
     where a.survivor is null`;

/**
 * For `o.patient_id = any (…)`: the keys under which documents of these patients were registered, `parameter` being a
 * text[] of ids. Ids of one person stand for each other (decision 0017): that which the hub issued, with the same
 * authority as the id asked about, and those that an outside source announced. An id that was merged away has no
 * documents of its own; they are found under the survivor.
 */
export const patientKeys = (parameter: string): string =>
  `array(with asked as (${standingPersons(parameter)}),
     same as (select id from asked
       union select s.person || substr(s.id, strpos(s.id, '^')) from asked s where s.person is not null
       union select a.patient_id from asked s join patient_record r on r.person_id = s.person
         join affinity_patient a on a.record_id = r.record_id where a.survivor is null)
     select id from same
     union select m.patient_id from affinity_patient m where m.survivor = any (array(select id from same)))`;

export interface ObjectRow {
  readonly patient_id: string;
  readonly id: string;
  readonly kind: RegistryObject['kind'];
  readonly lid: string;
  readonly version: number;
  readonly status: 'approved' | 'deprecated';
  readonly unique_id: string;
  readonly main_time: string | null;
  readonly body: object | string;
}

export const entryId = (uuid: string): EntryId => `urn:uuid:${uuid}` as EntryId;

/** The uuid of an entry id; null where it is no `urn:uuid:` (it names nothing that is stored). */
export function uuidOf(id: string): string | null {
  return /^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id.slice('urn:uuid:'.length) : null;
}

export const uuidsOf = (ids: readonly string[]): string[] => [...new Set(ids)].map(uuidOf).filter((id) => id !== null);

export const documentContext = (uuid: string): string => `registry_object.body ${uuid}`;

/**
 * The body was written by `objectRow` alone, so its shape is that of the kind. Sealed, since it tells of a patient as the
 * source knew them; a folder that was touched since has its time in the column.
 */
export function objectOf(fields: Sealer, row: ObjectRow): RegistryObject {
  const body = openJson<{ readonly lastUpdateTime?: string }>(fields, row.body, documentContext(row.id));
  const touched = row.kind === 'folder' && row.main_time !== null && row.main_time !== full(body.lastUpdateTime);
  return {
    kind: row.kind,
    id: entryId(row.id),
    lid: entryId(row.lid),
    version: row.version,
    status: row.status,
    patientId: row.patient_id as PatientCx,
    uniqueId: row.unique_id,
    ...body,
    ...(touched ? { lastUpdateTime: row.main_time } : {}),
  } as RegistryObject;
}

export const codeToken = ({ code, scheme }: Pick<DocumentCode, 'code' | 'scheme'>): string => `${code}^^${scheme}`;

const token = (code: DocumentCode | undefined): string | null => (code === undefined ? null : codeToken(code));
const full = (dtm: string | undefined): string | null => (dtm === undefined || dtm === '' ? null : fullDtm(dtm));

/** For jsonb_to_recordset with OBJECT_COLUMNS; `sender` is who submitted it. */
export function objectRow(fields: Sealer, object: RegistryObject, sender: string): object {
  const { id, lid, version, status, patientId, uniqueId, kind, ...body } = object;
  const base = {
    patient_id: patientId,
    id: uuidOf(id),
    kind,
    lid: uuidOf(lid),
    version,
    status,
    unique_id: uniqueId,
    sender,
    body: sealJson(fields, body, documentContext(uuidOf(id) ?? '')),
    confidentiality: [],
    event_codes: [],
    reference_ids: [],
    authors: 'authors' in object ? object.authors.flatMap(({ person }) => person ?? []) : [],
  };
  switch (object.kind) {
    case 'folder':
      return { ...base, main_time: full(object.lastUpdateTime), event_codes: object.codes.map(codeToken) };
    case 'submission-set':
      return {
        ...base,
        main_time: full(object.submissionTime),
        content_type: token(object.contentType),
        source_id: object.sourceId,
      };
    case 'document':
      return {
        ...base,
        entry_type: object.entryType,
        main_time: full(object.creationTime),
        service_start: full(object.serviceStartTime),
        service_stop: full(object.serviceStopTime),
        class_code: token(object.classCode),
        type_code: token(object.typeCode),
        format_code: token(object.formatCode),
        facility_type: token(object.facilityType),
        practice_setting: token(object.practiceSetting),
        confidentiality: object.confidentiality.map(codeToken),
        event_codes: object.eventCodes.map(codeToken),
        reference_ids: object.referenceIds,
      };
  }
}

export const OBJECT_COLUMNS = `patient_id text, id uuid, kind text, lid uuid, version int, status text, unique_id text, body jsonb,
  entry_type text, main_time text, service_start text, service_stop text, class_code text, type_code text,
  format_code text, facility_type text, practice_setting text, content_type text, confidentiality text[],
  event_codes text[], reference_ids text[], authors text[], source_id text, sender text`;

export interface AssociationRow {
  readonly id: string;
  readonly type: DocumentAssociation['type'];
  readonly source: string;
  readonly target: string;
  readonly status: 'approved' | 'deprecated';
  readonly body: Pick<DocumentAssociation, 'submissionSetStatus' | 'documentation' | 'extra'>;
}

export const associationOf = (row: AssociationRow): DocumentAssociation => ({
  id: entryId(row.id),
  type: row.type,
  source: entryId(row.source),
  target: entryId(row.target),
  status: row.status,
  ...row.body,
});

/** For jsonb_to_recordset with ASSOCIATION_COLUMNS; `patientId` is that of the submission set. */
export function associationRow(association: DocumentAssociation, patientId: PatientCx): object {
  const { id, type, source, target, status, ...body } = association;
  return {
    patient_id: patientId,
    id: uuidOf(id),
    type,
    source: uuidOf(source),
    target: uuidOf(target),
    status,
    body,
  };
}

export const ASSOCIATION_COLUMNS =
  'patient_id text, id uuid, type text, source uuid, target uuid, status text, body jsonb';
