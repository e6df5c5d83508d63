/** The review queue: what the hub would not decide alone, why, and what a person decided. */
import type { Caller } from '../core/access.ts';
import type { HubId, SiteId } from '../core/identifier.ts';
import type {
  Page,
  PageRequest,
  Proposal,
  ReviewFilter,
  ReviewItem,
  ReviewQueue,
  ReviewState,
} from '../core/operation.ts';
import { fail, ok, problem, type Finding, type Problem, type Result } from '../core/problem.ts';
import type { Database } from './database.ts';
import { decideDoubt, forecastReviews, sidesOf } from './doubt-decision.ts';
import type { DeskDeps } from './identity-decision.ts';
import { requeue } from './journal-entry.ts';

interface Row {
  id: HubId;
  kind: ReviewItem['kind'];
  state: ReviewState;
  site: SiteId | null;
  problem: Problem;
  findings: Finding[];
  journal_id: string | null;
  record_ids: HubId[];
  person_ids: HubId[] | null;
  opened_at: Date;
  closed_at: Date | null;
  closed_by: string | null;
  reason: string | null;
  weight: number | null;
  veto: string | null;
  proposal: Proposal | null;
  urgency: number;
}

/** Worked out when it is read: the exam of today may have come after the doubt (ADR 0018). First what mixes two persons now. */
const URGENCY = `
(exists (select from exam e where e.record_id = any (r.record_ids) and not e.cancelled
   and e.performed_at between now() - interval '1 day' and now() + interval '1 day'))::int * 4
+ (exists (select from exam e where e.record_id = any (r.record_ids) and not e.cancelled and e.updated_at > now() - interval '7 days'
   and e.facts @? '$.orders[*].facts.patientClass[1].code ? (@ == "2" || @ == "3" || @ == "E" || @ == "I")'))::int * 2
+ (r.veto is not distinct from 'resident-id-conflict')::int
+ (r.state = 'open' and r.kind = 'identity' and cardinality(r.record_ids) = 2
   and (select count(distinct p.person_id) = 1 from patient_record p where p.record_id = any (r.record_ids)))::int * 8`;

const SELECT = `
select r.*, (select array_agg(distinct p.person_id) from patient_record p where p.record_id = any (r.record_ids)) as person_ids
from (select r.*, ${URGENCY} as urgency from review r) r`;

export function createReviewQueue(deps: DeskDeps & { arrived: () => void }): ReviewQueue {
  const { database } = deps;

  async function item(reviewId: string): Promise<ReviewItem | null> {
    if (!/^[0-9a-f-]{36}$/.test(reviewId)) return null;
    const result = await database.pool.query<Row>(`${SELECT} where r.id = $1`, [reviewId]);
    const row = result.rows[0];
    return row === undefined ? null : reviewItem(row);
  }

  async function decided(reviewId: string): Promise<Result<ReviewItem>> {
    const after = await item(reviewId);
    return after === null ? fail(problem('not-found', 'id')) : ok(after);
  }

  async function openItem(reviewId: string): Promise<Result<ReviewItem>> {
    const found = await item(reviewId);
    if (found === null) return fail(problem('not-found', 'id'));
    return found.state === 'open'
      ? ok(found)
      : fail(problem('conflict', 'id', `This review is ${found.state} already.`));
  }

  return {
    item,
    list: (filter, page) => listReviews(database, filter, page),
    async retry(reviewId, by) {
      const found = await openItem(reviewId);
      if (!found.ok) return found;
      const { journalId, kind } = found.value;
      if (kind === 'identity' || journalId === null)
        return fail(
          problem(
            'conflict',
            'id',
            'A doubt about identity is judged again by itself whenever one of its registrations changes; decide it, correct them at the hospital, or dismiss it.',
          ),
        );
      // A person has looked: what only doubt held back is applied now; what cannot be read comes back here.
      const done = await database.transaction(async (connection) => {
        const back = await requeue(connection, [journalId], { forced: true, again: 'retry' });
        if (back > 0) await connection.query('update review set closed_by = $2 where id = $1', [reviewId, by.name]);
        return back > 0;
      });
      if (!done) return fail(problem('conflict', 'id', 'The message is being worked on.'));
      deps.arrived();
      return decided(reviewId);
    },
    async dismiss(reviewId, by: Caller, reason) {
      const found = await openItem(reviewId);
      if (!found.ok) return found;
      const { kind, records, persons } = found.value;
      if (kind === 'identity' && records.length === 2 && persons.length === 1)
        return fail(problem('conflict', 'id', 'These two are one person now; decide whether they are.'));
      await database.transaction(async (connection) => {
        await connection.query(
          `update review set state = 'dismissed', closed_at = now(), closed_by = $2, reason = $3 where id = $1 and state = 'open'`,
          [reviewId, by.name, reason],
        );
        if (found.value.kind === 'message')
          await connection.query(`update settlement set state = 'refused' where journal_id = $1 and state = 'review'`, [
            found.value.journalId,
          ]);
      });
      return decided(reviewId);
    },
    async sides(reviewId) {
      const found = await item(reviewId);
      return found === null ? null : sidesOf(database.pool, found, deps);
    },
    async decide(reviewId, decision, by) {
      const found = await openItem(reviewId);
      if (!found.ok) return found;
      const done = await decideDoubt(reviewId, decision, by, deps);
      return done.ok ? decided(reviewId) : done;
    },
    forecast: (review) => forecastReviews(database.pool, review, deps),
  };
}

