/** Runs over the audit's chain, so that whoever asks, and the alarm, knows when it was last proved and what was found. */
import type { Verification, VerificationLog, VerificationRun } from '../core/audit-anchor.ts';
import type { ChainFinding } from '../core/audit-chain.ts';
import type { Database } from './database.ts';

const LOCK = 4_857_218_028;

interface Row {
  id: string;
  began_at: Date;
  ended_at: Date | null;
  kind: VerificationRun['kind'];
  intact: boolean | null;
  records: string;
  finding_count: string;
  findings: readonly ChainFinding[];
  from_anchor: string | null;
  up_to_anchor: string | null;
  month: string | null;
}

export function createVerificationLog(deps: { database: Database; clock: () => Date }): VerificationLog {
  const { database, clock } = deps;
  return {
    begin: (kind, scope, unlessSince) =>
      database.transaction(async (connection) => {
        await connection.query('select pg_advisory_xact_lock($1)', [LOCK]);
        const { rows } = await connection.query<{ id: string }>(
          `insert into audit_verification (began_at, kind, from_anchor, month)
           select $1, $2, $3, $4::date where not exists (
             select from audit_verification where kind = $2 and began_at >= $5::timestamptz)
           returning id::text`,
          [
            ...[clock(), kind, scope.fromAnchor ?? null],
            ...[scope.month === undefined ? null : `${scope.month}-01`, unlessSince ?? 'infinity'],
          ],
        );
        return rows[0]?.id ?? null;
      }),
    async end(id, outcome: Verification) {
      const { intact, records, findingCount, findings, upToAnchor } = outcome;
      await database.pool.query(
        `update audit_verification set ended_at = $2, intact = $3, records = $4, finding_count = $5, findings = $6,
           up_to_anchor = $7 where id = $1`,
        [id, clock(), intact, records, findingCount, JSON.stringify(findings.slice(0, 100)), upToAnchor],
      );
    },
    async list(limit) {
      const { rows } = await database.pool.query<Row>(
        `select id::text, began_at, ended_at, kind, intact, records::text, finding_count::text, findings,
           from_anchor::text, up_to_anchor::text, to_char(month, 'YYYY-MM') as month
         from audit_verification order by id desc limit $1`,
        [limit],
      );
      return rows.map((row) => ({
        ...{ id: row.id, kind: row.kind, intact: row.intact, findings: row.findings, month: row.month },
        ...{ beganAt: row.began_at.toISOString(), endedAt: row.ended_at?.toISOString() ?? null },
        ...{ records: Number(row.records), findingCount: Number(row.finding_count) },
        fromAnchor: row.from_anchor === null ? null : Number(row.from_anchor),
        upToAnchor: Number(row.up_to_anchor ?? 0),
      }));
    },
  };
}
