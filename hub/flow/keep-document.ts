/** Puts the documents that reports carry (PDF, CDA) into the object store, named by their content: twice is once. */
import { createHash } from 'node:crypto';
import type { DocumentStore } from '../core/ingest.ts';
import type { ObjectStore } from '../core/ports.ts';

export function createDocumentStore(objects: ObjectStore): DocumentStore {
  return {
    async put(contentType, bytes) {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const object = `document/${sha256.slice(0, 2)}/${sha256}`;
      const sha1 = createHash('sha1').update(bytes).digest('hex');
      if ((await objects.size(object)) === null) {
        const writer = await objects.write(object);
        try {
          await writer.write(bytes);
          await writer.commit();
        } catch (error) {
          await writer.abort();
          // Another worker may have put the same content meanwhile.
          if ((await objects.size(object)) === null) throw error;
        }
      }
      return { contentType, object, size: bytes.length, sha1 };
    },
  };
}
