/** Everything that is known of one person: its registrations, why they are one, what was decided, what is shown of it. */
import type { Derivation, HubId } from '../core/identifier.ts';
import type { DecisionKind, Explanation, IdentityDecision, PersonFile } from '../core/identity.ts';
import type { Contribution } from '../core/match/comparison.ts';
import type { Matching } from '../core/match/matcher.ts';
import { patientView } from '../core/patient.ts';
import { survivingPerson } from '../core/person.ts';
import { vaultOf, type Connection } from './database.ts';
import { rulesInForce } from './match.ts';
import { PATIENT_COLUMNS, patientState, type PatientRow } from './slice.ts';

/** The person that this one is today; null: never known. */
export async function todayOf(connection: Connection, personId: string): Promise<HubId | null> {
  const { rows } = await connection.query<{ today: HubId }>({
    name: 'person-today',
    // A person of an earlier release was replaced by one that may have been joined to another since.
    text: `select coalesce(n.replaced_by, p.replaced_by, p.person_id) as today
           from person p left join person n on n.person_id = p.replaced_by where p.person_id = $1`,
    values: [personId],
  });
  return rows[0]?.today ?? null;
}

export async function personFile(
  connection: Connection,
  asked: string,
  deps: { readonly matching: Matching; readonly derive: Derivation },
): Promise<PersonFile | null> {
  const personId = await todayOf(connection, asked);
  if (personId === null) return null;
  const records = await connection.query<PatientRow>(
    `select ${PATIENT_COLUMNS} from patient_record where person_id = $1 order by created_at, record_id`,
    [personId],
  );
  const { fields } = vaultOf(connection);
  const registrations = records.rows.map((row) => patientView(patientState(fields, row)));
  const ids = registrations.map((one) => one.recordId);
  const [matcher] = await rulesInForce(connection, deps.matching);
  const former = await connection.query<{ person_id: HubId }>(
    `select person_id from person where replaced_by = $1
       or replaced_by in (select person_id from person where replaced_by = $1) order by person_id`,
    [personId],
  );
  return {
    personId,
    registrations,
    survivors: survivingPerson(registrations),
    links: [...(await compared(connection, ids, matcher.version)), ...(await said(connection, ids))],
    decisions: await decisionsBy(connection, 'd.records && $1::uuid[]', [ids]),
    formerIds: former.rows.map((row) => row.person_id),
  };
}

interface PairRow {
  readonly a: HubId;
  readonly b: HubId;
  readonly outcome: 'link' | 'review' | 'none';
  readonly weight: number;
  readonly veto: string | null;
  readonly contributions: readonly Contribution[];
}

/** The comparisons between these registrations, the heaviest first. */
export async function compared(connection: Connection, ids: readonly HubId[], rules: string): Promise<Explanation[]> {
  const { rows } = await connection.query<PairRow>(
    `select record_id as a, other_id as b, outcome, weight, veto, contributions from match_pair
     where record_id = any ($1::uuid[]) and other_id = any ($1::uuid[]) and record_id < other_id and rules = $2
     order by weight desc, 1, 2 limit 1000`,
    [ids, rules],
  );
  return rows.map(({ a, b, outcome, weight, veto, contributions }) => ({
    records: [a, b],
    source: 'comparison',
    says: outcome === 'link' ? 'same' : outcome === 'none' ? 'not-same' : 'doubt',
    weight,
    veto,
    contributions,
    by: rules,
  }));
}

async function said(connection: Connection, ids: readonly HubId[]): Promise<Explanation[]> {
  const { rows } = await connection.query<{ a: HubId; b: HubId; says: 'same' | 'not-same'; decision: string | null }>(
    `select record_id as a, other_id as b, decision as says, decision_id::text as decision from ruling_in_force
     where record_id = any ($1::uuid[]) and record_id < other_id
     union all
     select record_id, other_id, case said when 'same' then 'same' else 'not-same' end, null from record_tie
     where record_id = any ($1::uuid[]) and record_id < other_id
     union all
     select record_id, merged_into, 'same', null from patient_record where record_id = any ($1::uuid[]) and merged_into is not null
     order by 1, 2 limit 1000`,
    [ids],
  );
  return rows.map(({ a, b, says, decision }) => ({
    records: [a, b],
    source: decision === null ? 'hospital' : 'decision',
    says,
    weight: null,
    veto: null,
    contributions: [],
    by: decision ?? 'merge or link of the hospital',
  }));
}

interface DecisionRow {
  readonly id: string;
  readonly kind: DecisionKind;
  readonly at: Date;
  readonly by_name: string;
  readonly reason: string;
  readonly undoes: string | null;
  readonly undone_by: string | null;
  readonly records: HubId[];
}

/** `where` is SQL of this room over `d`. Newest first, bounded. */
export async function decisionsBy(
  connection: Connection,
  where: string,
  values: readonly unknown[],
): Promise<IdentityDecision[]> {
  const { rows } = await connection.query<DecisionRow>(
    `select d.id, d.kind, d.at, d.by_name, d.reason, d.undoes, u.id as undone_by, d.records
     from identity_decision d left join identity_decision u on u.undoes = d.id where ${where} order by d.id desc limit 200`,
    [...values],
  );
  return rows.map((row) => ({
    decisionId: row.id,
    kind: row.kind,
    at: row.at.toISOString(),
    by: row.by_name,
    reason: row.reason,
    undoes: row.undoes,
    undoneBy: row.undone_by,
    records: row.records,
  }));
}
