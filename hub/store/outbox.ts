/** The outbox table, and the settling of studies that it drives. */
import type { Derivation, HubId, SiteId } from '../core/identifier.ts';
import type { Outbox, OutboxEvent, StudySettling } from '../core/outbox.ts';
import type { IndexReader } from '../core/ports.ts';
import type { Connection, Database } from './database.ts';
import type { SavedProvenance } from './fhir.ts';
import { project, type Projection } from './index-writer.ts';

const RETRY_MS = 15_000;

export function createOutbox(deps: { database: Database; clock: () => Date }): Outbox {
  const { database, clock } = deps;
  return {
    async due(limit) {
      const result = await database.pool.query<{ id: string }>({
        name: 'outbox-due',
        text: 'select id from outbox where done_at is null and due_at <= $1 order by due_at limit $2',
        values: [clock(), limit],
      });
      return result.rows.map((row) => row.id);
    },
    async work(id, handle) {
      const worked = await database.transaction(async (connection): Promise<{ failure: Error | null } | null> => {
        const taken = await connection.query<OutboxEvent>(
          `select id, topic, key from outbox where id = $1 and done_at is null and due_at <= $2 for update skip locked`,
          [id, clock()],
        );
        const event = taken.rows[0];
        if (event === undefined) return null;
        try {
          const outcome = await handle(event);
          if (outcome.done)
            await connection.query('update outbox set done_at = $2, attempts = attempts + 1 where id = $1', [
              id,
              clock(),
            ]);
          else await connection.query('update outbox set due_at = $2 where id = $1', [id, outcome.againAt]);
          return { failure: null };
        } catch (error) {
          await connection.query('update outbox set due_at = $2, attempts = attempts + 1 where id = $1', [
            id,
            new Date(clock().getTime() + RETRY_MS),
          ]);
          return { failure: error instanceof Error ? error : new Error('the handler failed') };
        }
      });
      if (worked?.failure) throw worked.failure;
      return worked !== null;
    },
  };
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
           where study_uid = $1 and instance_count = $2 and availability = 'complete' and manifest is distinct from $3::jsonb`,
          [located.study.studyUid, located.study.instanceCount, JSON.stringify(manifest), now],
        );
        return result.rowCount ?? 0;
      }),
  };
}
