/** The outbox table, and the settling of studies that it drives. */
import type { Derivation, HubId, SiteId } from '../core/identifier.ts';
import type { Outbox, OutboxEvent, StudySettling } from '../core/outbox.ts';
import type { IndexReader } from '../core/ports.ts';
import type { Connection, Database } from './database.ts';
import type { SavedProvenance } from './fhir.ts';
import { project, type Projection } from './index-writer.ts';
import { announceExams } from './publication.ts';

const RETRY_MS = 15_000;
const LONGEST_RETRY_MS = 3_600_000;

export function createOutbox(deps: { database: Database; clock: () => Date }): Outbox {
  const { database, clock } = deps;
  return {
    async due(limit) {
      const result = await database.pool.query<{ id: string; due_at: Date }>({
        name: 'outbox-due',
        text: 'select id, due_at from outbox where done_at is null and due_at <= $1 order by due_at limit $2',
        values: [clock(), limit],
      });
      return result.rows.map((row) => ({ id: row.id, dueAt: row.due_at.toISOString() }));
    },
    async work(id, handle) {
      const worked = await database.transaction(async (connection): Promise<{ failure: Error | null } | null> => {
        const event = await take(connection, id, clock());
        if (event === null) return null;
        try {
          const outcome = await handle(event);
          await settleEvent(connection, event, outcome.done ? { doneAt: clock() } : { againAt: outcome.againAt });
          return { failure: null };
        } catch (error) {
          const pause = Math.min(RETRY_MS * 2 ** Math.min(event.attempts, 16), LONGEST_RETRY_MS);
          await settleEvent(connection, event, { failedUntil: new Date(clock().getTime() + pause) });
          return { failure: error instanceof Error ? error : new Error('the handler failed') };
        }
      });
      if (worked?.failure) throw worked.failure;
      return worked !== null;
    },
  };
}

interface Taken extends OutboxEvent {
  readonly attempts: number;
  /** Of the row as it was taken: whoever writes news into it leaves another one. */
  readonly stamp: string;
}

/**
 * One worker a key, by an advisory lock. A row lock would make ingest wait for a handler that itself waits for what ingest
 * has locked, and no one would see that deadlock.
 */
async function take(connection: Connection, id: string, now: Date): Promise<Taken | null> {
  const open = `select id, topic, key, created_at as since, attempts, xmin::text as stamp from outbox where id = $1 and done_at is null and due_at <= $2`;
  const [seen] = (await connection.query<Taken>(open, [id, now])).rows;
  if (seen === undefined) return null;
  const locked = await connection.query<{ mine: boolean }>(
    'select pg_try_advisory_xact_lock(hashtextextended($1, 12)) as mine',
    [`${seen.topic}|${seen.key}`],
  );
  if (locked.rows[0]?.mine !== true) return null;
  // Another worker may have done it while this one looked.
  return (await connection.query<Taken>(open, [id, now])).rows[0] ?? null;
}

/** News that came meanwhile keep the event open, and due as they say: what was done did not know them. */
async function settleEvent(
  connection: Connection,
  { id, stamp }: Taken,
  outcome: { readonly doneAt?: Date; readonly againAt?: Date; readonly failedUntil?: Date },
): Promise<void> {
  const { doneAt = null, againAt, failedUntil } = outcome;
  await connection.query(
    `update outbox set done_at = $3, due_at = coalesce($4, due_at), attempts = attempts + $5
     where id = $1 and xmin::text = $2`,
    [id, stamp, doneAt, againAt ?? failedUntil ?? null, againAt === undefined ? 1 : 0],
  );
}

export function createStudySettling(deps: {
  database: Database;
  reader: IndexReader;
  derive: Derivation;
  projection: Projection;
  clock: () => Date;
  settleMs: (site: SiteId) => number;
}): StudySettling {
  const { database, clock } = deps;

  async function render(
    examIds: readonly HubId[],
    studyUid: string,
    run: (connection: Connection, now: Date) => Promise<number>,
  ): Promise<boolean> {
    const now = clock();
    return database.transaction(async (connection) => {
      const changed = await run(connection, now);
      if (changed === 0) return false;
      const entries = await connection.query<{ journal_id: string; site: SiteId }>(
        `select i.journal_id, s.site from instance i join study s on s.record_id = i.record_id and s.study_uid = i.study_uid
         where s.study_uid = $1 order by i.journal_id desc limit 1`,
        [studyUid],
      );
      const [last] = entries.rows;
      const journalIds = last === undefined ? [] : [last.journal_id];
      const told = (): SavedProvenance => ({ journalIds, site: last?.site ?? '', at: now.toISOString() });
      await project(connection, [], examIds, [], told, deps);
      await announceExams(connection, examIds, now);
      return true;
    });
  }

  return {
    async settle(studyUid) {
      const found = await database.pool.query<{
        exam_id: HubId;
        site: SiteId;
        availability: string;
        last_instance_at: Date | null;
        declared: boolean;
      }>(
        `select exam_id, site, availability, last_instance_at, coalesce(instance_count >= declared_instances, false) as declared
         from study where study_uid = $1 and instance_count > 0 order by instance_count desc, record_id limit 1`,
        [studyUid],
      );
      const row = found.rows[0];
      if (row === undefined) return null;
      const settleMs = deps.settleMs(row.site);
      const quietAt = new Date((row.last_instance_at?.getTime() ?? 0) + settleMs);
      if (!row.declared && quietAt > clock()) return { againAt: quietAt };
      if (row.availability === 'partial')
        await render([row.exam_id], studyUid, async (connection, now) => {
          const result = await connection.query(
            `update study set availability = 'complete', version = version + 1, updated_at = $2
             where study_uid = $1 and availability = 'partial' and (last_instance_at is null or last_instance_at <= $3)`,
            [studyUid, now, new Date(now.getTime() - (row.declared ? 0 : settleMs))],
          );
          return result.rowCount ?? 0;
        });
      const located = await deps.reader.study(studyUid, { instances: true });
      if (located === null) return null;
      return located.study.availability === 'complete'
        ? { located }
        : { againAt: new Date(clock().getTime() + settleMs) };
    },
    saveManifest: (located, manifest) =>
      render([located.exam.examId], located.study.studyUid, async (connection, now) => {
        const result = await connection.query(
          `update study set manifest = $3, version = version + 1, updated_at = $4
           where study_uid = $1 and instance_count = $2 and availability = $5 and manifest is distinct from $3::jsonb`,
          [
            located.study.studyUid,
            located.study.instanceCount,
            JSON.stringify(manifest),
            now,
            located.study.availability,
          ],
        );
        return result.rowCount ?? 0;
      }),
  };
}
