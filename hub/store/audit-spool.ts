/**
 * Audit records that a repository elsewhere has still to get. They are taken oldest first under a lock that one process
 * holds, and go from the table in the transaction in which the sender said that they arrived: a process that dies in
 * between leaves them for the next.
 */
import type { AuditSpool } from '../core/audit.ts';
import { AUDIT_COLUMNS, toRecord, type AuditRow } from './audit-row.ts';
import { vaultOf, type Database } from './database.ts';

/** Any fixed number; one process at a time delivers, so that the order holds. */
const LOCK = 4_857_218_007;
/** More than this is said as this: a figure on a page must not cost a scan of everything. */
const COUNTED = 1_000_000;

const NEXT = `
with due as (select at, id from audit_delivery order by at, id limit $1)
select d.at as due_at, d.id::text as due_id, ${AUDIT_COLUMNS}
from due d left join audit a on a.at = d.at and a.id = d.id order by d.at, d.id`;

const FORGET = `
delete from audit_delivery d using unnest($1::timestamptz[], $2::bigint[]) as sent(at, id)
where d.at = sent.at and d.id = sent.id`;

type DueRow = { due_at: Date; due_id: string } & (AuditRow | { id: null });

export function createAuditSpool(deps: { database: Database; clock: () => Date }): AuditSpool {
  const { database, clock } = deps;
  return {
    deliver: (limit, send) =>
      database.transaction(async (connection) => {
        const { rows: locked } = await connection.query<{ mine: boolean }>(
          'select pg_try_advisory_xact_lock($1) as mine',
          [LOCK],
        );
        if (locked[0]?.mine !== true) return 0;
        const { rows } = await connection.query<DueRow>(NEXT, [limit]);
        if (rows.length === 0) return 0;
        // A month past retention took its records along: there is nothing left to send of those.
        const records = rows.flatMap((row) => {
          if (row.id === null) return [];
          const { due_at: _at, due_id: _id, ...record } = row;
          return [toRecord(vaultOf(connection).fields, record)];
        });
        if (records.length > 0) await send(records);
        await connection.query(FORGET, [rows.map((row) => row.due_at), rows.map((row) => row.due_id)]);
        return rows.length;
      }),
    async backlog() {
      const { rows } = await database.pool.query<{ records: number; oldest: Date | null }>(
        `select count(*)::int as records, (select min(at) from audit_delivery) as oldest
         from (select from audit_delivery limit ${String(COUNTED)}) d`,
      );
      const { records = 0, oldest = null } = rows[0] ?? {};
      const age = oldest === null ? 0 : (clock().getTime() - oldest.getTime()) / 1_000;
      return { records, oldestSeconds: Math.max(0, age) };
    },
  };
}
