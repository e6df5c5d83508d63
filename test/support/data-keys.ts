/** Data keys for tests of what is sealed: two, of which either can be today's. */
import { createHash } from 'node:crypto';
import { FileObjectStore } from '../../hub/archive/object-store-file.ts';
import { SealedObjectStore } from '../../hub/archive/object-store-sealed.ts';
import { SEAL_ALGORITHMS, type DataKey, type DataKeys } from '../../hub/core/sealing.ts';

export class TestKeys implements DataKeys {
  #current = 1;
  readonly #known = new Map<number, DataKey>();

  constructor(ids: readonly number[] = [1, 2]) {
    for (const id of ids)
      this.#known.set(id, {
        id,
        algorithm: 'aes-256-gcm',
        key: createHash('sha256')
          .update(`test key ${String(id)}`)
          .digest(),
      });
  }

  use(id: number): void {
    this.#current = id;
  }

  forget(id: number): void {
    this.#known.delete(id);
  }

  current(): DataKey {
    const key = this.#known.get(this.#current);
    if (key === undefined) throw new Error('no such key in this test');
    return key;
  }

  byId(id: number): DataKey | null {
    return this.#known.get(id) ?? null;
  }
}

/** Files under `root`, sealed as a hub's are unless it says otherwise; HUB_OBJECT_CIPHER as there. */
export function sealedFiles(root: string, owner?: string): SealedObjectStore {
  const word = process.env['HUB_OBJECT_CIPHER'] ?? 'aes-256-gcm';
  const cipher = SEAL_ALGORITHMS.find((one) => one === word) ?? null;
  const broken = (key: string, why: string): never => {
    throw new Error(`${key} is broken: ${why}`);
  };
  return new SealedObjectStore(new FileObjectStore(root, owner), { keys: new TestKeys(), cipher, broken });
}
