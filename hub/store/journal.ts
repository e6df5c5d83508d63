/**
 * The journal on PostgreSQL: implements `Journal`. Envelopes that arrive together are written by one statement and one
 * commit (group commit), and nobody hears "accepted" before that commit has returned. An image is written while its
 * object is still on the way to the disk, and committed when it is there.
 */
import { createHash } from 'node:crypto';
import type { Envelope, Journal, Receipt } from '../core/envelope.ts';
import type { Log } from '../core/ports.ts';
import { problem, type Problem } from '../core/problem.ts';
import type { Sealer } from '../core/sealing.ts';
import { vaultOf, type Connection, type Database } from './database.ts';
import { bytesContext } from './journal-entry.ts';
import { Lane } from './journal-lane.ts';

/**
 * $1..$16 are arrays of equal length; one round trip, one commit. The first of equal keys in a batch wins. Images linger a
 * moment, so that a series is filed in a few batches and not instance by instance.
 */
const ACCEPT = `
with input as (
  select * from unnest($1::int[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::bytea[], $12::bytea[], $13::text[], $14::bytea[], $15::text[], $16::int[])
    as t(n, key, site, channel, sender, peer, control_id, message_type, content_type, patient_key, digest, bytes, object,
      answer, work_key, size)),
first as (select distinct on (key) * from input order by key, n),
fresh as (
  insert into journal_key (key, digest, journal_id, received_at)
  select key, digest, nextval('journal_id_seq'), $17 from first order by n
  on conflict do nothing returning key, journal_id),
written as (
  insert into journal (id, received_at, site, channel, sender, peer, control_id, message_type, content_type, patient_key,
    digest, bytes, object, answer, size)
  select fresh.journal_id, $17, site, channel, sender, peer, control_id, message_type, content_type, patient_key,
    digest, bytes, object, answer, size
  from fresh join first using (key)),
waiting as (
  insert into pending (journal_id, received_at, work_key, next_try_at)
  select fresh.journal_id, $17, coalesce(nullif(work_key, ''), 'entry|' || fresh.journal_id),
    case when channel in ('dicom', 'dicomweb') then $17 + interval '200 milliseconds' else '-infinity' end
  from fresh join first using (key))
select first.n, fresh.journal_id from fresh join first using (key)`;

const REFUSE = `
with entry as (
  insert into journal (id, received_at, site, channel, sender, peer, control_id, message_type, content_type, patient_key,
    digest, bytes, object, answer, size)
  values (nextval('journal_id_seq'), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $15)
  returning id),
tallied as (
  insert into intake_tally (hour, site, channel, state, cause, bucket, entries, last_at)
  values (date_trunc('hour', $1::timestamptz, 'UTC'), coalesce($2::text, ''), $3, 'refused', $14::jsonb ->> 'code', 0, 1, $1))
insert into settlement (received_at, journal_id, site, channel, state, attempts, problem, settled_at)
select $1, id, $2, $3, 'refused', 1, $14, $1 from entry returning journal_id`;

interface Waiter {
  readonly envelope: Envelope;
  readonly digest: Buffer;
  readonly key: Buffer;
  readonly kept: Promise<unknown> | null;
  resolve(receipt: Receipt): void;
  reject(error: unknown): void;
}

/**
 * Batches on their way at once. Messages share one, since many small commits cost more than a few large ones (measured);
 * each of a few images waits for its own object. Two lanes, so that no message waits for the disk of the object store.
 */
const MESSAGE_BATCHES = 2;
const IMAGE_BATCHES = 4;
/** One for each batch on its way, and two for repeats and refusals. */
export const JOURNAL_CONNECTIONS = MESSAGE_BATCHES + IMAGE_BATCHES + 2;

/** What is being applied holds its rows and wants the rest of its key's: waiting for it would be a deadlock. */
const HASTEN = `
with waiting as (
  select journal_id from pending where work_key = any ($1::text[]) and attempts = 0 for update skip locked
)
update pending p set next_try_at = '-infinity' from waiting w where p.journal_id = w.journal_id`;

