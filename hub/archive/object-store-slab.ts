/**
 * Memory in which the file store gathers an object before it writes it. Slabs begin at a page, as direct writes demand
 * (open(2), O_DIRECT), and go from writer to writer, so that a series of images allocates none.
 */

/** At most two of these per open writer. A CT or MR object fits in one: then it costs one durable write. */
export const SLAB_BYTES = 1024 * 1024;
/** Larger than the logical block of any disk in use: lengths of direct writes are multiples of it. */
export const BLOCK_BYTES = 4096;
const SLABS_KEPT = 32;
const WASM_PAGE_BYTES = 65_536;

/** Of the ECMAScript environment; its types come with the DOM, which the hub has none of. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => {
    readonly buffer: ArrayBuffer;
  };
};

export class Slabs {
  readonly #idle: Buffer[] = [];

  take(): Buffer {
    return this.#idle.pop() ?? pageAligned();
  }

  give(slab: Buffer): void {
    if (this.#idle.length < SLABS_KEPT) this.#idle.push(slab);
  }
}

/**
 * The memory of WebAssembly begins at a page; Node tells no other way to have some. One memory a slab: views of one large
 * one made the garbage collector run every 20 images (measured).
 */
function pageAligned(): Buffer {
  const pages = SLAB_BYTES / WASM_PAGE_BYTES;
  return Buffer.from(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer);
}
