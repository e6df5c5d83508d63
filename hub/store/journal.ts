/**
 * The journal on PostgreSQL: implements `Intake`. Envelopes that arrive together are written by one statement and one
 * commit (group commit), and nobody hears "accepted" before that commit has returned.
 */
import { createHash } from 'node:crypto';
import type { Envelope, Intake, Receipt } from '../core/envelope.ts';
import type { Log } from '../core/ports.ts';
import { problem, type Problem } from '../core/problem.ts';
import type { Database } from './database.ts';

const BATCH_ENTRIES = 256;
const BATCH_BYTES = 32 * 1024 * 1024;

/**
 * $1..$15 are arrays of equal length; one round trip, one commit. The first of equal keys in a batch wins. Images linger a
 * moment, so that a series is filed in a few batches and not instance by instance.
 */
const ACCEPT = `
with input as (
  select * from unnest($1::int[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::bytea[], $12::bytea[], $13::text[], $14::bytea[], $15::text[])
    as t(n, key, site, channel, sender, peer, control_id, message_type, content_type, patient_key, digest, bytes, object,
      answer, work_key)),
first as (select distinct on (key) * from input order by key, n),
fresh as (
  insert into journal_key (key, digest, journal_id, received_at)
  select key, digest, nextval('journal_id_seq'), $16 from first order by n
  on conflict do nothing returning key, journal_id),
written as (
  insert into journal (id, received_at, site, channel, sender, peer, control_id, message_type, content_type, patient_key,
    digest, bytes, object, answer)
  select fresh.journal_id, $16, site, channel, sender, peer, control_id, message_type, content_type, patient_key,
    digest, bytes, object, answer
  from fresh join first using (key)),
waiting as (
  insert into pending (journal_id, received_at, work_key, next_try_at)
  select fresh.journal_id, $16, coalesce(nullif(work_key, ''), 'entry|' || fresh.journal_id),
    case when channel in ('dicom', 'dicomweb') then $16 + interval '400 milliseconds' else '-infinity' end
  from fresh join first using (key))
select first.n, fresh.journal_id from fresh join first using (key)`;

const REFUSE = `
with entry as (
  insert into journal (id, received_at, site, channel, sender, peer, control_id, message_type, content_type, patient_key,
    digest, bytes, object, answer)
  values (nextval('journal_id_seq'), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
  returning id)
insert into settlement (received_at, journal_id, site, channel, state, attempts, problem, settled_at)
select $1, id, $2, $3, 'refused', 1, $14, $1 from entry returning journal_id`;

interface Waiter {
  readonly envelope: Envelope;
  readonly digest: Buffer;
  readonly key: Buffer;
  resolve(receipt: Receipt): void;
  reject(error: unknown): void;
}

export interface Journal extends Intake {
  /** Resolves when everything handed in so far is written. */
  drained(): Promise<void>;
}

