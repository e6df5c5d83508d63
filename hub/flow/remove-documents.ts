/** Remove Documents (ITI TF-2 §3.86): takes documents out of the hub's own repository. Their entries are the registry's. */
import type { DocumentRemoval } from '../core/document-ports.ts';
import type { Log, ObjectStore } from '../core/ports.ts';
import { codeOf } from '../core/problem.ts';
import { REPOSITORY_FOLDER } from './sweep-repository.ts';

export interface RemoveDeps {
  readonly removal: DocumentRemoval;
  readonly objects: Pick<ObjectStore, 'remove'>;
  readonly log: Log;
}

/** The unique ids that were there. Bytes that cannot be removed are out of everybody's reach already. */
export async function removeDocuments(
  { removal, objects, log }: RemoveDeps,
  uniqueIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const removed = await removal.withdraw(uniqueIds);
  for (const object of removed.objects)
    // What lies elsewhere belongs to an exam too, and stays.
    if (object.startsWith(`${REPOSITORY_FOLDER}/`))
      await objects.remove(object).catch((cause: unknown) => {
        log.warn({ object, code: codeOf(cause) }, 'the bytes of a removed document were not removed');
      });
  return removed.uniqueIds;
}
