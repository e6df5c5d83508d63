/**
 * Writes records into chains. A writer has a lane of its own in each month, and is alone in it: it knows its newest hash
 * without asking, and many processes write at once without waiting for each other. Its head goes on in the statement that
 * writes the records, so neither is there without the other.
 */
import type { AuditEvent, AuditRecord } from '../core/audit.ts';
import { canonical, genesisText, NO_HASH, type AuditLane } from '../core/audit-chain.ts';
import { PLAIN_SEAL, type AuditSeal } from './audit-seal.ts';
import { sealDetail } from './audit-row.ts';
import { vaultOf, type Connection, type Database } from './database.ts';

/** Ids are drawn ahead, since an id is part of what is hashed: as many as the sequence goes on by (migration 0026). */
const IDS = 500;
const DRAW = { name: 'audit-ids', text: `select nextval('audit_id_seq')::text as id` };
/** A clock that is set back by less than this is waited out; by more, and the writer takes another lane. */
const STEP_MS = 2_000;
/** Any fixed number: lanes are opened one after the other. */
const LOCK = 4_857_218_026;

const HEAD = `with head as (
  update audit_lane set seq = $3, hash = decode($4, 'hex'), at = $5 where lane = $1 and seq = $2 returning lane
)`;
const RECORDS = `insert into audit (id, at, action, outcome, face, operation, caller_id, caller_name, caller_role, peer,
    persons, objects, reason, on_behalf_of, detail, purpose, basis, institution, session, agent, lane, seq, hash)
  select e.id, e.at, e.action, e.outcome, e.face, e.operation, e.caller_id, e.caller_name, e.caller_role, e.peer, e.persons,
    e.objects, e.reason, e.on_behalf_of, e.detail, e.purpose, e.basis, e.institution, e.session, e.agent, head.lane, e.seq,
    decode(e.hash, 'hex')
  from head, jsonb_to_recordset($6::jsonb) as e(id bigint, at timestamptz, action text, outcome text, face text,
    operation text, caller_id text, caller_name text, caller_role text, peer text, persons text[], objects text[],
    reason text, on_behalf_of jsonb, detail jsonb, purpose text, basis text, institution text, session text, agent text,
    seq bigint, hash text)`;
const PLAIN = `${HEAD} ${RECORDS}`;
/** The record and its delivery to a repository elsewhere are one statement, too. */
const SPOOLED = `${HEAD}, written as (${RECORDS} returning at, id)
insert into audit_delivery (at, id) select at, id from written`;

interface Open {
  readonly lane: number;
  seq: number;
  hash: string;
  /** Milliseconds. */
  at: number;
}

export interface Draft {
  readonly at: Date;
  /** Bounded, as it is kept. */
  readonly event: AuditEvent;
}

export interface LaneDeps {
  readonly database: Database;
  readonly seal?: AuditSeal;
  /** Whose lane it is, for who reads the table. */
  readonly process?: string;
  readonly spool?: boolean;
}

export interface LaneWriter {
  /** Writes records of one month in one statement; where it rejects, none of them is sure to be there. */
  append(drafts: readonly Draft[]): Promise<void>;
}

export const monthOf = (at: Date): string => at.toISOString().slice(0, 7);

