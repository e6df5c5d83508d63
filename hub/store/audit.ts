/**
 * The audit on PostgreSQL. Records that arrive together share one insert and one commit, and nobody goes on before
 * that commit: what was not recorded was not done (SECURITY L3-AU4).
 */
import type { AuditEvent, AuditTrail, AuditedUser } from '../core/audit.ts';
import type { AuditEntry, AuditReader } from '../core/client.ts';
import { everyName } from './audit-search.ts';
import type { Database } from './database.ts';

const BATCH = 500;
/** How long what nobody waits for gathers: its commits are few beside those of the journal, which share the disk. */
const GATHER_MS = 250;
const MAX_TEXT = 1_000;
const MAX_LIST = 10_000;

/** A stored query may be long; what is cut from its base64 is cut at a whole group. */
const MAX_QUERY = 65_536;

const INSERT = `
insert into audit (at, action, outcome, face, operation, caller_id, caller_name, caller_role, peer, persons, objects,
  reason, on_behalf_of, detail)
select at, action, outcome, face, operation, caller_id, caller_name, caller_role, peer, persons, objects, reason,
  on_behalf_of, detail
from jsonb_to_recordset($1::jsonb) as e(at timestamptz, action text, outcome text, face text, operation text,
  caller_id text, caller_name text, caller_role text, peer text, persons text[], objects text[], reason text,
  on_behalf_of jsonb, detail jsonb)`;
/** The record and its delivery are one statement: neither is there without the other. */
const INSERT_AND_SPOOL = `with written as (${INSERT} returning at, id)
insert into audit_delivery (at, id) select at, id from written`;

interface Waiter {
  readonly at: Date;
  readonly soon: boolean;
  readonly event: AuditEvent;
  resolve(): void;
  reject(error: unknown): void;
}

export interface AuditStore extends AuditTrail, AuditReader {
  /** Resolves when everything that was recorded before is written; for a stop. */
  flush(): Promise<void>;
  /** Makes the partitions of this month and the next; for a start and a daily timer. */
  prepare(): Promise<void>;
  /** Drops whole months older than so many days (at least 180); answers the partitions dropped. */
  retain(days: number): Promise<readonly string[]>;
}

/** NUL cannot stand in PostgreSQL text; a text from outside (a path, an AE title) may carry one, and any length. */
const clean = (text: string, most = MAX_TEXT): string =>
  text.slice(0, most).replaceAll('\u0000', '\uFFFD').toWellFormed();

const rowOf = ({ at, event }: Waiter): object => ({
  at: at.toISOString(),
  action: event.action,
  outcome: event.outcome,
  face: clean(event.face),
  operation: clean(event.operation),
  caller_id: clean(event.callerId),
  caller_name: clean(event.callerName),
  caller_role: clean(event.callerRole),
  peer: clean(event.peer),
  persons: event.persons.slice(0, MAX_LIST).map((text) => clean(text)),
  objects: event.objects.slice(0, MAX_LIST).map((text) => clean(text)),
  reason: event.reason === undefined ? null : clean(event.reason),
  on_behalf_of: event.onBehalfOf === undefined ? null : bounded(event.onBehalfOf),
  detail: event.detail === undefined ? null : bounded(event.detail),
});

function bounded(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return clean(value, key === 'content' ? MAX_QUERY : MAX_TEXT);
  if (Array.isArray(value)) return value.slice(0, MAX_LIST).map((item) => bounded(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, bounded(member, name)]));
}

