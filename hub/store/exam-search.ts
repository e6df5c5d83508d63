/** Exams of one patient for the query platform, and exams that still miss a part for the operator. */
import { parseResidentId, type Derivation, type HubId, type SiteId } from '../core/identifier.ts';
import type { ExamSearch, Orphan, OrphanKind, OrphanReader } from '../core/operation.ts';
import { vaultOf, type Database } from './database.ts';
import { residentOwner } from './resident-owner.ts';
import { residentKey } from './sealed-facts.ts';
import { examViews } from './view.ts';

/** `authority` absent: a resident ID in any of its spellings. */
export function createExamSearch(deps: { database: Database; derive: Derivation }): ExamSearch {
  const { pool } = deps.database;
  return {
    async byPatient(identifier, page) {
      const resident = identifier.authority === undefined ? parseResidentId(identifier.value) : null;
      if (resident !== null && !resident.ok) return { items: [], next: null, personIds: [] };
      const persons = await pool.query<{ person_id: HubId }>(
        resident === null
          ? {
              name: 'search-by-local',
              text: 'select distinct person_id from patient_record where local_id = $1 and authority = $2',
              values: [identifier.value, identifier.authority],
            }
          : {
              name: 'search-by-resident',
              // Who only claims the number is in review as another person.
              text: `select person_id from ${residentOwner('$1')} as owner(person_id) where person_id is not null`,
              values: [residentKey(vaultOf(pool), resident.id)],
            },
      );
      const personIds = persons.rows.map((row) => row.person_id);
      if (personIds.length === 0) return { items: [], next: null, personIds };
      const after = /^([0-9TZ:.-]+)_([0-9a-f-]{36})$/.exec(page.after ?? '');
      const found = await pool.query<{ exam_id: HubId; at: Date }>({
        name: 'search-exams-of-persons',
        text: `select * from (
                 select e.exam_id, date_trunc('milliseconds', coalesce(e.performed_at, e.created_at)) as at from exam e
                 where e.record_id in (select record_id from patient_record where person_id = any ($1::uuid[]))) e
               where $2::timestamptz is null or (e.at, e.exam_id) < ($2, $3::uuid)
               order by e.at desc, e.exam_id desc limit $4`,
        values: [personIds, after?.[1] ?? null, after?.[2] ?? null, page.limit + 1],
      });
      const rows = found.rows.slice(0, page.limit);
      const ids = rows.map((row) => row.exam_id);
      const views = await examViews(pool, ids, { derive: deps.derive, instances: 'none' });
      const last = rows.at(-1);
      const more = found.rows.length > page.limit && last !== undefined;
      return {
        items: views.sort((a, b) => ids.indexOf(a.examId) - ids.indexOf(b.examId)),
        next: more ? `${last.at.toISOString()}_${last.exam_id}` : null,
        personIds,
      };
    },
  };
}

const ORPHAN: Readonly<Record<OrphanKind, string>> = {
  'images-without-order': 'has_images and not has_order',
  'images-without-report': 'has_images and has_order and not has_report',
  'report-without-images': 'has_report and not has_images',
  'report-without-order': 'has_report and has_images and not has_order',
};

/** Orphans heal by themselves when the missing part arrives; this list shows what still waits. */
export function createOrphanReader(database: Database): OrphanReader {
  return {
    async list(filter, page) {
      const kinds = filter.kind === undefined ? (Object.keys(ORPHAN) as OrphanKind[]) : [filter.kind];
      const after = /^(\d{1,16})-([0-9a-f-]{36})$/.exec(page.after ?? '');
      const result = await database.pool.query<{ exam_id: HubId; site: SiteId; created_at: Date; kind: OrphanKind }>(
        `select e.exam_id, e.site, date_trunc('milliseconds', e.created_at) as created_at, k.kind from exam e
         cross join lateral (select kind from (values ${kinds.map((kind) => `('${kind}', ${ORPHAN[kind]})`).join(', ')}) v(kind, holds)
           where holds limit 1) k
         where not e.cancelled and ($1::text is null or e.site = $1)
           and ($2::timestamptz is null or (date_trunc('milliseconds', e.created_at), e.exam_id) > ($2, $3::uuid))
         order by 3, 1 limit $4`,
        [filter.site ?? null, after ? new Date(Number(after[1])) : null, after?.[2] ?? null, page.limit + 1],
      );
      const rows = result.rows.slice(0, page.limit);
      const last = rows.at(-1);
      const more = result.rows.length > page.limit && last !== undefined;
      return {
        items: rows.map((row): Orphan => ({
          kind: row.kind,
          examId: row.exam_id,
          site: row.site,
          since: row.created_at.toISOString(),
        })),
        next: more ? `${String(last.created_at.getTime())}-${last.exam_id}` : null,
      };
    },
  };
}
