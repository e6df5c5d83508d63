/** Institutions through their life at the hub, and consortia of them, on the tables that decisions read (institution.ts). */
import type { Caller } from '../core/access.ts';
import {
  institutionCode,
  type Consortium,
  type InstitutionCode,
  type InstitutionKind,
  type InstitutionState,
} from '../core/institution.ts';
import type { SiteId } from '../core/identifier.ts';
import type { InstitutionDesk, RegisteredInstitution, StepRequest } from '../core/practitioner.ts';
import { fail, ok, problem, type Result } from '../core/problem.ts';
import { standingAfter } from '../core/standing.ts';
import type { Connection, Database } from './database.ts';
import { isId } from './person-names.ts';
import { applicantOf, institutionEnds, stepsOf, writeStep } from './standing.ts';

interface Deps {
  readonly database: Database;
  readonly clock: () => Date;
}

interface InstitutionRow {
  readonly code: InstitutionCode;
  readonly name_zh: string;
  readonly name_en: string | null;
  readonly parent: InstitutionCode | null;
  readonly kind: InstitutionKind;
  readonly region: string | null;
  readonly state: InstitutionState;
  readonly sites: SiteId[];
  readonly licence: string | null;
  readonly uscc: string | null;
}

const COLUMNS = `code, name_zh, name_en, parent, kind, region, state, licence, uscc,
  array(select site from institution_site s where s.institution = i.code order by site) as sites`;

const registered = ({ name_zh: nameZh, name_en: nameEn, ...rest }: InstitutionRow): RegisteredInstitution => ({
  nameZh,
  nameEn,
  ...rest,
});

const subjectOf = (code: string): string => `institution/${code}`;

export async function institutionName(connection: Connection, code: string): Promise<string | null> {
  const { rows } = await connection.query<{ name_zh: string }>('select name_zh from institution where code = $1', [
    code,
  ]);
  return rows[0]?.name_zh ?? null;
}

export function createInstitutionDesk(deps: Deps): InstitutionDesk {
  const { database } = deps;
  return {
    apply: (institution, by) => database.transaction((connection) => apply(deps, connection, institution, by)),
    step: (code, request, by) => database.transaction((connection) => step(deps, connection, code, request, by)),
    async read(code) {
      const institution = await one(database.pool, code, '');
      return institution === null ? null : { institution, history: await stepsOf(database.pool, subjectOf(code)) };
    },
    async list({ state }, { limit, after }) {
      const { rows } = await database.pool.query<InstitutionRow>(
        `select ${COLUMNS} from institution i where ($1::text is null or state = $1) and ($2::text is null or code > $2)
         order by code limit $3`,
        [state ?? null, after ?? null, limit + 1],
      );
      const items = rows.slice(0, limit).map(registered);
      return { items, next: rows.length > limit ? (items.at(-1)?.code ?? null) : null };
    },
    async consortia() {
      const { rows } = await database.pool.query<ConsortiumRow>(CONSORTIA);
      return rows.map(consortiumOf);
    },
    saveConsortium: (id, consortium) =>
      database.transaction((connection) => saveConsortium(deps, connection, id, consortium)),
  };
}

async function one(
  connection: Connection,
  code: string,
  lock: '' | 'for update of i',
): Promise<RegisteredInstitution | null> {
  const { rows } = await connection.query<InstitutionRow>(
    `select ${COLUMNS} from institution i where code = $1 ${lock}`,
    [code],
  );
  return rows[0] === undefined ? null : registered(rows[0]);
}

