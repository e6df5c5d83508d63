/** A person under any id: who it is today, by which other ids it is known, and what a desk must know before it records. */
import type { HubId } from '../core/identifier.ts';
import type { Connection } from './database.ts';
import { SAME_PERSON } from './fhir-subject.ts';

export interface PersonToday {
  readonly personId: HubId;
  readonly recordIds: readonly HubId[];
  /** Of the youngest that its registrations say; null: none says. */
  readonly birthDate: string | null;
}

/** Who this is today; null: nobody has this id, or ever had. */
export async function personToday(connection: Connection, id: string): Promise<PersonToday | null> {
  if (!IS_ID.test(id)) return null;
  const { rows } = await connection.query<{ person_id: HubId; record_ids: HubId[]; birth_date: string | null }>({
    name: 'person-to-record',
    text: `select ${TODAY('p')} as person_id,
        array(select r.record_id from patient_record r where r.person_id = ${TODAY('p')} order by 1) as record_ids,
        (select max(r.birth_date) from patient_record r where r.person_id = ${TODAY('p')}) as birth_date
      from person p left join person s on s.person_id = p.replaced_by where p.person_id = $1`,
    values: [id],
  });
  const [row] = rows;
  return row === undefined ? null : { personId: row.person_id, recordIds: row.record_ids, birthDate: row.birth_date };
}

const IS_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
export const isId = (text: string): boolean => IS_ID.test(text);

/** Persons of earlier releases lead to one that may be replaced in its turn: two steps, never more. */
const TODAY = (person: string): string => `coalesce(s.replaced_by, ${person}.replaced_by, ${person}.person_id)`;

/** The person of today of a column that names one, as a scalar. */
export const todayOf = (column: string): string =>
  `(select ${TODAY('p')} from person p left join person s on s.person_id = p.replaced_by where p.person_id = ${column})`;

/** Every id that means the same person as one of `ids`, each with the id that was asked for. */
export async function namesOf(
  connection: Connection,
  ids: readonly string[],
): Promise<readonly { readonly asked: HubId; readonly name: HubId }[]> {
  const known = ids.filter(isId);
  if (known.length === 0) return [];
  const { rows } = await connection.query<{ asked: HubId; name: HubId }>({
    name: 'names-of-persons',
    text: SAME_PERSON,
    values: [known],
  });
  return rows;
}
