/** Doctors of institutions on PostgreSQL, through their life at the hub (core/standing.ts). */
import { randomUUID } from 'node:crypto';
import type { Caller } from '../core/access.ts';
import { institutionCode } from '../core/institution.ts';
import type { Practitioner, PractitionerDesk, StepRequest } from '../core/practitioner.ts';
import { fail, ok, problem, type Result } from '../core/problem.ts';
import { standingAfter, type Standing } from '../core/standing.ts';
import type { Connection, Database } from './database.ts';
import { isId } from './person-names.ts';
import { accountFollows, stepsOf, writeStep } from './standing.ts';

export interface PractitionerDeps {
  readonly database: Database;
  readonly clock: () => Date;
}

interface PractitionerRow {
  readonly practitioner_id: string;
  readonly institution: string;
  readonly licence: string;
  readonly name: string;
  readonly department: string;
  readonly title: string;
  readonly account_id: string | null;
  readonly state: Standing;
  readonly applied_by: string;
  readonly applied_at: Date;
  readonly updated_at: Date;
}

const COLUMNS = `practitioner_id, institution, licence, name, department, title, account_id, state, applied_by, applied_at,
  updated_at`;

const practitionerOf = (row: PractitionerRow): Practitioner => ({
  practitionerId: row.practitioner_id,
  institution: row.institution,
  licence: row.licence,
  name: row.name,
  department: row.department,
  title: row.title,
  accountId: row.account_id,
  state: row.state,
  appliedBy: row.applied_by,
  appliedAt: row.applied_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

const subjectOf = (id: string): string => `practitioner/${id}`;

export function createPractitionerDesk(deps: PractitionerDeps): PractitionerDesk {
  const { database } = deps;
  return {
    apply: (request, by) => database.transaction((connection) => apply(deps, connection, request, by)),
    step: (practitionerId, request, by) =>
      database.transaction((connection) => step(deps, connection, practitionerId, request, by)),
    async read(practitionerId) {
      if (!isId(practitionerId)) return null;
      const practitioner = await one(database.pool, practitionerId, '');
      if (practitioner === null) return null;
      return { practitioner, history: await stepsOf(database.pool, subjectOf(practitionerId)) };
    },
    async list({ institution, state }, { limit, after }) {
      const [, at = null, id = null] = /^([0-9TZ:.-]{24})_([0-9a-f-]{36})$/.exec(after ?? '') ?? [];
      const { rows } = await database.pool.query<PractitionerRow>(
        `select ${COLUMNS} from practitioner
         where ($1::text is null or institution = $1) and ($2::text is null or state = $2)
           and ($3::timestamptz is null or (applied_at, practitioner_id) < ($3, $4::uuid))
         order by applied_at desc, practitioner_id desc limit $5`,
        [institution ?? null, state ?? null, at, id, limit + 1],
      );
      const items = rows.slice(0, limit).map(practitionerOf);
      const last = items.at(-1);
      const more = rows.length > limit && last !== undefined;
      return { items, next: more ? `${last.appliedAt}_${last.practitionerId}` : null };
    },
  };
}

async function one(connection: Connection, id: string, lock: '' | 'for update'): Promise<Practitioner | null> {
  const { rows } = await connection.query<PractitionerRow>(
    `select ${COLUMNS} from practitioner where practitioner_id = $1 ${lock}`,
    [id],
  );
  return rows[0] === undefined ? null : practitionerOf(rows[0]);
}

const institutionState = async (connection: Connection, code: string): Promise<Standing | null> =>
  (
    await connection.query<{ state: Standing }>('select state from institution where code = $1', [
      institutionCode(code),
    ])
  ).rows[0]?.state ?? null;

async function apply(
  { clock }: PractitionerDeps,
  connection: Connection,
  request: Parameters<PractitionerDesk['apply']>[0],
  by: Caller,
): Promise<Result<Practitioner>> {
  const { institution, licence, name, department, title, accountId } = request;
  const state = await institutionState(connection, institution);
  if (state === null || state === 'left')
    return fail(problem('not-found', 'institution', 'There is no such institution.'));
  const now = clock();
  const { rows } = await connection.query<PractitionerRow>(
    `insert into practitioner (practitioner_id, institution, licence, name, department, title, state, applied_by, applied_at,
       updated_at, account_id)
     values ($1, $2, $3, $4, $5, $6, 'applied', $7, $8, $8, $9)
     on conflict (institution, licence) where state <> 'left' do nothing returning ${COLUMNS}`,
    [randomUUID(), institution, licence, name, department, title, by.id, now, accountId],
  );
  const [row] = rows;
  if (row === undefined)
    return fail(problem('conflict', 'licence', 'This licence is registered at the institution already.'));
  await writeStep(connection, subjectOf(row.practitioner_id), { step: 'apply', reason: '', at: now }, by);
  return ok(practitionerOf(row));
}

async function step(
  { clock }: PractitionerDeps,
  connection: Connection,
  id: string,
  { step: taken, reason }: StepRequest,
  by: Caller,
): Promise<Result<Practitioner>> {
  const found = isId(id) ? await one(connection, id, 'for update') : null;
  if (found === null) return fail(problem('not-found'));
  const after = standingAfter(found.state, taken, { appliedBy: found.appliedBy, by: by.id });
  if (!after.ok) return after;
  if (after.value === 'approved' && (await institutionState(connection, found.institution)) !== 'approved')
    return fail(problem('conflict', 'institution', 'The institution is not approved.'));
  const now = clock();
  await connection.query('update practitioner set state = $2, updated_at = $3 where practitioner_id = $1', [
    id,
    after.value,
    now,
  ]);
  await writeStep(connection, subjectOf(id), { step: taken, reason, at: now }, by);
  if (found.accountId !== null) await accountFollows(connection, found.accountId, taken);
  return ok({ ...found, state: after.value, updatedAt: now.toISOString() });
}
