/**
 * Frames that are not compressed are read where they arrive, by the loader's own decoder: sent to a worker and back each is
 * copied four times and waits twice in a queue, for one pass over its samples. Large ones go there as ever, so that nothing
 * the reader does waits for them.
 */
import { decodeFrame } from './ohif.ts';
import type { Cornerstone, DecodeTask } from './ohif.ts';

/** Implicit and explicit little endian: what PS3.5 A.1 and A.2 call native. */
const NATIVE = ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1'];
/** A CT or MR slice has half of it; a radiograph is beyond. */
const LARGEST = 2 * 1024 * 1024;

export class NativeFrames {
  readonly #bytes = new WeakSet<object>();
  #offered = false;

  /** Before the loader is handed these bytes. */
  expect(cornerstone: Cornerstone, bytes: Uint8Array, transferSyntaxUid: string): void {
    if (!NATIVE.includes(transferSyntaxUid) || bytes.length > LARGEST) return;
    this.#offer(cornerstone);
    this.#bytes.add(bytes);
  }

  /** The loader asks its workers for every frame; of these, and of nothing else, it is answered here. */
  #offer(cornerstone: Cornerstone): void {
    if (this.#offered) return;
    this.#offered = true;
    const manager = cornerstone.getWebWorkerManager();
    const byWorker = manager.executeTask.bind(manager);
    manager.executeTask = (worker, method, task, ...more) =>
      worker === 'dicomImageLoader' && method === 'decodeTask' && this.#take(task)
        ? decodeFrame(task)
        : byWorker(worker, method, task, ...more);
  }

  #take(task: unknown): task is DecodeTask {
    const { pixelData } = (task ?? {}) as { readonly pixelData?: unknown };
    return typeof pixelData === 'object' && pixelData !== null && this.#bytes.delete(pixelData);
  }
}
