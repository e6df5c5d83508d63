/**
 * Frames that are not compressed are read where they arrive: sent to the loader's own worker and back each is copied four
 * times and waits twice in a queue, for one pass over its samples. The usual ones are read by the hub's worker, the others
 * in the page by the loader's decoder; large ones of those go to its worker as ever, so that nothing the reader does waits.
 */
import type { FrameWorker } from './frame-worker.ts';
import { shapeOf } from './native-frame.ts';
import type { FrameShape } from './native-frame.ts';
import { decodeFrame } from './ohif.ts';
import type { Cornerstone, DecodeTask } from './ohif.ts';

/** Implicit and explicit little endian: what PS3.5 A.1 and A.2 call native. */
const NATIVE = ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1'];
/** Of frames that the page reads. A CT or MR slice has half of it; a radiograph is beyond. */
const LARGEST = 2 * 1024 * 1024;

export class NativeFrames {
  readonly #worker: FrameWorker;
  readonly #bytes = new WeakSet<object>();
  #offered = false;

  constructor(worker: FrameWorker) {
    this.#worker = worker;
  }

  /** Before the loader is handed these bytes. */
  expect(cornerstone: Cornerstone, bytes: Uint8Array<ArrayBuffer>, transferSyntaxUid: string): void {
    if (!NATIVE.includes(transferSyntaxUid)) return;
    this.#offer(cornerstone);
    this.#bytes.add(bytes);
  }

  /** The loader asks its workers for every frame; of these, and of nothing else, it is answered here. */
  #offer(cornerstone: Cornerstone): void {
    if (this.#offered) return;
    this.#offered = true;
    const manager = cornerstone.getWebWorkerManager();
    const byWorker = manager.executeTask.bind(manager);
    manager.executeTask = (worker, method, task, ...more) => {
      if (worker === 'dicomImageLoader' && method === 'decodeTask' && this.#take(task)) {
        const shape = shapeOf(task);
        if (shape !== null) return this.#read(task, shape);
        if (task.pixelData.length <= LARGEST) return decodeFrame(task);
      }
      return byWorker(worker, method, task, ...more);
    };
  }

  #take(task: unknown): task is DecodeTask {
    const { pixelData } = (task ?? {}) as { readonly pixelData?: unknown };
    return typeof pixelData === 'object' && pixelData !== null && this.#bytes.delete(pixelData);
  }

  /** The frame as the loader's decoder leaves it. */
  async #read({ imageFrame, pixelData, options }: DecodeTask, shape: FrameShape): Promise<object> {
    const began = performance.now();
    const { pixelData: samples, smallest, largest } = await this.#worker.read(pixelData, shape);
    return {
      ...imageFrame,
      pixelData: samples,
      pixelDataLength: samples.length,
      smallestPixelValue: smallest,
      largestPixelValue: largest,
      decodeTimeInMS: performance.now() - began,
      ...(shape.rescale === null ? {} : { preScale: { ...options.preScale, scaled: true } }),
    };
  }
}
