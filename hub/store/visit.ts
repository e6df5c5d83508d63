/** Visits: loaded and written with the slice of their registration, found for PDVQ (ITI-22) under the person of today. */
import type { HubId, SiteId } from '../core/identifier.ts';
import type { Registers } from '../core/register.ts';
import type { Sensitivity } from '../core/subject.ts';
import {
  accountOf,
  departmentsOf,
  visitFields,
  visitKeys,
  type VisitDemand,
  type VisitIndex,
  type VisitState,
  type VisitView,
} from '../core/visit.ts';
import type { Connection, Database } from './database.ts';
import { bulk } from './save.ts';

interface VisitRow {
  visit_id: HubId;
  record_id: HubId;
  site: SiteId;
  type: 'VN' | 'AN';
  authority: string;
  number: string;
  facts: Registers;
}

const stateOf = ({ visit_id, record_id, site, type, authority, number, facts }: VisitRow): VisitState => ({
  visitId: visit_id,
  recordId: record_id,
  site,
  ref: { type, authority, value: number },
  facts,
});

export async function loadVisits(connection: Connection, ids: readonly HubId[]): Promise<readonly VisitState[]> {
  if (ids.length === 0) return [];
  const { rows } = await connection.query<VisitRow>({
    name: 'slice-visits',
    text: `select visit_id, record_id, site, type, authority, number, facts from visit where visit_id = any ($1::uuid[])`,
    values: [ids],
  });
  return rows.map(stateOf);
}

export async function saveVisits(
  connection: Connection,
  before: ReadonlyMap<HubId, VisitState>,
  after: ReadonlyMap<HubId, VisitState>,
  now: Date,
): Promise<void> {
  const changed = [...after.values()].filter((state) => before.get(state.visitId) !== state);
  const rows = changed.map((state) => {
    const { visitId, recordId, site, ref, facts } = state;
    const fields = visitFields(state);
    const account = accountOf(ref, fields);
    return {
      ...{ record_id: recordId, visit_id: visitId, site, type: ref.type, authority: ref.authority, number: ref.value },
      ...{ facts, account: account?.value ?? null, account_authority: account?.authority ?? null },
      ...{ keys: visitKeys(fields), departments: departmentsOf(fields) },
      cancelled: fields.cancelled === true,
      ended: fields.dischargedAt !== undefined,
      admitted_at: fields.admittedAt ?? null,
    };
  });
  await bulk(
    connection,
    'save-visits',
    `insert into visit (record_id, visit_id, site, type, authority, number, facts, account, account_authority, keys,
       departments, cancelled, ended, admitted_at, created_at, updated_at)
     select record_id, visit_id, site, type, authority, number, facts, account, account_authority, keys, departments,
       cancelled, ended, admitted_at, $2, $2
     from jsonb_to_recordset($1::jsonb) as r(record_id uuid, visit_id uuid, site text, type text, authority text,
       number text, facts jsonb, account text, account_authority text, keys text[], departments text[], cancelled boolean,
       ended boolean, admitted_at timestamptz)
     on conflict (record_id, visit_id) do update set facts = excluded.facts, account = excluded.account,
       account_authority = excluded.account_authority, keys = excluded.keys, departments = excluded.departments,
       cancelled = excluded.cancelled, ended = excluded.ended, admitted_at = excluded.admitted_at,
       updated_at = excluded.updated_at`,
    rows,
    now,
  );
}

interface ShownRow extends VisitRow {
  person_id: HubId;
  labels: Sensitivity[];
}

/** What makes a visit sensitive is asked when it is read: rules change, and few visits are read at once. */
const SHOWN = `select v.visit_id, v.record_id, v.site, v.type, v.authority, v.number, v.facts, p.person_id,
    array(select distinct r.label from sensitivity_rule r
      where r.field = 'requestingDepartment' and r.code = any (v.departments)) as labels
  from visit v join patient_record p on p.record_id = v.record_id`;

const viewOf = (row: ShownRow): VisitView => {
  const { visitId, site, ref, facts } = stateOf(row);
  return { visitId, personId: row.person_id, site, ref, fields: visitFields({ facts }), labels: row.labels };
};

/** The statement and its values; exported for the test of its plan. */
export function visitSearch(
  { numbers, accounts, keys }: VisitDemand,
  persons: readonly string[] | null,
  limit: number,
): { readonly text: string; readonly values: readonly unknown[] } {
  const values: unknown[] = [];
  const given = (value: unknown, type: string): string => `$${String(values.push(value))}::${type}`;
  const named = (
    [value, authority]: readonly [string, string],
    asked: { readonly value: string; readonly authority: string | null },
  ): string[] => [
    `${value} = ${given(asked.value, 'text')}`,
    ...(asked.authority === null ? [] : [`${authority} = ${given(asked.authority, 'text')}`]),
  ];
  const holds = [
    'not v.cancelled',
    ...(persons === null ? [] : [`p.person_id = any (${given(persons, 'uuid[]')})`]),
    ...numbers.flatMap((one) => ["v.type = 'VN'", ...named(['v.number', 'v.authority'], one)]),
    ...accounts.flatMap((one) => named(['v.account', 'v.account_authority'], one)),
    ...(keys.length === 0 ? [] : [`v.keys @> ${given(keys, 'text[]')}`]),
    ...(persons === null && numbers.length + accounts.length === 0 ? ['not v.ended'] : []),
  ];
  const text = `${SHOWN} where ${holds.join(' and ')}
    order by v.admitted_at desc nulls last, v.visit_id limit ${given(limit, 'int')}`;
  return { text, values };
}

export function createVisitIndex({ pool }: Pick<Database, 'pool'>): VisitIndex {
  return {
    async find(demand, persons, limit) {
      if (persons?.length === 0) return [];
      const { text, values } = visitSearch(demand, persons, limit);
      const { rows } = await pool.query<ShownRow>(text, [...values]);
      return rows.map(viewOf);
    },
    async read(ids) {
      const { rows } = await pool.query<ShownRow>({
        name: 'read-visits',
        text: `${SHOWN} where v.visit_id = any ($1::uuid[]) and not v.cancelled`,
        values: [ids],
      });
      const byId = new Map(rows.map((row) => [row.visit_id as string, viewOf(row)]));
      return ids.flatMap((id) => byId.get(id) ?? []);
    },
  };
}
