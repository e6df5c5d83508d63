/** Emergency access on PostgreSQL: a case is one row from the glass to the verdict, and the notice goes with its commit. */
import { randomUUID } from 'node:crypto';
import type { Caller } from '../core/access.ts';
import type { ReactionPolicy } from '../core/account-flag.ts';
import {
  reviewDueAt,
  type BreakGlassCase,
  type BreakGlassCases,
  type BreakGlassFilter,
  type BreakGlassReason,
  type BreakGlassRequest,
  type ReviewOutcome,
  type ReviewVerdict,
} from '../core/break-glass.ts';
import type { HubId } from '../core/identifier.ts';
import { fail, ok, problem, type Result } from '../core/problem.ts';
import type { BreakGlassGrant } from '../core/subject.ts';
import { flagAccount } from './account-flag.ts';
import type { Connection, Database } from './database.ts';
import { writeNotice, type NoticeRules } from './patient-notice.ts';
import { isId, personToday, todayOf } from './person-names.ts';
import { SAME_PERSON } from './fhir-subject.ts';
import type { Sealed } from './subscription.ts';

export interface BreakGlassDeps {
  readonly database: Database;
  readonly clock: () => Date;
  /** What the doctor wrote may tell of the patient. */
  readonly seal: () => Promise<Sealed>;
  readonly notices: NoticeRules;
  /** What follows an emergency that was none. */
  readonly reactions: ReactionPolicy;
}

interface CaseRow {
  readonly grant_id: string;
  readonly person_id: HubId;
  readonly account_id: string;
  readonly account_name: string;
  readonly practitioner_id: string | null;
  readonly institution: string | null;
  readonly reason: BreakGlassReason;
  readonly note: string;
  readonly at: Date;
  readonly until: Date;
  readonly ended_at: Date | null;
  readonly due_at: Date;
  readonly outcome: ReviewOutcome | null;
  readonly reviewed_by: string | null;
  readonly reviewed_at: Date | null;
  readonly review_note: string | null;
}

const COLUMNS = `b.grant_id, coalesce(${todayOf('b.person_id')}, b.person_id) as person_id, b.account_id, b.account_name,
  b.practitioner_id, b.institution, b.reason, b.note, b.at, b.until, b.ended_at, b.due_at, b.outcome, b.reviewed_by,
  b.reviewed_at, b.review_note`;
const STANDS = 'coalesce(b.ended_at, b.until)';

function caseOf(row: CaseRow, seal: Sealed): BreakGlassCase {
  return {
    grantId: row.grant_id,
    personId: row.person_id,
    accountId: row.account_id,
    accountName: row.account_name,
    practitionerId: row.practitioner_id,
    institution: row.institution,
    reason: row.reason,
    text: seal.open(row.note),
    at: row.at.toISOString(),
    until: row.until.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    review: {
      dueAt: row.due_at.toISOString(),
      outcome: row.outcome,
      by: row.reviewed_by,
      at: row.reviewed_at?.toISOString() ?? null,
      note: row.review_note,
    },
  };
}

