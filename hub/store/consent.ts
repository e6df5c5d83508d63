/** Consents on PostgreSQL: each version whole and final, the current one beside it for the decision (consent-reader.ts). */
import { randomUUID } from 'node:crypto';
import type { Caller } from '../core/access.ts';
import { needsGuardian } from '../core/consent.ts';
import type {
  ConsentContent,
  ConsentCriteria,
  ConsentDesk,
  ConsentRecord,
  ConsentStatus,
} from '../core/consent-ports.ts';
import type { HubId } from '../core/identifier.ts';
import type { Page, PageRequest } from '../core/operation.ts';
import { fail, ok, problem, type Result } from '../core/problem.ts';
import type { Connection, Database } from './database.ts';
import { BY_THE_PATIENT } from '../core/patient-notice.ts';
import { writeNotice, type NoticeRules } from './patient-notice.ts';
import { isId, namesOf, personToday, todayOf } from './person-names.ts';
import type { Sealed } from './subscription.ts';

export interface ConsentStoreDeps {
  readonly database: Database;
  readonly clock: () => Date;
  /** Names of guardians lie sealed. */
  readonly seal: () => Promise<Sealed>;
  readonly notices: NoticeRules;
}

interface ConsentRow {
  readonly consent_id: HubId;
  readonly version: number;
  readonly status: ConsentStatus;
  readonly person_id: HubId;
  readonly content: ConsentContent;
  readonly recorded_at: Date;
  readonly recorded_by: ConsentRecord['recordedBy'];
  readonly reason: string | null;
}

const COLUMNS = `v.consent_id, v.version, v.status, coalesce(${todayOf('c.person_id')}, c.person_id) as person_id, v.content, v.recorded_at,
  v.recorded_by, v.reason`;
const CURRENT = 'from consent c join consent_version v on v.consent_id = c.consent_id and v.version = c.version';

export function createConsentDesk(deps: ConsentStoreDeps): ConsentDesk {
  const { database } = deps;
  const many = async (text: string, values: readonly unknown[]): Promise<ConsentRecord[]> => {
    const { rows } = await database.pool.query<ConsentRow>(text, [...values]);
    const seal = await deps.seal();
    return rows.map((row) => recordOf(row, seal));
  };
  return {
    record: (personId, content, by) =>
      database.transaction((connection) => recordConsent(deps, connection, personId, content, by)),
    revise: (consentId, change, by, expected) =>
      database.transaction((connection) => revise(deps, connection, consentId, change, by, expected)),
    read: async (id) =>
      isId(id) ? ((await many(`select ${COLUMNS} ${CURRENT} where c.consent_id = $1`, [id]))[0] ?? null) : null,
    async version(id, version) {
      if (!isId(id) || !Number.isSafeInteger(version) || version > 1_000_000) return null;
      const text = `select ${COLUMNS} from consent c join consent_version v using (consent_id)
        where v.consent_id = $1 and v.version = $2`;
      return (await many(text, [id, version]))[0] ?? null;
    },
    versions: async (id) =>
      isId(id)
        ? many(
            `select ${COLUMNS} from consent c join consent_version v using (consent_id) where v.consent_id = $1
             order by v.version desc limit 200`,
            [id],
          )
        : [],
    async find(criteria, page) {
      const asked = await conditions(database, criteria);
      return pageOf(await many(...asked.page(page)), page);
    },
    async count(criteria) {
      const asked = await conditions(database, criteria);
      const { rows } = await database.pool.query<{ count: number }>(asked.count, [...asked.values]);
      return rows[0]?.count ?? 0;
    },
  };
}

/** Within a transaction: the patient-present code that is used up and its consent are one act. */
export async function recordConsent(
  deps: Omit<ConsentStoreDeps, 'database'>,
  connection: Connection,
  personId: string,
  content: ConsentContent,
  by: Caller,
): Promise<Result<ConsentRecord>> {
  const person = await personToday(connection, personId);
  if (person === null) return fail(problem('not-found', 'personId', 'Nobody has this id.'));
  const now = deps.clock();
  if (content.giver === 'patient' && needsGuardian(person.birthDate, chinaDate(now))) return fail(UNDER_AGE);
  const at = now.toISOString();
  const consentId = randomUUID() as HubId;
  const row = await writeVersion(
    deps,
    connection,
    { consentId, version: 1, status: 'active', content, reason: null },
    by,
  );
  await connection.query(
    `insert into consent (consent_id, person_id, record_ids, version, status, rules, refuses, given_at, updated_at)
     values ($1, $2, $3, 1, 'active', $4, $5, $6, $7)`,
    [
      consentId,
      person.personId,
      person.recordIds,
      JSON.stringify(content.rules),
      refuses(content),
      content.givenAt,
      at,
    ],
  );
  await tell(deps, connection, { ...row, personId: person.personId }, 'consent-recorded', by);
  return ok({ ...row, personId: person.personId });
}

const UNDER_AGE = problem('invalid-value', 'giver', 'For whom is younger than 14 a guardian gives the consent.');
const refuses = ({ rules }: Pick<ConsentContent, 'rules'>): boolean => rules.some(({ effect }) => effect === 'deny');
/** The date where the patients are. */
const chinaDate = (now: Date): string => new Date(now.getTime() + 8 * 3_600_000).toISOString().slice(0, 10);

