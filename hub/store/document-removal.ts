/** Takes documents out of the repository's table, and tells which objects held them. */
import type { DocumentRemoval } from '../core/document-ports.ts';
import type { Database } from './database.ts';

export function createDocumentRemoval(database: Database): DocumentRemoval {
  return {
    async withdraw(uniqueIds) {
      const { rows } = await database.pool.query<{ unique_id: string; object: string }>(
        'delete from repository_document where unique_id = any($1) returning unique_id, object',
        [uniqueIds],
      );
      return {
        uniqueIds: new Set(rows.map(({ unique_id }) => unique_id)),
        objects: rows.map(({ object }) => object),
      };
    },
  };
}
