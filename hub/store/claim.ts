/**
 * Takes what waits in the journal, one site's patient at a time, and ends it: applied, refused or in review. The oldest
 * waiting row of a work key is the key's lock, so nobody else works on that patient meanwhile and nobody else waits.
 */
import { codeKey } from '../core/code-mapping.ts';
import type { HubId } from '../core/identifier.ts';
import type { ClaimedEntry, Settlement } from '../core/ingest.ts';
import type { Finding } from '../core/problem.ts';
import { SealBroken, type Sealer } from '../core/sealing.ts';
import { vaultOf, type Connection } from './database.ts';
import { bytesOf } from './journal-entry.ts';

interface EntryRow {
  journal_id: string;
  work_key: string;
  received_at: Date;
  attempts: number;
  forced: boolean;
  again: ClaimedEntry['again'];
  site: ClaimedEntry['site'];
  channel: ClaimedEntry['channel'];
  sender: string;
  peer: string;
  control_id: string;
  message_type: string;
  content_type: string;
  patient_key: string;
  digest: Buffer;
  bytes: Buffer;
  object: string | null;
  answer: Buffer;
}

/** Heads of keys, oldest first: many that never failed in one batch, or one that did, alone. */
const HEADS = `
select p.journal_id, p.work_key, p.attempts from pending p
where p.next_try_at <= $1 and (p.attempts = 0) = $2
  and not exists (select from pending q where q.work_key = p.work_key and q.journal_id < p.journal_id)
order by p.journal_id limit $3
for update skip locked`;

const ENTRIES = `
select p.journal_id, p.work_key, p.received_at, p.attempts, p.forced, p.again, j.site, j.channel, j.sender, j.peer, j.control_id,
  j.message_type, j.content_type, j.patient_key, j.digest, j.bytes, j.object, j.answer
from (select * from pending where work_key = any ($1::text[]) order by journal_id limit $2) p
join journal j on j.received_at = p.received_at and j.id = p.journal_id
order by p.journal_id`;

/** The same of entries that do not wait: what trying them anew begins from. */
const DECIDED = `
select j.id as journal_id, '' as work_key, j.received_at, 0 as attempts, false as forced,
  case when s.state = 'applied' then 'replay' else 'retry' end as again, j.site, j.channel, j.sender, j.peer, j.control_id,
  j.message_type, j.content_type, j.patient_key, j.digest, j.bytes, j.object, j.answer
from journal j left join settlement s on s.received_at = j.received_at and s.journal_id = j.id
where j.id = any ($1::bigint[]) order by j.id`;

export async function readEntries(connection: Connection, journalIds: readonly string[]): Promise<ClaimedEntry[]> {
  const { rows } = await connection.query<EntryRow>({ name: 'decided-entries', text: DECIDED, values: [journalIds] });
  return rows.map((row) => claimed(row, vaultOf(connection).fields));
}

const KEYS_AT_ONCE = 48;

/** Looks at an entry whose data key is not here, ten seconds apart: a key service may be away for as long. */
const KEY_ATTEMPTS = 360;

interface Head {
  readonly journal_id: string;
  readonly work_key: string;
  readonly attempts: number;
}

interface Claimed {
  readonly entries: readonly ClaimedEntry[];
  /** Whose bytes do not open: somebody looks at them, and they hold up nobody. */
  readonly broken: readonly ClaimedEntry[];
  /** Sealed by a data key that this process has not read yet: they wait, and what their patients sent after them. */
  readonly unread: readonly ClaimedEntry[];
}

/**
 * The waiting entries of the oldest workable keys in order of arrival, at most `limit`: one transaction for many patients
 * costs little more than for one. A key whose head failed before is claimed alone, and of it only the head.
 */
export async function claimEntries(connection: Connection, now: Date, limit: number): Promise<Claimed> {
  const heads = async (fresh: boolean, most: number): Promise<Head[]> => {
    const result = await connection.query<Head>({ name: 'claim-heads', text: HEADS, values: [now, fresh, most] });
    return result.rows;
  };
  const fresh = await heads(true, KEYS_AT_ONCE);
  const taken = fresh.length > 0 ? fresh : await heads(false, 1);
  if (taken.length === 0) return { entries: [], broken: [], unread: [] };
  const rows = await connection.query<EntryRow>({
    name: 'claim-entries',
    text: ENTRIES,
    values: [taken.map((head) => head.work_key), fresh.length > 0 ? limit : 1],
  });
  return opened(rows.rows, vaultOf(connection).fields);
}

function opened(rows: readonly EntryRow[], fields: Sealer): Claimed {
  const [entries, broken, unread]: [ClaimedEntry[], ClaimedEntry[], ClaimedEntry[]] = [[], [], []];
  const waiting = new Set<string>();
  for (const row of rows) {
    if (waiting.has(row.work_key)) continue;
    try {
      entries.push(claimed(row, fields));
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      const isUnread = error.why === 'key' && row.attempts < KEY_ATTEMPTS;
      (isUnread ? unread : broken).push({ ...entryOf(row), bytes: Buffer.alloc(0) });
      if (isUnread) waiting.add(row.work_key);
    }
  }
  return { entries, broken, unread };
}

