/**
 * Whose an object is that a face has in hand, and of which exam: resources of the projection by their owner, exams,
 * studies, and documents of the registry by what they refer to. As it is today: persons joined or parted since count.
 */
import type { SubjectIndex } from '../core/access-ports.ts';
import type { HubId, SiteId } from '../core/identifier.ts';
import { NOBODY_KNOWN, type Sensitivity, type Subject } from '../core/subject.ts';
import type { Database } from './database.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface SubjectRow {
  key: string;
  person_id: HubId | null;
  exam_id: HubId | null;
  site: SiteId | null;
  labels: Sensitivity[] | null;
  unsigned?: boolean;
}

/*
 * Ids come into these statements, and into those of access-facts.ts, by a subquery: PostgreSQL then reckons with as many as
 * it does not know of and keeps the plan, where it would plan anew for each array. Planning took five times as long as
 * running what was planned.
 */

/** From `exam_id` in the rows of a relation `k(key, exam_id)`: an exam that is another today answers as that one. */
const OF_EXAMS = `
  left join exam_alias a on a.alias = k.exam_id::text
  join exam e on e.exam_id = coalesce(a.exam_id, k.exam_id)
  join patient_record r on r.record_id = e.record_id`;
const COLUMNS = `r.person_id, e.exam_id, e.site,
  array(select distinct l.label from exam_label l where l.exam_id = e.exam_id) as labels`;

/** Persons by any id they had: joined ones are who they are today. */
const PERSONS = `select p.person_id::text as key, coalesce(n.replaced_by, p.replaced_by, p.person_id) as person_id,
    null::uuid as exam_id, null as site, null::text[] as labels
  from person p left join person n on n.person_id = p.replaced_by where p.person_id = any ((select $1::uuid[])::uuid[])`;

/**
 * A document is its patient's, and of the exams whose study or accession number it refers to: a row for the patient, one
 * for each exam. `%k` is what it is asked by. An outside id without a registration is nobody of the index.
 */
const OF_DOCUMENTS = `
  with d as materialized (
    select %k::text as key, o.reference_ids, coalesce(n.replaced_by, p.replaced_by, p.person_id, r.person_id) as person_id
    from registry_object o
      left join person p on o.patient_id like '%^^^&' || $2 || '&ISO'
        and p.person_id::text = split_part(o.patient_id, '^', 1)
      left join person n on n.person_id = p.replaced_by
      left join affinity_patient a on a.patient_id = o.patient_id
      left join affinity_patient t on t.patient_id = a.survivor
      left join patient_record r on r.record_id = coalesce(a.record_id, t.record_id)
    where %k = any ($1)
  ), named as (
    select d.key, s.exam_id from d cross join unnest(d.reference_ids) ref
      join study s on s.study_uid = split_part(ref, '^', 1)
    where ref like '%:studyInstanceUID'
    union
    select d.key, e.exam_id from d cross join unnest(d.reference_ids) ref
      join patient_record r on r.person_id = d.person_id
      join exam e on e.record_id = r.record_id and e.accession = split_part(ref, '^', 1)
    where ref like '%:accession'
  )
  select d.key, d.person_id, null::uuid as exam_id, null as site, null::text[] as labels from d
  union all
  select k.key, ${COLUMNS} from named k ${OF_EXAMS}`;

/** Of a report, its documents and their bytes: how the report of the same exam stands, as the projection has it. */
const UNSIGNED = `exists (select from fhir_resource d where d.type = 'DiagnosticReport' and not d.deleted
    and d.owner = 'exam|' || e.exam_id and d.tokens && '{status=preliminary,status=entered-in-error}') as unsigned`;
const OF_REPORTS: ReadonlySet<string> = new Set(['DiagnosticReport', 'DocumentReference', 'Binary']);

const documents = (column: 'o.id' | 'o.unique_id'): string => OF_DOCUMENTS.replaceAll('%k', column);

function grouped(rows: readonly SubjectRow[]): Map<string, Subject[]> {
  const found = new Map<string, Subject[]>();
  for (const row of rows) found.set(row.key, [...(found.get(row.key) ?? []), subjectOf(row)]);
  return found;
}

const firsts = (found: ReadonlyMap<string, readonly Subject[]>): Map<string, Subject> =>
  new Map([...found].flatMap(([key, [first]]) => (first === undefined ? [] : [[key, first]])));

function subjectOf({ person_id, exam_id: id, site, labels, unsigned = false }: SubjectRow): Subject {
  const person = person_id ?? NOBODY_KNOWN;
  if (id === null || site === null) return { person };
  return { person, exam: { id, site, labels: labels ?? [], ...(unsigned ? { unsigned } : {}) } };
}

export function createSubjectIndex(deps: { database: Database; affinityDomainOid: string }): SubjectIndex {
  const { database, affinityDomainOid: oid } = deps;
  const ask = async (name: string, text: string, values: unknown[]): Promise<Map<string, Subject[]>> =>
    grouped((await database.pool.query<SubjectRow>({ name, text, values })).rows);
  const exams = (name: string, keys: string, values: unknown[], more = ''): Promise<Map<string, Subject[]>> =>
    ask(name, `select k.key, ${COLUMNS}${more} from (${keys}) k(key, exam_id) ${OF_EXAMS}`, values);
  return {
    async ofResources(type, ids) {
      const uuids = ids.filter((id) => UUID.test(id));
      if (type === 'Patient') return ask('subjects-patients', PERSONS, [uuids]);
      const found = OF_REPORTS.has(type)
        ? await exams('subjects-reports', OWNED, [type, ids], `, ${UNSIGNED}`)
        : await exams('subjects-resources', OWNED, [type, ids]);
      const rest = uuids.filter((id) => !found.has(id));
      if (rest.length === 0 || !IN_REGISTRY.has(type)) return found;
      return new Map([...found, ...(await ask('subjects-entries', documents('o.id'), [rest, oid]))]);
    },
    ofExams: async (ids) =>
      firsts(
        await exams('subjects-exams', 'select x::text, x from unnest((select $1::uuid[])) x', [
          ids.filter((id) => UUID.test(id)),
        ]),
      ) as Map<HubId, Subject>,
    ofStudies: async (uids) => firsts(await exams('subjects-studies', STUDIES, [uids])),
    ofDocuments: (uniqueIds) => ask('subjects-documents', documents('o.unique_id'), [uniqueIds, oid]),
  };
}

const IN_REGISTRY: ReadonlySet<string> = new Set(['DocumentReference', 'List', 'Binary']);
const OWNED = `select r.id, substr(r.owner, 6)::uuid from fhir_resource r
  where r.type = $1 and r.id = any ((select $2::text[])::text[]) and r.owner like 'exam|%'`;
const STUDIES = 'select s.study_uid, s.exam_id from study s where s.study_uid = any ((select $1::text[])::text[])';