/** `arrived` is called after each commit that left something to apply; it must not throw. */
export function createJournal(deps: { database: Database; clock: () => Date; log: Log; arrived: () => void }): Journal {
  const { database, clock, log } = deps;
  const fields = (): Sealer => vaultOf(database.pool).fields;
  const messages = new Lane<Waiter>(MESSAGE_BATCHES, write);
  const images = new Lane<Waiter>(IMAGE_BATCHES, write);

  async function write(batch: readonly Waiter[]): Promise<void> {
    try {
      await writeBatch(batch);
    } catch (error) {
      if (batch.length === 1) {
        batch[0]?.reject(error);
        return;
      }
      // One bad envelope must not fail its neighbours: each on its own.
      log.warn({ entries: batch.length, code: errorCode(error) }, 'journal batch failed, writing one by one');
      for (const waiter of batch) await writeBatch([waiter]).catch((reason: unknown) => waiter.reject(reason));
    }
  }

  async function writeBatch(batch: readonly Waiter[]): Promise<void> {
    const objects = batch.flatMap((waiter) => waiter.kept ?? []);
    const fresh =
      objects.length === 0
        ? await insert(database.pool, batch)
        : await database.transaction(async (connection) => {
            const inserted = await insert(connection, batch);
            await Promise.all(objects);
            return inserted;
          });
    if (fresh.size > 0) deps.arrived();
    const repeats: Waiter[] = [];
    batch.forEach((waiter, n) => {
      const journalId = fresh.get(n);
      if (journalId === undefined) repeats.push(waiter);
      else waiter.resolve({ kind: 'accepted', journalId });
    });
    for (const waiter of repeats) await answerRepeat(waiter);
  }

  /** Journal ids of those that are new, by their place in the batch. */
  async function insert(connection: Connection, batch: readonly Waiter[]): Promise<ReadonlyMap<number, string>> {
    const result = await connection.query<{ n: number; journal_id: string }>({
      name: 'journal-accept',
      text: ACCEPT,
      values: columns(batch, clock(), fields()),
    });
    return new Map(result.rows.map((row) => [row.n, row.journal_id]));
  }

  /** The control id was seen before: the first answer again when the bytes are the same, else refused and kept. */
  async function answerRepeat(waiter: Waiter): Promise<void> {
    const first = await database.pool.query<{
      id: string;
      digest: Buffer;
      answer: Buffer | null;
      object: string | null;
    }>(
      `select k.journal_id as id, k.digest, j.answer, j.object from journal_key k
       left join journal j on j.received_at = k.received_at and j.id = k.journal_id where k.key = $1`,
      [waiter.key],
    );
    const row = first.rows[0];
    // Retention removed the key between the two statements: take it as new.
    if (row === undefined) {
      enter(waiter);
      return;
    }
    if (row.digest.equals(waiter.digest)) {
      waiter.resolve({
        kind: 'duplicate',
        journalId: row.id,
        answer: row.answer ?? Buffer.from(waiter.envelope.answer),
        ...(row.object === null ? {} : { object: row.object }),
      });
      return;
    }
    const reused = problem('control-id-reused');
    const kept = await refuse(waiter.envelope, reused);
    waiter.resolve({ kind: 'conflict', journalId: kept.journalId, problem: reused });
  }

  function enter(waiter: Waiter): void {
    const { site, patientKey } = waiter.envelope;
    // Of one patient, and under one control id, one after another.
    const alone = [waiter.key.toString('base64'), ...(patientKey === '' ? [] : [workKey({ site, patientKey })])];
    (waiter.kept === null ? messages : images).push(waiter, waiter.envelope.bytes.length, alone);
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
      fields().seal(e.bytes, bytesContext({ ...e, receivedAt: now, digestHex: digestOf(e).toString('hex') })),
      e.object ?? null,
      e.answer,
      JSON.stringify(reason),
      e.bytes.length,
    ]);
    return { journalId: result.rows[0]?.journal_id ?? '' };
  }

  return {
    accept(envelope, kept) {
      kept?.catch(() => undefined); // awaited with the batch, where it may have failed before
      return new Promise<Receipt>((resolve, reject) => {
        const e = cleaned(envelope);
        enter({ envelope: e, digest: digestOf(e), key: keyOf(e), kept: kept ?? null, resolve, reject });
      });
    },
    async seen(envelope) {
      const found = await database.pool.query({
        name: 'journal-seen',
        text: 'select from journal_key where key = $1',
        values: [keyOf({ ...envelope, sender: clean(envelope.sender), controlId: clean(envelope.controlId) })],
      });
      return found.rowCount === 1;
    },
    async hasten(site, patientKeys) {
      const keys = patientKeys.map((patientKey) => workKey({ site, patientKey: clean(patientKey) }));
      const hastened = await database.pool.query({
        name: 'journal-hasten',
        text: HASTEN,
        values: [keys],
      });
      if (hastened.rowCount !== 0) deps.arrived();
    },
    refuse,
  };
}

function columns(batch: readonly Waiter[], receivedAt: Date, fields: Sealer): unknown[] {
  const sealed = ({ envelope, digest }: Waiter): Buffer =>
    fields.seal(envelope.bytes, bytesContext({ ...envelope, receivedAt, digestHex: digest.toString('hex') }));
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
    pick(sealed),
    pick((w) => w.envelope.object ?? null),
    pick((w) => w.envelope.answer),
    pick((w) => (w.envelope.patientKey === '' ? '' : workKey(w.envelope))),
    pick((w) => w.envelope.bytes.length),
    receivedAt,
  ];
}

/** What is applied one after another. */
const workKey = ({ site, patientKey }: Pick<Envelope, 'site' | 'patientKey'>): string => `${site ?? ''}|${patientKey}`;

const buffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** PostgreSQL text takes no NUL and no lone surrogate. */
const clean = (text: string): string => text.replaceAll('\u0000', '\uFFFD').toWellFormed().slice(0, 512);

/** The bytes themselves are kept as they came. */
function cleaned(envelope: Envelope): Envelope {
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

function keyOf(envelope: Pick<Envelope, 'site' | 'channel' | 'sender' | 'controlId'>): Buffer {
  const hash = createHash('sha256');
  for (const part of [envelope.site ?? '', envelope.channel, envelope.sender, envelope.controlId])
    hash.update(`${String(part.length)}:`).update(part);
  return hash.digest().subarray(0, 16);
}

function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
}
