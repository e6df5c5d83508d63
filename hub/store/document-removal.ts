/** Takes documents out of the repository's table, and tells which objects held them or hold one. */
import type { DocumentObjects, DocumentRemoval } from '../core/document-ports.ts';
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

export const createDocumentObjects = ({ pool }: Database): DocumentObjects => ({
  async named(objects) {
    const { rows } = await pool.query<{ object: string }>({
      name: 'document-objects',
      // The first condition is that of the index (0016): what lies elsewhere is not asked about.
      text: `select object from repository_document where object like 'repository/%' and object = any ($1::text[])`,
      values: [objects],
    });
    return new Set(rows.map(({ object }) => object));
  },
});
