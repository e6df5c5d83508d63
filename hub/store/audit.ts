/**
 * The audit on PostgreSQL. Records that arrive together share one insert and one commit, and nobody goes on before
 * that commit: what was not recorded was not done (SECURITY L3-AU4).
 */
import { isEmergencyAccess, type AuditEvent, type AuditTrail } from '../core/audit.ts';
import type { AuditEntry, AuditReader } from '../core/client.ts';
import { everyName } from './audit-search.ts';
import { createLaneWriter, monthOf, type LaneDeps } from './audit-lane.ts';
import type { AuditReserve } from './audit-reserve.ts';
import { AUDIT_COLUMNS, toRecord, type AuditRow } from './audit-row.ts';
import { vaultOf, type Database } from './database.ts';

const BATCH = 500;
/** How long what nobody waits for gathers: its commits are few beside those of the journal, which share the disk. */
const GATHER_MS = 250;
const MAX_TEXT = 1_000;
const MAX_LIST = 10_000;

/** A stored query may be long; what is cut from its base64 is cut at a whole group. */
const MAX_QUERY = 65_536;

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
  /** Since the start: records written, refused for want of writing, and put down elsewhere; and how many wait there. */
  counts(): Readonly<Record<'written' | 'failed' | 'reserved' | 'waiting', number>>;
}

/** NUL cannot stand in PostgreSQL text; a text from outside (a path, an AE title) may carry one, and any length. */
const clean = (text: string, most = MAX_TEXT): string =>
  (text.length > most ? text.slice(0, most) : text).replaceAll('\u0000', '\uFFFD').toWellFormed();

/** The event as it is kept: every text and list from outside is bounded, and nothing is there that is not told. */
const kept = (event: AuditEvent): AuditEvent => bounded(event) as AuditEvent;

function bounded(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return clean(value, key === 'content' ? MAX_QUERY : MAX_TEXT);
  if (Array.isArray(value)) return value.slice(0, MAX_LIST).map((item) => bounded(item));
  if (typeof value !== 'object' || value === null) return value;
  const members: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) members[name] = bounded(member, name);
  return members;
}

interface AuditStoreDeps extends LaneDeps {
  readonly clock: () => Date;
  /** For access in an emergency while the audit cannot be written; absent: nobody is let on unrecorded. */
  readonly reserve?: AuditReserve | null;
}

/** `spool`: each record is also put down for delivery to the repository elsewhere. */
export function createAuditStore(deps: AuditStoreDeps): AuditStore {
  const { database, clock, reserve = null } = deps;
  const counts = { written: 0, failed: 0, reserved: 0 };
  const lanes = createLaneWriter(deps);
  // What was done a while ago has lanes of its own, which keep its times.
  const late = createLaneWriter(deps);
  const queue: Waiter[] = [];
  let running = false;
  let gathering: NodeJS.Timeout | undefined;
  let pumped: Promise<void> = Promise.resolve();

  /** Records of two months are two lanes; those of one moment before midnight and after it may come together. */
  async function write(batch: readonly Waiter[]): Promise<void> {
    const months = new Set(batch.map(({ at }) => monthOf(at)));
    for (const month of months) {
      const own = months.size === 1 ? batch : batch.filter(({ at }) => monthOf(at) === month);
      try {
        await lanes.append(own);
        counts.written += own.length;
        for (const waiter of own) waiter.resolve();
        // What waits in the reserve goes first chance; where that fails it waits on, and its doctor has long gone on.
        if (reserve !== null && reserve.waiting() > 0) await reserve.drain(database, late).catch(() => undefined);
      } catch (error) {
        await Promise.all(own.map((waiter) => unwritten(waiter, error)));
      }
    }
  }

  /** No act without its record; but a doctor in an emergency is not stopped where it can be written elsewhere. */
  async function unwritten(waiter: Waiter, error: unknown): Promise<void> {
    const { at, event } = waiter;
    const saved = reserve !== null && isEmergencyAccess(event) && (await reserve.put(at, event).catch(() => false));
    counts[saved ? 'reserved' : 'failed'] += 1;
    if (saved) waiter.resolve();
    else waiter.reject(error);
  }

  const isDue = (): boolean => queue.length >= BATCH || queue.some(({ soon }) => !soon);

  async function pump(): Promise<void> {
    running = true;
    clearTimeout(gathering);
    gathering = undefined;
    do {
      await write(queue.splice(0, BATCH));
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
        queue.push({ at: clock(), soon: when === 'soon', event: kept(event), resolve, reject });
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
    counts: () => ({ ...counts, waiting: reserve?.waiting() ?? 0 }),
    list: (filter, page) => listEntries(database, filter, page),
    async prepare() {
      const now = clock();
      for (const months of [0, 1])
        await database.pool.query('select audit_partition($1::date)', [
          new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1)).toISOString().slice(0, 10),
        ]);
    },
  };
}

const SELECT = `
select ${AUDIT_COLUMNS}
from audit a
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
  const mark = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)_(\d{1,14})$/.exec(after ?? '');
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
    const { detail: _detail, ...entry } = toRecord(vaultOf(database.pool).fields, row);
    return entry;
  });
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? `${last.at}_${last.id}` : null };
};