const claimed = (row: EntryRow, fields: Sealer): ClaimedEntry => ({ ...entryOf(row), bytes: bytesOf(fields, row) });

function entryOf(row: EntryRow): Omit<ClaimedEntry, 'bytes'> {
  const base = {
    journalId: row.journal_id,
    receivedAt: row.received_at.toISOString(),
    state: 'received' as const,
    attempts: row.attempts,
    forced: row.forced,
    again: row.again,
    site: row.site,
    channel: row.channel,
    sender: row.sender,
    peer: row.peer,
    controlId: row.control_id,
    messageType: row.message_type,
    contentType: row.content_type,
    patientKey: row.patient_key,
    digestHex: row.digest.toString('hex'),
    answer: row.answer,
  };
  return row.object === null ? base : { ...base, object: row.object };
}

const unmappedRow = ({ where, unmapped }: Finding): object[] =>
  unmapped === undefined
    ? []
    : [
        {
          code_table: unmapped.table,
          key: codeKey(unmapped.code),
          code: unmapped.code,
          display: unmapped.display ?? '',
          field: where,
        },
      ];

/** Ends entries in the caller's transaction; those for review open one review each under `reviewId`. */
export async function settle(
  connection: Connection,
  settled: readonly Settlement[],
  now: Date,
  reviewId: (journalId: string) => HubId,
): Promise<void> {
  if (settled.length === 0) return;
  const rows = settled.map((one) => ({
    received_at: one.entry.receivedAt,
    journal_id: one.entry.journalId,
    site: one.entry.site,
    channel: one.entry.channel,
    state: one.state,
    attempts: one.entry.attempts + 1,
    problem: one.problem ?? null,
    findings: one.findings,
    review: one.state === 'review' ? reviewId(one.entry.journalId) : null,
    mappings: one.mappings === undefined || one.mappings.length === 0 ? null : one.mappings,
    again: one.entry.again,
    unmapped: one.findings.flatMap(unmappedRow),
  }));
  await connection.query({
    name: 'settle',
    text: `with input as (
        select * from jsonb_to_recordset($1::jsonb) as r(received_at timestamptz, journal_id bigint, site text, channel text,
          state text, attempts int, problem jsonb, findings jsonb, review uuid, mappings bigint[], again text, unmapped jsonb)),
      gone as (delete from pending where journal_id in (select journal_id from input)),
      opened as (
        insert into review (id, kind, site, problem, findings, journal_id, opened_at)
        select review, 'message', site, problem, findings, journal_id, $2 from input where review is not null
        on conflict (id) do update set state = 'open', problem = excluded.problem, findings = excluded.findings,
          opened_at = excluded.opened_at, closed_at = null, closed_by = null, reason = null),
      closed as (
        update review set state = 'resolved', closed_at = $2, closed_by = 'hub', reason = 'applied'
        where kind = 'message' and state = 'retried'
          and journal_id in (select journal_id from input where state = 'applied')),
      tallied as (
        insert into intake_tally (hour, site, channel, state, cause, bucket, entries, last_at)
        select date_trunc('hour', received_at, 'UTC'), coalesce(site, ''), channel, state, coalesce(problem ->> 'code', ''),
          latency_bucket($2::timestamptz - received_at), count(*), max(received_at)
        from input where again is null group by 1, 2, 3, 4, 5, 6),
      unmapped as (
        insert into unmapped_code (site, code_table, key, code, display, field, channel, seen, first_seen_at, last_seen_at,
          last_journal_id)
        select site, u.code_table, u.key, max(u.code), max(u.display), max(u.field), max(channel), count(*),
          min(received_at), max(received_at), max(journal_id)
        from input, jsonb_to_recordset(unmapped) as u(code_table text, key text, code text, display text, field text)
        where site is not null group by 1, 2, 3 order by 1, 2, 3
        on conflict (site, code_table, key) do update set code = excluded.code, field = excluded.field,
          display = coalesce(nullif(excluded.display, ''), unmapped_code.display), channel = excluded.channel,
          seen = unmapped_code.seen + excluded.seen,
          last_seen_at = greatest(unmapped_code.last_seen_at, excluded.last_seen_at),
          last_journal_id = greatest(unmapped_code.last_journal_id, excluded.last_journal_id))
      insert into settlement (received_at, journal_id, site, channel, state, attempts, problem, findings, settled_at, mappings)
      select received_at, journal_id, site, channel, state, attempts, problem, findings, $2, mappings from input`,
    values: [JSON.stringify(rows), now],
  });
}

/** After a failed batch: the head of each key waits `delayMs` and is then tried alone. Only their own keys wait with them. */
export async function postpone(
  connection: Connection,
  entries: readonly ClaimedEntry[],
  now: Date,
  delayMs: number,
): Promise<void> {
  await connection.query(
    `update pending p set attempts = attempts + 1, next_try_at = $2
     where p.journal_id = any ($1::bigint[])
       and not exists (select from pending q where q.work_key = p.work_key and q.journal_id < p.journal_id)`,
    [entries.map((entry) => entry.journalId), new Date(now.getTime() + delayMs)],
  );
}