export function createBreakGlassCases(deps: BreakGlassDeps): BreakGlassCases {
  const { database, clock } = deps;
  const cases = async (text: string, values: readonly unknown[]): Promise<BreakGlassCase[]> => {
    const { rows } = await database.pool.query<CaseRow>(text, [...values]);
    const seal = await deps.seal();
    return rows.map((row) => caseOf(row, seal));
  };
  const one = async (grantId: string): Promise<BreakGlassCase | null> =>
    isId(grantId)
      ? ((await cases(`select ${COLUMNS} from break_glass b where b.grant_id = $1`, [grantId]))[0] ?? null)
      : null;
  return {
    grant: one,
    async open(request, by) {
      const opened = await database.transaction((connection) => open(deps, connection, request, by));
      if (!opened.ok) return opened;
      const found = await one(opened.value.grantId);
      return found === null ? fail(problem('internal')) : ok({ found, isNew: opened.value.isNew });
    },
    async end(grantId, by) {
      const found = await one(grantId);
      if (found?.accountId !== accountOf(by)) return fail(problem('not-found'));
      await database.pool.query(
        'update break_glass set ended_at = $2 where grant_id = $1 and ended_at is null and until > $2',
        [grantId, clock()],
      );
      const ended = await one(grantId);
      return ended === null ? fail(problem('not-found')) : ok(ended);
    },
    async list(filter, page) {
      const [, due = null, id = null] = /^([0-9TZ:.-]{24})_([0-9a-f-]{36})$/.exec(page.after ?? '') ?? [];
      const found = await cases(
        `select ${COLUMNS} from break_glass b where ${whereOf(filter)} and ($2::text is null or b.account_id = $2)
           and $1::timestamptz is not null
           and ($3::timestamptz is null or (b.due_at, b.grant_id) > ($3, $4::uuid))
         order by b.due_at, b.grant_id limit $5`,
        [clock(), filter.accountId ?? null, due, id, page.limit + 1],
      );
      const items = found.slice(0, page.limit);
      const last = items.at(-1);
      const more = found.length > page.limit && last !== undefined;
      return { items, next: more ? `${last.review.dueAt}_${last.grantId}` : null };
    },
    async review(grantId, verdict, by) {
      if (!isId(grantId)) return fail(problem('not-found'));
      const done = await database.transaction((connection) => review(deps, connection, grantId, verdict, by));
      if (!done.ok) return done;
      const found = await one(grantId);
      return found === null ? fail(problem('not-found')) : ok(found);
    },
    // Not what is being told at this moment by whoever opened it.
    unaudited: (limit) =>
      cases(`select ${COLUMNS} from break_glass b where not b.audited and b.at < $2 order by b.at limit $1`, [
        limit,
        new Date(clock().getTime() - 30_000),
      ]),
    async audited(grantId) {
      await database.pool.query('update break_glass set audited = true where grant_id = $1', [grantId]);
    },
  };
}

const accountOf = (by: Caller): string => by.user?.accountId ?? by.id;

const whereOf = ({ state }: BreakGlassFilter): string =>
  ({
    all: 'true',
    open: 'b.outcome is null',
    overdue: 'b.outcome is null and b.due_at <= $1',
    reviewed: 'b.outcome is not null',
  })[state ?? 'all'];

async function open(
  deps: BreakGlassDeps,
  connection: Connection,
  request: BreakGlassRequest,
  by: Caller,
): Promise<Result<{ readonly grantId: string; readonly isNew: boolean }>> {
  const person = await personToday(connection, request.personId);
  if (person === null) return fail(problem('not-found', 'personId', 'Nobody has this id.'));
  const { personId } = person;
  const now = deps.clock();
  const stands = async (): Promise<string | undefined> =>
    (await grantsOf(connection, accountOf(by), [personId], now.toISOString())).get(personId)?.[0]?.id;
  const standing = await stands();
  if (standing !== undefined) return ok({ grantId: standing, isNew: false });
  const grantId = randomUUID();
  const until = new Date(now.getTime() + request.hours * 3_600_000);
  await connection.query(
    `update break_glass set ended_at = until where account_id = $1 and person_id = $2 and ended_at is null and until <= $3`,
    [accountOf(by), personId, now],
  );
  const { rowCount } = await connection.query(
    `insert into break_glass (grant_id, person_id, account_id, account_name, practitioner_id, institution, reason, note, at,
       until, due_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     on conflict (account_id, person_id) where ended_at is null do nothing`,
    [
      ...[grantId, personId, accountOf(by), by.user?.displayName ?? by.name],
      ...[by.user?.practitionerId ?? null, by.user?.institution ?? null],
      ...[request.reason, (await deps.seal()).close(request.text), now, until, reviewDueAt(now)],
    ],
  );
  // Asked for twice at the same moment: the other call has opened the case, and this one's grant is that.
  if (rowCount !== 1) {
    const other = await stands();
    return other === undefined ? fail(problem('conflict')) : ok({ grantId: other, isNew: false });
  }
  const content = {
    institution: by.user?.institution ?? null,
    by: by.user?.displayName ?? by.name,
    reason: request.reason,
    until: until.toISOString(),
  };
  const notice = { personId, kind: 'break-glass', subject: `break-glass/${grantId}`, content, at: now } as const;
  await writeNotice(connection, deps.notices, notice);
  return ok({ grantId, isNew: true });
}

