/** Whose records are theirs who shows a resident ID: found as registrations are, by the keyed hash of the number. */
import type { PatientFinder } from '../core/account.ts';
import { nameKey } from '../core/dicom-text.ts';
import type { HubId } from '../core/identifier.ts';
import { vaultOf, type Database } from './database.ts';
import { soleClaimant } from './resident-owner.ts';
import { residentKey } from './sealed-facts.ts';

interface Row {
  persons: number;
  person: HubId | null;
  named: boolean;
}

/** A number that a hospital mistyped may be another citizen's: the name that this citizen was verified by tells them apart. */
const WHOSE = `select count(distinct r.person_id)::int as persons, ${soleClaimant('$1')} as person,
    coalesce(bool_or(exists (select from patient_name n where n.record_id = r.record_id and n.key = $2)), false) as named
  from patient_record r where r.resident_id = $1`;

export function createPatientFinder({ pool }: Pick<Database, 'pool'>): PatientFinder {
  return {
    async whose(residentId, name) {
      const values = [residentKey(vaultOf(pool), residentId), nameKey(name)];
      const { rows } = await pool.query<Row>({ name: 'patient-whose', text: WHOSE, values });
      const { persons = 0, person = null, named = false } = rows[0] ?? {};
      if (persons > 1) return 'several';
      return person === null || !named ? 'nobody' : person;
    },
  };
}