async function revise(
  deps: ConsentStoreDeps,
  connection: Connection,
  consentId: string,
  change: Parameters<ConsentDesk['revise']>[1],
  by: Caller,
  expected?: number,
): Promise<Result<ConsentRecord>> {
  if (!isId(consentId)) return fail(problem('not-found'));
  const { rows } = await connection.query<ConsentRow>(
    `select ${COLUMNS} ${CURRENT} where c.consent_id = $1 for update of c`,
    [consentId],
  );
  const [row] = rows;
  if (row === undefined) return fail(problem('not-found'));
  if (expected !== undefined && expected !== row.version)
    return fail(problem('precondition', 'version', `Version ${String(row.version)} is current.`));
  if (row.status !== 'active')
    return fail(problem('conflict', 'status', 'This consent no longer stands; record another.'));
  const before = recordOf(row, await deps.seal());
  const content = change.content ?? before;
  // To withdraw is as easy as to give (PIPL 15): only new words ask for whose they are.
  const person = change.content === undefined ? null : await personToday(connection, row.person_id);
  if (content.giver === 'patient' && needsGuardian(person?.birthDate ?? null, chinaDate(deps.clock())))
    return fail(UNDER_AGE);
  const { status, reason } = change;
  const next = { consentId: row.consent_id, version: row.version + 1, status, content, reason };
  const record = await writeVersion(deps, connection, next, by);
  await connection.query(
    `update consent set version = $2, status = $3, rules = $4, refuses = $5, given_at = $6, updated_at = $7
     where consent_id = $1`,
    [
      consentId,
      next.version,
      status,
      JSON.stringify(content.rules),
      refuses(content),
      content.givenAt,
      record.recordedAt,
    ],
  );
  const told = { ...record, personId: row.person_id };
  await tell(deps, connection, told, status === 'active' ? 'consent-recorded' : 'consent-withdrawn', by);
  return ok(told);
}

async function writeVersion(
  { clock, seal }: Pick<ConsentStoreDeps, 'clock' | 'seal'>,
  connection: Connection,
  version: Pick<ConsentRecord, 'consentId' | 'version' | 'status' | 'reason'> & { readonly content: ConsentContent },
  by: Caller,
): Promise<Omit<ConsentRecord, 'personId'>> {
  const { consentId, version: number, status, content, reason } = version;
  const said = contentOf(content);
  const kept = { ...said, giverName: said.giverName === null ? null : (await seal()).close(said.giverName) };
  const recordedBy = { id: by.id, name: by.name, role: by.role };
  const recordedAt = clock().toISOString();
  await connection.query(
    `insert into consent_version (consent_id, version, status, content, recorded_at, recorded_by, reason)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [consentId, number, status, JSON.stringify(kept), recordedAt, JSON.stringify(recordedBy), reason],
  );
  return { ...said, consentId, version: number, status, reason, recordedAt, recordedBy };
}

/** The content alone, of what may hold more. */
const contentOf = ({
  rules,
  giver,
  giverName,
  giverRelation,
  givenAt,
  channel,
  form,
  institution,
  evidence,
}: ConsentContent): ConsentContent => ({
  ...{ rules, giver, giverName, giverRelation, givenAt },
  ...{ channel, form, institution, evidence },
});

const tell = (
  deps: Pick<ConsentStoreDeps, 'clock' | 'notices'>,
  connection: Connection,
  { personId, consentId, institution }: Pick<ConsentRecord, 'personId' | 'consentId' | 'institution'>,
  kind: 'consent-recorded' | 'consent-withdrawn',
  by: Caller,
): Promise<void> =>
  writeNotice(connection, deps.notices, {
    personId,
    kind,
    subject: `consent/${consentId}`,
    content: {
      institution,
      by: by.role === 'patient' ? BY_THE_PATIENT : (by.user?.displayName ?? null),
      ...{ reason: null, until: null },
    },
    at: deps.clock(),
  });

function recordOf(row: ConsentRow, seal: Sealed): ConsentRecord {
  const { giverName } = row.content;
  return {
    ...row.content,
    giverName: giverName === null ? null : seal.open(giverName),
    consentId: row.consent_id,
    version: row.version,
    status: row.status,
    personId: row.person_id,
    recordedAt: row.recorded_at.toISOString(),
    recordedBy: row.recorded_by,
    reason: row.reason,
  };
}

interface Conditions {
  readonly values: readonly unknown[];
  readonly count: string;
  page(page: PageRequest): [text: string, values: readonly unknown[]];
}

async function conditions(database: Database, criteria: ConsentCriteria): Promise<Conditions> {
  const persons =
    criteria.persons === undefined
      ? null
      : [...new Set((await namesOf(database.pool, criteria.persons)).map(({ name }) => name))];
  const where = `($1::uuid[] is null or c.consent_id = any ($1)) and ($2::uuid[] is null or c.person_id = any ($2))
    and ($3::text[] is null or c.status = any ($3)) and ($4::text[] is null or v.content ->> 'institution' = any ($4))
    and ($5::timestamptz is null or c.given_at >= $5) and ($6::timestamptz is null or c.given_at < $6)`;
  const values = [
    criteria.ids?.filter(isId) ?? null,
    persons,
    criteria.statuses ?? null,
    criteria.institutions ?? null,
    criteria.givenFrom ?? null,
    criteria.givenTo ?? null,
  ];
  return {
    values,
    count: `select count(*)::int as count ${CURRENT} where ${where}`,
    page: ({ limit, after }) => {
      const [, at = null, id = null] = /^([0-9TZ:.-]{24})_([0-9a-f-]{36})$/.exec(after ?? '') ?? [];
      const text = `select ${COLUMNS} ${CURRENT} where ${where}
        and ($7::timestamptz is null or (date_trunc('milliseconds', c.updated_at), c.consent_id) < ($7, $8::uuid))
        order by date_trunc('milliseconds', c.updated_at) desc, c.consent_id desc limit $9`;
      return [text, [...values, at, id, limit + 1]];
    },
  };
}

function pageOf(found: readonly ConsentRecord[], { limit }: PageRequest): Page<ConsentRecord> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next: found.length > limit && last !== undefined ? `${last.recordedAt}_${last.consentId}` : null };
}
