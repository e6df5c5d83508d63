/** What operators see of the journal: lists without clinical content, the proved sum, and putting an entry back to work. */
import type { ChannelKind, JournalState } from '../core/envelope.ts';
import type { Derivation, SiteId } from '../core/identifier.ts';
import type { JournalDetail, JournalReader, JournalSummary } from '../core/operation.ts';
import { fail, ok, problem, type Finding, type Problem } from '../core/problem.ts';
import type { Database } from './database.ts';
import { bounded, conditionsOf as where, readSource, requeue } from './journal-entry.ts';

interface Row {
  id: string;
  received_at: Date;
  site: SiteId | null;
  channel: ChannelKind;
  sender: string;
  peer: string;
  control_id: string;
  message_type: string;
  content_type: string;
  size: number;
  state: JournalState;
  attempts: number;
  settled_at: Date | null;
  problem: Problem | null;
  findings: Finding[];
}

const SELECT = `
select j.id, j.received_at, j.site, j.channel, j.sender, j.peer, j.control_id, j.message_type, j.content_type,
  coalesce(j.size, octet_length(j.bytes)) as size, coalesce(s.state, 'received') as state, coalesce(s.attempts, p.attempts, 0) as attempts,
  s.settled_at, s.problem, coalesce(s.findings, '[]') as findings
from journal j
left join settlement s on s.received_at = j.received_at and s.journal_id = j.id
left join pending p on p.journal_id = j.id`;

export function createJournalReader(deps: {
  database: Database;
  derive: Derivation;
  clock: () => Date;
  arrived: () => void;
}): JournalReader {
  const { database } = deps;

  async function row(journalId: string): Promise<Row | null> {
    if (!/^\d{1,14}$/.test(journalId)) return null;
    const result = await database.pool.query<Row>(`${SELECT} where j.id = $1`, [journalId]);
    return result.rows[0] ?? null;
  }

  const detail = (found: Row): JournalDetail => ({
    ...summary(found),
    findings: found.findings,
    reviewId: found.state === 'review' ? deps.derive.id('review', found.id) : null,
  });

  return {
    async list(filter, page) {
      const values: unknown[] = [];
      const bind = (value: unknown): string => `$${String(values.push(value))}`;
      const conditions = where(filter, bind);
      const after = /^(\d{1,16})-(\d{1,14})$/.exec(page.after ?? '');
      if (after) conditions.push(`(j.received_at, j.id) < (${bind(new Date(Number(after[1])))}, ${bind(after[2])})`);
      const rows = await bounded<Row>(
        database,
        `${SELECT} where ${['true', ...conditions].join(' and ')} order by j.received_at desc, j.id desc limit ${bind(page.limit + 1)}`,
        values,
      );
      const items = rows.slice(0, page.limit);
      const last = items.at(-1);
      const more = rows.length > page.limit && last !== undefined;
      return { items: items.map(summary), next: more ? `${String(last.received_at.getTime())}-${last.id}` : null };
    },
    async entry(journalId) {
      const found = await row(journalId);
      return found === null ? null : detail(found);
    },
    source: (journalId) => readSource(database, journalId),
    async counters(filter) {
      const values: unknown[] = [];
      const bind = (value: unknown): string => `$${String(values.push(value))}`;
      const conditions = ['true', ...where(filter, bind)].join(' and ');
      // One statement is one snapshot: the sum holds at every moment, also while messages arrive.
      const result = await database.pool.query<
        Record<'received' | 'applied' | 'refused' | 'review' | 'pending', number>
      >(
        `select count(*)::int as received,
           count(*) filter (where s.state = 'applied')::int as applied,
           count(*) filter (where s.state = 'refused')::int as refused,
           count(*) filter (where s.state = 'review')::int as review,
           count(*) filter (where s.state is null and p.journal_id is not null)::int as pending
         from journal j left join settlement s on s.received_at = j.received_at and s.journal_id = j.id
         left join pending p on p.journal_id = j.id where ${conditions}`,
        values,
      );
      return result.rows[0] ?? { received: 0, applied: 0, refused: 0, review: 0, pending: 0 };
    },
    async retry(journalId) {
      const found = await row(journalId);
      if (found === null) return fail(problem('not-found', 'id'));
      if (found.state !== 'review')
        return fail(problem('conflict', 'id', 'Only an entry in review can be put back to work.'));
      const back = await database.transaction((connection) =>
        requeue(connection, [journalId], { forced: false, again: 'retry' }),
      );
      if (back === 0) return fail(problem('conflict', 'id', 'The entry is being worked on.'));
      deps.arrived();
      const again = await row(journalId);
      return again === null ? fail(problem('not-found', 'id')) : ok(detail(again));
    },
  };
}

const summary = (row: Row): JournalSummary => ({
  journalId: row.id,
  channel: row.channel,
  site: row.site,
  sender: row.sender,
  peer: row.peer,
  controlId: row.control_id,
  messageType: row.message_type,
  contentType: row.content_type,
  size: row.size,
  receivedAt: row.received_at.toISOString(),
  state: row.state,
  attempts: row.attempts,
  decidedAt: row.settled_at?.toISOString() ?? null,
  problem: row.problem,
  findingCount: row.findings.length,
});
