/** Finding persons for whoever treats them: four questions, each through one index, and what a list shows of those found. */
import type { ExamMark, PersonQuestion, PersonSearch } from '../core/clinical.ts';
import { nameKey } from '../core/dicom-text.ts';
import { parseResidentId, type HubId, type SiteId } from '../core/identifier.ts';
import type { Matching } from '../core/match/matcher.ts';
import { isFormer, type PatientView } from '../core/view.ts';
import type { Vault } from '../core/sealing.ts';
import { vaultOf, type Database } from './database.ts';
import { residentOwner } from './resident-owner.ts';
import { matchKey, residentKey } from './sealed-facts.ts';
import { personViews } from './view.ts';

export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The SQL of a question, apart so that a test can EXPLAIN it; null: nobody can have such a number. */
export function personStatement(
  question: PersonQuestion,
  { matching, vault }: { readonly matching: Matching; readonly vault: Vault },
  limit: number,
): Statement | null {
  switch (question.by) {
    case 'resident-id': {
      const resident = parseResidentId(question.residentId);
      if (!resident.ok) return null;
      return {
        name: 'persons-by-resident',
        text: `select person_id from ${residentOwner('$1')} as owner(person_id) where person_id is not null limit $2`,
        values: [residentKey(vault, resident.id), limit],
      };
    }
    case 'number':
      return {
        name: 'persons-by-number',
        text: `select person_id from patient_record where local_id = $1 and site = any ($2::text[])
          union select p.person_id from exam_key k join patient_record p using (record_id)
            where k.site = any ($2::text[]) and k.kind in ('accession', 'filler', 'placer') and k.value = $1
          order by 1 limit $3`,
        values: [question.number.normalize('NFKC').trim(), question.sites, limit],
      };
    case 'phone': {
      const asked = { recordId: 'asked', issuer: '', names: [], identifiers: [], phones: [question.phone] };
      const [phone] = matching.written({ ...asked, ...NOTHING }).phones;
      if (phone === undefined) return null;
      return {
        name: 'persons-by-phone',
        // Registrations are compared by this key as well (core/match/blocking.ts).
        text: `select distinct p.person_id from match_key m join patient_record p using (record_id)
          where m.key = $1 order by 1 limit $2`,
        values: [matchKey(vault, `ph|${phone}`), limit],
      };
    }
    case 'name':
      return {
        name: 'persons-by-name',
        text: `select distinct p.person_id from patient_record p
          where replace(coalesce(p.birth_date, ''), '-', '') = $2 and p.merged_into is null
            and ($3::text is null or p.sex = $3)
            and exists (select from patient_name n where n.record_id = p.record_id and n.key = $1)
          order by 1 limit $4`,
        values: [nameKey(question.name), question.birthDate, question.sex ?? null, limit],
      };
  }
}

const NOTHING = {
  birthDate: null,
  sex: null,
  residentId: null,
  address: null,
  locality: null,
  postalCode: null,
} as const;

export const MARKS = `
select e.exam_id, e.person_id, e.site, coalesce(e.performed_at, e.created_at) as at,
  coalesce((select array_agg(distinct m) from study s cross join unnest(s.modalities) m where s.exam_id = e.exam_id), '{}') as modalities
from unnest($1::uuid[]) as asked(person_id)
cross join lateral (
  select r.person_id, x.exam_id, x.site, x.performed_at, x.created_at from patient_record r join exam x using (record_id)
  where r.person_id = asked.person_id and not x.cancelled
  order by coalesce(x.performed_at, x.created_at) desc, x.exam_id limit $2) e`;

export function createPersonSearch(deps: { readonly database: Database; readonly matching: Matching }): PersonSearch {
  const { pool } = deps.database;
  return {
    async find(question, limit) {
      const statement = personStatement(question, { matching: deps.matching, vault: vaultOf(pool) }, limit);
      if (statement === null) return [];
      const { rows } = await pool.query<{ person_id: HubId }>({ ...statement, values: [...statement.values] });
      return rows.map((row) => row.person_id);
    },
    async registrations(persons) {
      const views = await personViews(pool, persons);
      return new Map(views.map(({ personId, records }) => [personId, standing(records)]));
    },
    async marks(persons, limit) {
      if (persons.length === 0) return [];
      const { rows } = await pool.query<{
        exam_id: HubId;
        person_id: HubId;
        site: SiteId;
        at: Date;
        modalities: string[];
      }>({ name: 'person-marks', text: MARKS, values: [persons, limit] });
      return rows.map((row): ExamMark => ({
        examId: row.exam_id,
        personId: row.person_id,
        site: row.site,
        at: row.at.toISOString(),
        modalities: row.modalities,
      }));
    },
  };
}

const MOST = 50;
const standing = (records: readonly PatientView[]): readonly PatientView[] =>
  records.filter((record) => !isFormer(record)).slice(0, MOST);