/** `arrived` is called after each commit that left something to apply; it must not throw. */
export function createJournal(deps: { database: Database; clock: () => Date; log: Log; arrived: () => void }): Journal {
  const { database, clock, log } = deps;
  const queue: Waiter[] = [];
  let running: Promise<void> | null = null;

  async function writeBatch(batch: readonly Waiter[]): Promise<void> {
    const now = clock();
    const result = await database.pool.query<{ n: number; journal_id: string }>({
      name: 'journal-accept',
      text: ACCEPT,
      values: [...columns(batch), now],
    });
    const fresh = new Map(result.rows.map((row) => [row.n, row.journal_id]));
    if (fresh.size > 0) deps.arrived();
    const repeats: Waiter[] = [];
    batch.forEach((waiter, n) => {
      const journalId = fresh.get(n);
      if (journalId === undefined) repeats.push(waiter);
      else waiter.resolve({ kind: 'accepted', journalId });
    });
    for (const waiter of repeats) await answerRepeat(waiter);
  }

  /** The control id was seen before: the first answer again when the bytes are the same, else refused and kept. */
  async function answerRepeat(waiter: Waiter): Promise<void> {
    const first = await database.pool.query<{ id: string; digest: Buffer; answer: Buffer | null }>(
      `select k.journal_id as id, k.digest, j.answer from journal_key k
       left join journal j on j.received_at = k.received_at and j.id = k.journal_id where k.key = $1`,
      [waiter.key],
    );
    const row = first.rows[0];
    if (row === undefined) {
      // Retention removed the key between the two statements: take it as new.
      queue.push(waiter);
      return;
    }
    if (row.digest.equals(waiter.digest)) {
      waiter.resolve({
        kind: 'duplicate',
        journalId: row.id,
        answer: row.answer ?? Buffer.from(waiter.envelope.answer),
      });
      return;
    }
    const reused = problem('control-id-reused');
    const kept = await refuse(waiter.envelope, reused);
    waiter.resolve({ kind: 'conflict', journalId: kept.journalId, problem: reused });
  }

  async function pump(): Promise<void> {
    while (queue.length > 0) {
      const batch = takeBatch(queue);
      try {
        await writeBatch(batch);
      } catch (error) {
        if (batch.length === 1) {
          batch[0]?.reject(error);
          continue;
        }
        // One bad envelope must not fail its neighbours: each on its own.
        log.warn({ entries: batch.length, code: errorCode(error) }, 'journal batch failed, writing one by one');
        for (const waiter of batch) await writeBatch([waiter]).catch((reason: unknown) => waiter.reject(reason));
      }
    }
    running = null;
  }

  async function refuse(envelope: Envelope, reason: Problem): Promise<{ journalId: string }> {
    const now = clock();
    const e = cleaned(envelope);
    const result = await database.pool.query<{ journal_id: string }>(REFUSE, [
      now,
      e.site,
      e.channel,
      e.sender,
      e.peer,
      e.controlId,
      e.messageType,
      e.contentType,
      e.patientKey,
      digestOf(e),
      e.bytes,
      e.object ?? null,
      e.answer,
      JSON.stringify(reason),
    ]);
    return { journalId: result.rows[0]?.journal_id ?? '' };
  }

  return {
    accept(envelope) {
      return new Promise<Receipt>((resolve, reject) => {
        const e = cleaned(envelope);
        queue.push({ envelope: e, digest: digestOf(e), key: keyOf(e), resolve, reject });
        // A tick of patience lets the messages of this turn of the event loop share a commit.
        running ??= Promise.resolve().then(pump);
      });
    },
    refuse,
    async drained() {
      while (running !== null) await running;
    },
  };
}

function takeBatch(queue: Waiter[]): Waiter[] {
  let bytes = 0;
  let count = 0;
  while (count < queue.length && count < BATCH_ENTRIES && (count === 0 || bytes < BATCH_BYTES)) {
    bytes += queue[count]?.envelope.bytes.length ?? 0;
    count += 1;
  }
  return queue.splice(0, count);
}

function columns(batch: readonly Waiter[]): unknown[] {
  const pick = <T>(of: (waiter: Waiter, n: number) => T): T[] => batch.map(of);
  return [
    pick((_, n) => n),
    pick((w) => w.key),
    pick((w) => w.envelope.site),
    pick((w) => w.envelope.channel),
    pick((w) => w.envelope.sender),
    pick((w) => w.envelope.peer),
    pick((w) => w.envelope.controlId),
    pick((w) => w.envelope.messageType),
    pick((w) => w.envelope.contentType),
    pick((w) => w.envelope.patientKey),
    pick((w) => w.digest),
    pick((w) => w.envelope.bytes),
    pick((w) => w.envelope.object ?? null),
    pick((w) => w.envelope.answer),
    pick((w) => (w.envelope.patientKey === '' ? '' : `${w.envelope.site ?? ''}|${w.envelope.patientKey}`)),
  ];
}

const buffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** PostgreSQL text takes no NUL and no lone surrogate; the bytes themselves are kept as they came. */
function cleaned(envelope: Envelope): Envelope {
  const clean = (text: string): string => text.replaceAll('\u0000', '\uFFFD').toWellFormed().slice(0, 512);
  return {
    ...envelope,
    sender: clean(envelope.sender),
    peer: clean(envelope.peer),
    controlId: clean(envelope.controlId),
    messageType: clean(envelope.messageType),
    contentType: clean(envelope.contentType),
    patientKey: clean(envelope.patientKey),
    bytes: buffer(envelope.bytes),
    answer: buffer(envelope.answer),
  };
}

function digestOf(envelope: Envelope): Buffer {
  if (envelope.digest !== undefined) return Buffer.from(envelope.digest, 'hex');
  return createHash('sha256').update(envelope.bytes).digest();
}

function keyOf(envelope: Envelope): Buffer {
  const hash = createHash('sha256');
  for (const part of [envelope.site ?? '', envelope.channel, envelope.sender, envelope.controlId])
    hash.update(`${String(part.length)}:`).update(part);
  return hash.digest().subarray(0, 16);
}

function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
}
