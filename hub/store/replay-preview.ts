/** What trying a message anew needs of the store: entries as ingest claims them, and what they touch, without a lock. */
import type { Derivation } from '../core/identifier.ts';
import type { PreviewStore } from '../core/replay.ts';
import { readEntries } from './claim.ts';
import { readStanding } from './code-mapping.ts';
import type { Database } from './database.ts';
import { loadSlice } from './slice.ts';

export function createPreviewStore(deps: { database: Database; derive: Derivation }): PreviewStore {
  const { database, derive } = deps;
  return {
    entries: (journalIds) => readEntries(database.pool, journalIds),
    slice: (records) =>
      database.transaction(async (connection) => (await loadSlice(connection, records, derive, 'as-it-stands')).slice),
    mappings: () => readStanding(database.pool),
  };
}
