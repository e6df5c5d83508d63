/** Data keys for tests of what is sealed: two, of which either can be today's. */
import { createHash } from 'node:crypto';
import type { DataKey, DataKeys } from '../../hub/core/sealing.ts';

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
