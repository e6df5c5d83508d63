/** The review queue: what the hub would not decide alone, why, and what a person decided. */
import type { Caller } from '../core/access.ts';
import type { HubId, SiteId } from '../core/identifier.ts';
import type { Page, ReviewItem, ReviewQueue, ReviewState } from '../core/operation.ts';
import { fail, ok, problem, type Finding, type Problem, type Result } from '../core/problem.ts';
import type { Database } from './database.ts';
import { requeue } from './journal-reader.ts';

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
}

const SELECT = `
select r.*, (select array_agg(distinct p.person_id) from patient_record p where p.record_id = any (r.record_ids)) as person_ids
from review r`;

export function createReviewQueue(deps: { database: Database; arrived: () => void }): ReviewQueue {
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
    async list(filter, page): Promise<Page<ReviewItem>> {
      const values: unknown[] = [];
      const bind = (value: unknown): string => `$${String(values.push(value))}`;
      const conditions = [`r.state = ${bind(filter.state ?? 'open')}`];
      if (filter.kind !== undefined) conditions.push(`r.kind = ${bind(filter.kind)}`);
      if (filter.site !== undefined) conditions.push(`r.site = ${bind(filter.site)}`);
      const after = /^(\d{1,16})-([0-9a-f-]{36})$/.exec(page.after ?? '');
      if (after)
        conditions.push(
          `(date_trunc('milliseconds', r.opened_at), r.id) > (${bind(new Date(Number(after[1])))}, ${bind(after[2])}::uuid)`,
        );
      const result = await database.pool.query<Row>(
        `${SELECT} where ${conditions.join(' and ')} order by date_trunc('milliseconds', r.opened_at), r.id limit ${bind(page.limit + 1)}`,
        values,
      );
      const rows = result.rows.slice(0, page.limit);
      const last = rows.at(-1);
      const more = result.rows.length > page.limit && last !== undefined;
      return { items: rows.map(reviewItem), next: more ? `${String(last.opened_at.getTime())}-${last.id}` : null };
    },
    async retry(reviewId, by) {
      const found = await openItem(reviewId);
      if (!found.ok) return found;
      const { journalId, kind } = found.value;
      if (kind === 'identity' || journalId === null)
        return fail(
          problem(
            'conflict',
            'id',
            'A doubt about identity is judged again by itself whenever one of its registrations changes; correct them at the hospital, or dismiss it.',
          ),
        );
      // A person has looked: what only doubt held back is applied now; what cannot be read comes back here.
      const done = await database.transaction(async (connection) => {
        const back = await requeue(connection, journalId, true);
        if (back) await connection.query('update review set closed_by = $2 where id = $1', [reviewId, by.name]);
        return back;
      });
      if (!done) return fail(problem('conflict', 'id', 'The message is being worked on.'));
      deps.arrived();
      return decided(reviewId);
    },
    async dismiss(reviewId, by: Caller, reason) {
      const found = await openItem(reviewId);
      if (!found.ok) return found;
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
  };
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
  closed:
    row.closed_at === null ? null : { at: row.closed_at.toISOString(), by: row.closed_by ?? 'hub', reason: row.reason },
});
