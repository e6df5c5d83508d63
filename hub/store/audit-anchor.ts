/**
 * Makes anchors: under a lock that one process holds, what the lanes have come to since the anchor before is stated,
 * signed and committed. What was stated is known from the statements alone, not from a mark that somebody could set.
 */
import type { Anchor, AnchorDesk, AnchorKey, AnchorStatement, UnchainedMonth } from '../core/audit-anchor.ts';
import { anchorText, readStatement } from '../core/audit-anchor.ts';
import type { AuditRecord } from '../core/audit.ts';
import { canonical, NO_HASH, type LaneHead } from '../core/audit-chain.ts';
import { asItStands, AUDIT_COLUMNS, type AuditRow } from './audit-row.ts';
import { PLAIN_SEAL, sha256 } from './audit-seal.ts';
import { vaultOf, type Connection, type Database } from './database.ts';

/** Any fixed number. */
const LOCK = 4_857_218_027;
const PAGE = 2_000;

interface HeadRow {
  lane: number;
  month: string;
  seq: string;
  hash: string;
  at: Date;
  genesis: string;
}

const LANE_HEADS = `select lane, to_char(month, 'YYYY-MM') as month, seq::text, encode(hash, 'hex') as hash, at,
  encode(genesis, 'hex') as genesis from audit_lane order by lane`;

export function createAnchorDesk(deps: {
  readonly database: Database;
  readonly clock: () => Date;
  readonly key: AnchorKey;
}): AnchorDesk {
  const { database, clock, key } = deps;
  const stated = new Map<number, number>();
  let last = { number: 0, hash: NO_HASH };

  const after: AnchorDesk['after'] = (number, limit) => anchorsAfter(database.pool, number, limit);

  /** Reads what others stated meanwhile. */
  async function follow(connection: Pick<Connection, 'query'>): Promise<void> {
    for (let page = PAGE; page === PAGE;) {
      const anchors = await anchorsAfter(connection, last.number, PAGE);
      for (const anchor of anchors) {
        for (const { lane, seq } of readStatement(anchor.statement)?.heads ?? []) stated.set(lane, seq);
        last = { number: anchor.number, hash: sha256(anchorText(anchor)) };
      }
      page = anchors.length;
    }
  }

  async function anchor(dropping: readonly string[] = []): Promise<Anchor | null> {
    await follow(database.pool);
    // Once, before the lock: nothing writes outside lanes any more.
    const unchained = last.number === 0 ? await unchainedMonths(database) : [];
    return database.transaction(async (connection) => {
      await connection.query('select pg_advisory_xact_lock($1)', [LOCK]);
      await follow(connection);
      const { rows } = await connection.query<HeadRow>(LANE_HEADS);
      const newest = rows.at(-1);
      const heads = rows.map(headOf).filter(({ lane, seq }) => seq > (stated.get(lane) ?? 0));
      if (heads.length === 0 && dropping.length === 0) return null;
      const number = last.number + 1;
      const dropped = dropping.map((month) => ({ month, records: recordsOf(rows, month) }));
      const statement: AnchorStatement = {
        ...{ format: 'hutong-audit-anchor/1', number, at: clock().toISOString(), previous: last.hash, key: key.id },
        lastLane: { lane: newest?.lane ?? 0, genesis: newest?.genesis ?? NO_HASH },
        heads,
        ...(number === 1 && unchained.length > 0 ? { unchained } : {}),
        ...(dropped.length === 0 ? {} : { dropped }),
      };
      const text = JSON.stringify(statement);
      const made: Anchor = { number, statement: text, signature: key.sign(text) };
      await connection.query(
        'insert into audit_anchor (number, at, statement, signature, dropped) values ($1, $2, $3, $4, $5)',
        [number, statement.at, text, made.signature, dropping.map((month) => `${month}-01`)],
      );
      return made;
    });
  }

  return {
    anchor,
    after,
    async newest() {
      const { rows } = await database.pool.query<{ number: string; at: Date }>(
        'select number::text, at from audit_anchor order by number desc limit 1',
      );
      return rows[0] === undefined ? null : { number: Number(rows[0].number), at: rows[0].at.toISOString() };
    },
    async retain(keepFrom, beforeDrop) {
      const { rows } = await database.pool.query<{ month: string }>(
        `select to_char(due, 'YYYY-MM') as month from audit_due($1::date) due`,
        [keepFrom],
      );
      const due = rows.map(({ month }) => month);
      if (due.length === 0) return [];
      for (const month of due) await beforeDrop?.(month);
      await anchor(due);
      const gone: string[] = [];
      for (const month of due) {
        const { rows: told } = await database.pool.query<{ gone: boolean }>('select audit_drop($1::date) as gone', [
          `${month}-01`,
        ]);
        if (told[0]?.gone === true) gone.push(month);
      }
      return gone;
    },
  };
}

const headOf = ({ lane, month, seq, hash, at }: HeadRow): LaneHead => ({
  ...{ lane, month, seq: Number(seq), hash, at: at.toISOString() },
});

const recordsOf = (rows: readonly HeadRow[], month: string): number =>
  rows.filter((row) => row.month === month).reduce((sum, { seq }) => sum + Number(seq), 0);

async function anchorsAfter(
  connection: Pick<Connection, 'query'>,
  number: number,
  limit: number,
): Promise<readonly Anchor[]> {
  const { rows } = await connection.query<{ number: string; statement: string; signature: string }>(
    'select number::text, statement, signature from audit_anchor where number > $1 order by number limit $2',
    [number, limit],
  );
  return rows.map((row) => ({ ...row, number: Number(row.number) }));
}

/** Records that were there before there was a chain: their digests, so that they stand as they are from now on. */
async function unchainedMonths(database: Database): Promise<readonly UnchainedMonth[]> {
  const months = new Map<string, UnchainedMonth>();
  const { fields } = vaultOf(database.pool);
  for await (const row of recordsOfBefore(database)) addUnchained(months, asItStands(fields, row));
  return [...months.values()];
}

export function addUnchained(months: Map<string, UnchainedMonth>, record: AuditRecord): void {
  const month = record.at.slice(0, 7);
  const { records, digest } = months.get(month) ?? { records: 0, digest: NO_HASH };
  months.set(month, { month, records: records + 1, digest: PLAIN_SEAL.digest(digest, canonical(record, 0, 0)) });
}

async function* recordsOfBefore(database: Database): AsyncGenerator<AuditRow> {
  let place: readonly [Date | string, string] = ['-infinity', '0'];
  for (let count = PAGE; count === PAGE;) {
    const { rows } = await database.pool.query<AuditRow>(
      `select ${AUDIT_COLUMNS} from audit a
       where a.lane is null and (a.at, a.id) > ($1::timestamptz, $2::bigint) order by a.at, a.id limit $3`,
      [...place, PAGE],
    );
    yield* rows;
    count = rows.length;
    const newest = rows.at(-1);
    if (newest !== undefined) place = [newest.at, newest.id];
  }
}
