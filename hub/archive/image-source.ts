/**
 * Where an instance's bytes are: at the centre under their object key, or at the hospital that keeps them. Faces ask
 * this one source and need not know.
 */
import type { Readable } from 'node:stream';
import type { ImageSource, InstanceLocated, ObjectStore } from '../core/ports.ts';
import { Failure, problem } from '../core/problem.ts';
import type { Sites } from '../core/site.ts';
import type { ByteRange } from './object-store-key.ts';

export interface ImageSourceParts {
  readonly objects: ObjectStore;
  readonly sites: Sites;
  /** Fetches from the hospital's own archive; absent where no site keeps its images. */
  readonly hospital?: ImageSource;
}

export class SiteImageSource implements ImageSource {
  readonly #parts: ImageSourceParts;

  constructor(parts: ImageSourceParts) {
    this.#parts = parts;
  }

  async open(located: InstanceLocated, range?: ByteRange): Promise<Readable> {
    const hospital = this.#hospitalOf(located);
    if (located.instance.object === '') {
      if (hospital) return hospital.open(located, range);
      throw new Failure(problem('not-found', undefined, 'The images of this study are not at the centre.'));
    }
    try {
      const { object, size } = located.instance;
      const start = range?.start ?? 0;
      // A crash may have left zeros behind the object (object-store-writer.ts): its end is where the index says.
      const end = Math.max(start, Math.min(range?.end ?? size, size));
      return await this.#parts.objects.read(object, { start, end });
    } catch (error) {
      // A site that keeps its images too is the second copy of what the centre lost.
      const lost = error instanceof Failure && error.problem.code === 'not-found';
      if (lost && hospital) return hospital.open(located, range);
      throw error;
    }
  }

  async readInto(located: InstanceLocated, into: Uint8Array, start: number): Promise<number | null> {
    const { objects } = this.#parts;
    const { object, size } = located.instance;
    if (object === '' || objects.readInto === undefined) return null;
    try {
      return await objects.readInto(object, into.subarray(0, Math.max(0, size - start)), start);
    } catch (error) {
      const lost = error instanceof Failure && error.problem.code === 'not-found';
      if (lost && this.#hospitalOf(located)) return null; // `open` finds the second copy
      throw error;
    }
  }

  async whole(located: InstanceLocated): Promise<boolean | null> {
    const { object, size } = located.instance;
    if (object === '' || size === 0) return null;
    // Zeros that a crash left behind an object do not make it less whole.
    const whole = ((await this.#parts.objects.size(object)) ?? -1) >= size;
    return whole || this.#hospitalOf(located) === null ? whole : null;
  }

  #hospitalOf(located: InstanceLocated): ImageSource | null {
    const site = this.#parts.sites.byId(located.study.site);
    return site !== null && site.storage !== 'centre' ? (this.#parts.hospital ?? null) : null;
  }
}
