/**
 * Whose a resident ID is while registrations of several persons claim it: the person of the oldest registration that the
 * number's own birth date does not contradict. The others' number is a claim until somebody has settled it.
 */
import type { HubId } from '../core/identifier.ts';
import { patientView, residentIdOf, type PatientState } from '../core/patient.ts';
import type { Vault } from '../core/sealing.ts';
import type { Connection } from './database.ts';
import { residentKey } from './sealed-facts.ts';

/** `residentId` is its keyed hash, everywhere here. A scalar subquery: the person id, or null where nobody's registration agrees with the number. */
export const residentOwner = (residentId: string): string => `(
  select owner.person_id from patient_record owner
  where owner.resident_id = ${residentId}
    and (owner.birth_date is null or owner.birth_date !~ '^[0-9]{4}'
      or abs(substr(owner.birth_date, 1, 4)::int - owner.resident_born) <= 2)
  order by owner.created_at, owner.record_id limit 1)`;

/**
 * The same for who comes with the number and wants to see: null as soon as registrations of more than one person claim it,
 * rightly or not. What was parted or never joined may be another's, and nobody is shown what may be.
 */
export const soleClaimant = (residentId: string): string => `(
  select case when count(distinct claim.person_id) = 1 then ${residentOwner(residentId)} end
  from patient_record claim where claim.resident_id = ${residentId})`;

/** Numbers, by their keyed hashes, that these registrations claim otherwise than before, or with another birth date. */
export function reclaimed(
  changed: readonly PatientState[],
  before: ReadonlyMap<HubId, PatientState>,
  vault: Vault,
): string[] {
  const claim = (state: PatientState): string =>
    `${residentIdOf(state.facts) ?? ''}|${patientView(state).birthDate ?? ''}`;
  const numbers = changed.flatMap((state) => {
    const old = before.get(state.recordId);
    // What is new is never the oldest: it owns what nobody did, and is rendered itself.
    if (old === undefined || claim(old) === claim(state)) return [];
    return [residentIdOf(old.facts) ?? [], residentIdOf(state.facts) ?? []].flat();
  });
  return [...new Set(numbers)].map((number) => residentKey(vault, number));
}

export type Owners = ReadonlyMap<string, HubId>;

export async function ownersOf(connection: Connection, numbers: readonly string[]): Promise<Owners> {
  if (numbers.length === 0) return new Map();
  const { rows } = await connection.query<{ number: string; owner: HubId | null }>({
    name: 'resident-owners',
    text: `select number, ${residentOwner('number')} as owner from unnest($1::text[]) number`,
    values: [numbers],
  });
  return new Map(rows.flatMap(({ number, owner }) => (owner === null ? [] : [[number, owner]])));
}

/** Registrations, with their persons, that show a number from now on or no longer, since it has another owner. */
export async function showingOtherwise(
  connection: Connection,
  numbers: readonly string[],
  was: Owners,
): Promise<readonly { readonly recordId: HubId; readonly personId: HubId }[]> {
  const now = await ownersOf(connection, numbers);
  const other = numbers.filter((number) => was.get(number) !== now.get(number));
  if (other.length === 0) return [];
  const { rows } = await connection.query<{ record_id: HubId; person_id: HubId }>({
    name: 'resident-shown-otherwise',
    text: `select record_id, person_id from patient_record where resident_id = any ($1::text[]) and person_id = any ($2::uuid[])`,
    values: [other, other.flatMap((number) => [was.get(number) ?? [], now.get(number) ?? []].flat())],
  });
  return rows.map((row) => ({ recordId: row.record_id, personId: row.person_id }));
}