export function createLaneWriter(deps: LaneDeps): LaneWriter {
  const { database, seal = PLAIN_SEAL } = deps;
  const statement =
    deps.spool === true ? { name: 'audit-insert-spool', text: SPOOLED } : { name: 'audit-insert', text: PLAIN };
  const lanes = new Map<string, Open>();
  let block = { next: 0n, left: 0 };
  let left: Open | null = null;

  async function take(count: number): Promise<readonly string[]> {
    const ids: string[] = [];
    while (ids.length < count) {
      if (block.left === 0) {
        const { rows } = await database.pool.query<{ id: string }>(DRAW);
        block = { next: BigInt(rows[0]?.id ?? 0), left: IDS };
      }
      ids.push(String(block.next));
      block = { next: block.next + 1n, left: block.left - 1 };
    }
    return ids;
  }

  async function laneAt(at: Date): Promise<Open> {
    const month = monthOf(at);
    const open = lanes.get(month);
    if (open !== undefined && at.getTime() >= open.at - STEP_MS) return open;
    const before = open ?? left;
    const follows = before === null || before.seq === 0 ? null : [before.lane, before.seq, before.hash].join(':');
    const opened = await database.transaction((connection) =>
      openLane(connection, { month, process: deps.process ?? 'hub', fromAt: at.toISOString(), follows, seal }),
    );
    lanes.set(month, opened);
    return opened;
  }

  async function write(lane: Open, drafts: readonly Draft[]): Promise<boolean> {
    const taken = await take(drafts.length);
    const { fields } = vaultOf(database.pool);
    const next: Open = { ...lane };
    const rows = drafts.map(({ at, event }, n) => {
      next.seq += 1;
      next.at = Math.max(next.at, at.getTime());
      const record: AuditRecord = { ...event, id: taken[n] ?? '', at: new Date(next.at).toISOString() };
      next.hash = seal.digest(next.hash, canonical(record, lane.lane, next.seq));
      return rowOf({ ...record, detail: sealDetail(fields, record) }, next);
    });
    const head = [lane.lane, lane.seq, next.seq, next.hash, new Date(next.at)];
    const { rowCount } = await database.pool.query({
      ...statement,
      values: [...head, JSON.stringify(rows)],
    });
    if (rowCount !== drafts.length) return false;
    Object.assign(lane, next);
    return true;
  }

  function leave(month: string): void {
    left = lanes.get(month) ?? left;
    lanes.delete(month);
  }

  return {
    async append(drafts) {
      const [first] = drafts;
      if (first === undefined) return;
      const month = monthOf(first.at);
      try {
        if (await write(await laneAt(first.at), drafts)) return;
        // The lane is not where this writer left it (a database set back): nothing was written, another lane is taken,
        // which says where it was.
        leave(month);
        if (await write(await laneAt(first.at), drafts)) return;
        throw new Error('a lane of the audit did not go on');
      } catch (error) {
        // It may have been written or not: no record is chained to what is not known.
        leave(month);
        throw error;
      }
    },
  };
}

/** Under the names of the columns; what is undefined is left out, and null there. */
const rowOf = (
  record: Omit<AuditRecord, 'detail'> & { readonly detail: object | undefined },
  { seq, hash }: Open,
): object => ({
  id: record.id,
  at: record.at,
  action: record.action,
  outcome: record.outcome,
  face: record.face,
  operation: record.operation,
  caller_id: record.callerId,
  caller_name: record.callerName,
  caller_role: record.callerRole,
  peer: record.peer,
  persons: record.persons,
  objects: record.objects,
  reason: record.reason,
  on_behalf_of: record.onBehalfOf,
  detail: record.detail,
  purpose: record.purpose,
  basis: record.basis,
  institution: record.institution,
  session: record.session,
  agent: record.agent,
  seq,
  hash,
});

interface Opening extends Pick<AuditLane, 'month' | 'process' | 'fromAt' | 'follows'> {
  readonly seal: AuditSeal;
}

async function openLane(connection: Connection, opening: Opening): Promise<Open> {
  const { month, process, fromAt, follows, seal } = opening;
  await connection.query('select audit_partition($1::date)', [`${month}-01`]);
  await connection.query('select pg_advisory_xact_lock($1)', [LOCK]);
  const { rows } = await connection.query<{ lane: number; genesis: string }>(
    `select lane, encode(genesis, 'hex') as genesis from audit_lane order by lane desc limit 1`,
  );
  const { lane: newest = 0, genesis: before = NO_HASH } = rows[0] ?? {};
  const made = { lane: newest + 1, month, process, fromAt, algorithm: seal.algorithm, keyId: seal.keyId, follows };
  const genesis = seal.digest(before, genesisText(made));
  await connection.query(
    `insert into audit_lane (lane, month, process, from_at, algorithm, key_id, genesis, hash, at, follows)
     values ($1, $2, $3, $4, $5, $6, decode($7, 'hex'), decode($7, 'hex'), $4, $8)`,
    [made.lane, `${month}-01`, process, fromAt, made.algorithm, made.keyId, genesis, follows],
  );
  return { lane: made.lane, seq: 0, hash: genesis, at: Date.parse(fromAt) };
}