async function review(
  deps: BreakGlassDeps,
  connection: Connection,
  grantId: string,
  { outcome, note }: ReviewVerdict,
  by: Caller,
): Promise<Result<null>> {
  const { rows } = await connection.query<CaseRow>(
    `select ${COLUMNS} from break_glass b where b.grant_id = $1 for update of b`,
    [grantId],
  );
  const [row] = rows;
  if (row === undefined) return fail(problem('not-found'));
  if (row.outcome !== null) return fail(problem('conflict', undefined, 'This was reviewed before.'));
  if (row.account_id === accountOf(by))
    return fail(problem('conflict', undefined, 'Somebody else than the doctor concerned reviews this.'));
  const now = deps.clock();
  await connection.query(
    'update break_glass set outcome = $2, reviewed_by = $3, reviewed_at = $4, review_note = $5 where grant_id = $1',
    [grantId, outcome, by.id, now, note],
  );
  if (outcome === 'unjustified') {
    // What was no emergency ends where it still goes on.
    await connection.query(
      'update break_glass set ended_at = coalesce(ended_at, least(until, $2)) where grant_id = $1',
      [grantId, now],
    );
    const [accountId, accountName] = [row.account_id, row.account_name];
    const cause = { rule: 'break-glass', accountId, accountName, grantId, by: by.id, note } as const;
    await flagAccount(connection, cause, deps.reactions, now, 'notify');
  }
  await writeNotice(connection, deps.notices, {
    personId: row.person_id,
    kind: 'break-glass-reviewed',
    subject: `break-glass/${grantId}`,
    content: { institution: row.institution, by: row.account_name, reason: outcome, until: null },
    at: now,
  });
  return ok(null);
}

/** Grants of this account over these persons that stand at `at`, by the ids that were asked for. */
export async function grantsOf(
  connection: Connection,
  accountId: string,
  persons: readonly HubId[],
  at: string,
): Promise<ReadonlyMap<HubId, readonly BreakGlassGrant[]>> {
  const { rows } = await connection.query<{ asked: HubId; grant_id: string; until: Date }>({
    name: 'break-glass-standing',
    text: `select n.asked, b.grant_id, ${STANDS} as until from (${SAME_PERSON}) n(asked, name)
      join break_glass b on b.person_id = n.name and b.account_id = $2
      where ${STANDS} > $3 order by ${STANDS} desc`,
    values: [persons, accountId, at],
  });
  const found = new Map<HubId, BreakGlassGrant[]>();
  for (const { asked: person, grant_id: id, until } of rows)
    found.set(person, [...(found.get(person) ?? []), { id, accountId, person, until: until.toISOString() }]);
  return found;
}

/** For the metrics that an operator watches: an overdue review is an alarm. */
export async function breakGlassFigures(database: Database, now: Date): Promise<Readonly<Record<string, number>>> {
  const { rows } = await database.pool.query<Record<string, number>>(
    `select (select count(*) from break_glass b where ${STANDS} > $1)::int as standing,
       (select count(*) from break_glass where outcome is null)::int as open_reviews,
       (select count(*) from break_glass where outcome is null and due_at <= $1)::int as overdue_reviews,
       coalesce((select extract(epoch from $1::timestamptz - min(due_at)) from break_glass where outcome is null and due_at <= $1), 0)::float
         as oldest_overdue_seconds,
       (select count(*) from break_glass where not audited)::int as unaudited,
       (select count(*) from patient_notice where next_at is not null)::int as waiting_notices,
       coalesce((select extract(epoch from $1::timestamptz - min(at)) from patient_notice where next_at is not null), 0)::float
         as oldest_notice_seconds`,
    [now],
  );
  return rows[0] ?? {};
}