async function apply(
  { clock }: Deps,
  connection: Connection,
  institution: Omit<RegisteredInstitution, 'state'>,
  by: Caller,
): Promise<Result<RegisteredInstitution>> {
  const { code, nameZh, nameEn, parent, kind, region, sites, licence, uscc } = institution;
  if (parent !== null && (await one(connection, parent, '')) === null)
    return fail(problem('invalid-value', 'parent', 'There is no such institution.'));
  const taken = await connection.query('select from institution_site where site = any ($1::text[])', [sites]);
  if (taken.rowCount !== 0) return fail(problem('conflict', 'sites', 'A site belongs to another institution.'));
  const { rowCount } = await connection.query(
    `insert into institution (code, name_zh, name_en, parent, kind, region, licence, uscc, state, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'applied', $9, $9) on conflict (code) do nothing`,
    [code, nameZh, nameEn, parent, kind, region, licence, uscc, clock()],
  );
  if (rowCount === 0) return fail(problem('conflict', 'code', 'This institution is registered already.'));
  await connection.query(
    'insert into institution_site (site, institution) select site, $2 from unnest($1::text[]) as s(site)',
    [sites, code],
  );
  await writeStep(connection, subjectOf(code), { step: 'apply', reason: '', at: clock() }, by);
  return ok({ ...institution, state: 'applied' });
}

async function step(
  { clock }: Deps,
  connection: Connection,
  code: string,
  { step: taken, reason }: StepRequest,
  by: Caller,
): Promise<Result<RegisteredInstitution>> {
  const found = await one(connection, code, 'for update of i');
  if (found === null) return fail(problem('not-found'));
  const appliedBy = await applicantOf(connection, subjectOf(code));
  const after = standingAfter(found.state, taken, { appliedBy, by: by.id });
  if (!after.ok) return after;
  const now = clock();
  await connection.query('update institution set state = $2, updated_at = $3 where code = $1', [
    code,
    after.value,
    now,
  ]);
  await writeStep(connection, subjectOf(code), { step: taken, reason, at: now }, by);
  if (taken === 'suspend' || taken === 'leave') await institutionEnds(connection, code, taken, now);
  return ok({ ...found, state: after.value });
}

interface ConsortiumRow {
  readonly id: string;
  readonly name_zh: string;
  readonly name_en: string | null;
  readonly valid_from: Date | null;
  readonly valid_until: Date | null;
  readonly members: string[];
}

const CONSORTIA = `select id, name_zh, name_en, valid_from, valid_until,
  array(select institution from consortium_member m where m.consortium = c.id order by 1) as members
  from consortium c order by created_at, id limit 1000`;

const consortiumOf = (row: ConsortiumRow): Consortium => ({
  id: row.id,
  nameZh: row.name_zh,
  nameEn: row.name_en,
  from: row.valid_from?.toISOString() ?? null,
  until: row.valid_until?.toISOString() ?? null,
  members: row.members.map(institutionCode),
});

async function saveConsortium(
  { clock }: Deps,
  connection: Connection,
  id: string | null,
  { nameZh, nameEn, from, until, members }: Omit<Consortium, 'id'>,
): Promise<Result<Consortium>> {
  const known = await connection.query('select from institution where code = any ($1::text[])', [members]);
  if (known.rowCount !== new Set(members).size)
    return fail(problem('invalid-value', 'members', 'A member is no institution of this hub.'));
  if (id !== null && !isId(id)) return fail(problem('not-found'));
  const values = [nameZh, nameEn, from, until];
  const { rows } =
    id === null
      ? await connection.query<{ id: string }>(
          `insert into consortium (name_zh, name_en, valid_from, valid_until, created_at) values ($1, $2, $3, $4, $5)
           returning id`,
          [...values, clock()],
        )
      : await connection.query<{ id: string }>(
          `update consortium set name_zh = $1, name_en = $2, valid_from = $3, valid_until = $4 where id = $5 returning id`,
          [...values, id],
        );
  const [row] = rows;
  if (row === undefined) return fail(problem('not-found'));
  await connection.query('delete from consortium_member where consortium = $1 and institution <> all ($2::text[])', [
    row.id,
    members,
  ]);
  await connection.query(
    `insert into consortium_member (consortium, institution, since) select $1, m, $3 from unnest($2::text[]) m
     on conflict do nothing`,
    [row.id, members, clock()],
  );
  return ok({ id: row.id, nameZh, nameEn, from, until, members });
}