/** `spool`: each record is also put down for delivery to the repository elsewhere. */
export function createAuditStore(deps: { database: Database; clock: () => Date; spool?: boolean }): AuditStore {
  const { database, clock } = deps;
  const insert =
    deps.spool === true
      ? { name: 'audit-insert-spool', text: INSERT_AND_SPOOL }
      : { name: 'audit-insert', text: INSERT };
  const queue: Waiter[] = [];
  const months = new Set<string>();
  let running = false;
  let gathering: NodeJS.Timeout | undefined;
  let pumped: Promise<void> = Promise.resolve();

  async function month(at: Date): Promise<void> {
    const name = at.toISOString().slice(0, 7);
    if (months.has(name)) return;
    await database.pool.query('select audit_partition($1::date)', [`${name}-01`]);
    months.add(name);
  }

  async function write(batch: readonly Waiter[]): Promise<void> {
    for (const waiter of batch) await month(waiter.at);
    await database.pool.query({ ...insert, values: [JSON.stringify(batch.map(rowOf))] });
  }

  const isDue = (): boolean => queue.length >= BATCH || queue.some(({ soon }) => !soon);

  async function pump(): Promise<void> {
    running = true;
    clearTimeout(gathering);
    gathering = undefined;
    do {
      const batch = queue.splice(0, BATCH);
      try {
        await write(batch);
        for (const waiter of batch) waiter.resolve();
      } catch (error) {
        for (const waiter of batch) waiter.reject(error);
      }
    } while (isDue());
    running = false;
    if (queue.length > 0) gather();
  }

  function gather(): void {
    gathering ??= setTimeout(start, GATHER_MS);
  }

  function start(): void {
    if (!running) pumped = pump();
  }

  return {
    record: (event, when) =>
      new Promise((resolve, reject) => {
        queue.push({ at: clock(), soon: when === 'soon', event, resolve, reject });
        if (running) return;
        if (isDue()) start();
        else gather();
      }),
    async flush() {
      while (running || queue.length > 0) {
        start();
        await pumped;
      }
    },
    list: (filter, page) => listEntries(database, filter, page),
    async prepare() {
      const now = clock();
      await month(now);
      await month(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)));
    },
    async retain(days) {
      const today = clock().toISOString().slice(0, 10);
      const { rows } = await database.pool.query<{ name: string }>(
        'select audit_retention($1::date - $2::int, $1::date) as name',
        [today, days],
      );
      return rows.map(({ name }) => name);
    },
  };
}

interface AuditRow extends Omit<AuditEntry, 'at' | 'callerId' | 'callerName' | 'callerRole' | 'reason' | 'onBehalfOf'> {
  at: Date;
  caller_id: string;
  caller_name: string;
  caller_role: string;
  reason: string | null;
  on_behalf_of: AuditedUser | null;
}

const SELECT = `
select id::text, at, action, outcome, face, operation, caller_id, caller_name, caller_role, peer, persons, objects, reason,
  on_behalf_of
from audit
where ($2::timestamptz is null or at >= $2) and ($3::timestamptz is null or at < $3)
  and ($4::text is null or action = $4) and ($5::text is null or outcome = $5)
  and ($6::text is null or caller_id = $6) and ($7::text[] is null or persons && $7)
  and ($8::text is null or face = $8)
  and ($9::timestamptz is null or (at, id) < ($9, $10::bigint))
order by at desc, id desc limit $1`;

const listEntries: (
  database: Database,
  ...args: Parameters<AuditReader['list']>
) => ReturnType<AuditReader['list']> = async (database, filter, { limit, after }) => {
  // The mark is the place in the order itself; `at` is the hub clock in milliseconds, so no digit of it is lost.
  const mark = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)_(\d{1,19})$/.exec(after ?? '');
  const { rows } = await database.pool.query<AuditRow>(SELECT, [
    limit + 1,
    filter.from ?? null,
    filter.to ?? null,
    filter.action ?? null,
    filter.outcome ?? null,
    filter.callerId ?? null,
    filter.personId === undefined ? null : await everyName(database, [filter.personId]),
    filter.face ?? null,
    mark?.[1] ?? null,
    mark?.[2] ?? null,
  ]);
  const items = rows.slice(0, limit).map((row): AuditEntry => {
    const { at, caller_id: callerId, caller_name: callerName, caller_role: callerRole, reason, ...more } = row;
    const { on_behalf_of: onBehalfOf, ...rest } = more;
    const told = { ...(reason === null ? {} : { reason }), ...(onBehalfOf === null ? {} : { onBehalfOf }) };
    return { ...rest, at: at.toISOString(), callerId, callerName, callerRole, ...told };
  });
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? `${last.at}_${last.id}` : null };
};
