/**
 * Whose a resident ID is while registrations of several persons claim it: the person of the oldest registration that the
 * number's own birth date does not contradict. The others' number is a claim until somebody has settled it.
 */

/** A scalar subquery: the person id, or null where nobody's registration agrees with the number. */
export const residentOwner = (residentId: string): string => `(
  select owner.person_id from patient_record owner
  where owner.resident_id = ${residentId}
    and (owner.birth_date is null or owner.birth_date !~ '^[0-9]{4}'
      or abs(substr(owner.birth_date, 1, 4)::int - substr(owner.resident_id, 7, 4)::int) <= 2)
  order by owner.created_at, owner.record_id limit 1)`;
