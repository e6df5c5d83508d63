/** Entries of the journal as others than its writer need them: found by what is known of them, read whole, put back to work. */
import type { JournalSource } from '../core/decoded.ts';
import type { HubId } from '../core/identifier.ts';
import type { JournalFilter } from '../core/operation.ts';
import { Failure, problem } from '../core/problem.ts';
import type { Sealer } from '../core/sealing.ts';
import { vaultOf, type Connection, type Database } from './database.ts';
import { openBytes } from './sealed.ts';

const SEARCH_MS = 8_000;

/** A search that nobody waits for any longer ends by itself: rejects with a Failure (timeout). */
export async function bounded<Row extends object>(
  database: Database,
  text: string,
  values: readonly unknown[],
  mostMs = SEARCH_MS,
): Promise<Row[]> {
  try {
    return await database.transaction(async (connection) => {
      await connection.query(`set local statement_timeout = ${String(Math.trunc(mostMs))}`);
      return (await connection.query<Row>(text, [...values])).rows;
    });
  } catch (error) {
    // 57014 query_canceled
    if (error instanceof Error && 'code' in error && error.code === '57014') throw new Failure(TOO_LONG, error);
    throw error;
  }
}

const TOO_LONG = problem('timeout', undefined, 'This took too long; ask for a shorter time, one site or one channel.');

/** As the predicates of their indexes have them (settlement_suspect, settlement_unmapped): text, not parameters. */
const INDEXED: Partial<Record<NonNullable<JournalFilter['finding']>, string>> = {
  'identifier-suspect': `s.findings @> '[{"code": "identifier-suspect"}]'`,
  'unmapped-code': `s.findings @> '[{"code": "unmapped-code"}]'`,
};

const escapeLike = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/** `j` the journal, `s` its settlement, `p` what is pending of it. */
export function conditionsOf(filter: JournalFilter, bind: (value: unknown) => string): string[] {
  const conditions: string[] = [];
  if (filter.site !== undefined) conditions.push(`j.site = ${bind(filter.site)}`);
  if (filter.channel !== undefined) conditions.push(`j.channel = ${bind(filter.channel)}`);
  if (filter.from !== undefined) conditions.push(`j.received_at >= ${bind(filter.from)}`);
  if (filter.to !== undefined) conditions.push(`j.received_at < ${bind(filter.to)}`);
  if (filter.controlId !== undefined) conditions.push(`j.control_id = ${bind(filter.controlId)}`);
  if (filter.messageType !== undefined)
    conditions.push(`j.message_type like ${bind(`${escapeLike(filter.messageType)}%`)}`);
  if (filter.state === 'received') conditions.push('p.journal_id is not null');
  else if (filter.state !== undefined) conditions.push(`s.state = ${bind(filter.state)}`);
  // Only what was not applied has a problem: said so that settlement_by_state is used.
  if (filter.cause !== undefined)
    conditions.push(`s.state in ('refused', 'review') and s.problem ->> 'code' = ${bind(filter.cause)}`);
  if (filter.text !== undefined)
    conditions.push(
      `s.state in ('refused', 'review') and s.problem ->> 'text' ilike ${bind(`%${escapeLike(filter.text)}%`)}`,
    );
  if (filter.finding !== undefined)
    conditions.push(
      INDEXED[filter.finding] ?? `s.findings @> ${bind(JSON.stringify([{ code: filter.finding }]))}::jsonb`,
    );
  return conditions;
}

/**
 * Where the bytes of an entry belong: whose word they are and when it came, and that they are these bytes (digest). The id is
 * not part of it, since it is drawn by the statement that writes the row.
 */
export const bytesContext = (entry: {
  readonly receivedAt: Date;
  readonly site: string | null;
  readonly channel: string;
  readonly sender: string;
  readonly controlId: string;
  readonly digestHex: string;
}): string =>
  JSON.stringify([
    'journal.bytes',
    entry.receivedAt.toISOString(),
    ...[entry.site, entry.channel, entry.sender, entry.controlId, entry.digestHex],
  ]);

/** As rows have it. */
export interface SealedBytesRow {
  readonly received_at: Date;
  readonly site: JournalSource['site'];
  readonly channel: JournalSource['channel'];
  readonly sender: string;
  readonly control_id: string;
  readonly digest: Buffer;
  readonly bytes: Buffer;
}

export const bytesContextOf = (row: Omit<SealedBytesRow, 'bytes'>): string =>
  bytesContext({
    ...row,
    receivedAt: row.received_at,
    controlId: row.control_id,
    digestHex: row.digest.toString('hex'),
  });

export const bytesOf = (fields: Sealer, row: SealedBytesRow): Buffer =>
  openBytes(fields, row.bytes, bytesContextOf(row));

/** The bytes of an entry and whose message it is. */
export async function readSource(database: Database, journalId: string): Promise<JournalSource | null> {
  if (!/^\d{1,14}$/.test(journalId)) return null;
  const { rows } = await database.pool.query<SourceRow>({
    name: 'journal-source',
    text: `select j.id, j.received_at, j.site, j.channel, j.sender, j.control_id, j.digest, j.message_type, j.content_type, j.bytes, j.object, coalesce(s.findings, '[]') as findings,
        (select array_agg(distinct p.person_id) from patient_record p
         where p.site = j.site and p.authority = split_part(j.patient_key, '|', 1)
           and p.local_id = substr(j.patient_key, strpos(j.patient_key, '|') + 1) and j.patient_key <> '') as persons
      from journal j left join settlement s on s.received_at = j.received_at and s.journal_id = j.id where j.id = $1`,
    values: [journalId],
  });
  const [row] = rows;
  return row === undefined
    ? null
    : {
        journalId: row.id,
        site: row.site,
        channel: row.channel,
        messageType: row.message_type,
        contentType: row.content_type,
        bytes: bytesOf(vaultOf(database.pool).fields, row),
        object: row.object,
        findings: row.findings,
        persons: row.persons ?? [],
      };
}

interface SourceRow extends SealedBytesRow, Pick<JournalSource, 'site' | 'channel' | 'object' | 'findings'> {
  readonly id: string;
  readonly message_type: string;
  readonly content_type: string;
  readonly persons: HubId[] | null;
}

/**
 * Takes the settlements of these entries back and lets them wait again: of a retry those in review, of a replay those that
 * stand. `forced` applies in spite of a doubt. Gives the ids that wait now.
 */
export async function requeue(
  connection: Connection,
  journalIds: readonly string[],
  { forced, again }: { readonly forced: boolean; readonly again: 'retry' | 'replay' },
): Promise<number> {
  const result = await connection.query({
    name: 'journal-requeue',
    text: `with gone as (
        delete from settlement s using journal j
        where j.id = any ($1::bigint[]) and s.received_at = j.received_at and s.journal_id = j.id and s.state = $4
        returning s.journal_id, s.received_at),
      marked as (
        update review set state = 'retried', closed_at = now()
        where kind = 'message' and journal_id in (select journal_id from gone) and $4 = 'review')
      insert into pending (journal_id, received_at, work_key, forced, again)
      select j.id, j.received_at, coalesce(j.site, '') || '|' || case when j.patient_key = '' then 'entry' || j.id else j.patient_key end, $2, $3
      from gone join journal j on j.received_at = gone.received_at and j.id = gone.journal_id`,
    values: [journalIds, forced, again, again === 'retry' ? 'review' : 'applied'],
  });
  return result.rowCount ?? 0;
}