async function listReviews(database: Database, filter: ReviewFilter, page: PageRequest): Promise<Page<ReviewItem>> {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${String(values.push(value))}`;
  const conditions = [`r.state = ${bind(filter.state ?? 'open')}`];
  if (filter.kind !== undefined) conditions.push(`r.kind = ${bind(filter.kind)}`);
  if (filter.site !== undefined) conditions.push(`r.site = ${bind(filter.site)}`);
  const urgent = filter.order === 'urgent';
  const rank = urgent ? '-r.urgency' : 'r.urgency * 0';
  const after = /^(\d{1,2})-(\d{1,16})-([0-9a-f-]{36})$/.exec(page.after ?? '');
  if (after)
    conditions.push(
      `(${rank}, date_trunc('milliseconds', r.opened_at), r.id) > (-${bind(Number(after[1]))}::int, ${bind(new Date(Number(after[2])))}, ${bind(after[3])}::uuid)`,
    );
  const result = await database.pool.query<Row>(
    `${SELECT} where ${conditions.join(' and ')} order by ${rank}, date_trunc('milliseconds', r.opened_at), r.id limit ${bind(page.limit + 1)}`,
    values,
  );
  const rows = result.rows.slice(0, page.limit);
  const last = rows.at(-1);
  const more = result.rows.length > page.limit && last !== undefined;
  const cursor = (row: Row): string =>
    `${String(urgent ? row.urgency : 0)}-${String(row.opened_at.getTime())}-${row.id}`;
  return { items: rows.map(reviewItem), next: more ? cursor(last) : null };
}

const reviewItem = (row: Row): ReviewItem => ({
  reviewId: row.id,
  kind: row.kind,
  state: row.state,
  site: row.site,
  openedAt: row.opened_at.toISOString(),
  problem: row.problem,
  findings: row.findings,
  journalId: row.journal_id,
  records: row.record_ids,
  persons: row.person_ids ?? [],
  weight: row.weight,
  veto: row.veto,
  urgency: row.urgency,
  proposal: row.proposal && shown(row.proposal),
  closed:
    row.closed_at === null ? null : { at: row.closed_at.toISOString(), by: row.closed_by ?? 'hub', reason: row.reason },
});

/** Without who exactly it was: the name is enough for the reader, the id is for the rule of two. */
const shown = ({ decision, by, at, reason }: Proposal): Proposal => ({ decision, by, at, reason });
