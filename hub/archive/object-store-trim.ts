/**
 * Cuts files to the size of their object once no more objects arrive for a moment, or somebody wants to read them: each
 * cut is a change of the file system that the next object's write would wait for (object-store-trailer.ts).
 */
import type { FileHandle } from 'node:fs/promises';

const QUIET_MS = 300;
/** Files left open to be cut; a sender that never pauses has the oldest cut while it sends. */
const MOST = 640;

interface Uncut {
  readonly file: FileHandle;
  readonly size: number;
  readonly length: number;
  readonly cut: Promise<void>;
  readonly done: () => void;
}

export class Trims {
  /** Oldest first. */
  readonly #uncut = new Map<string, Uncut>();
  readonly #running = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | null = null;

  /** The file holds `size` bytes of its object and is `length` long. It is closed here. */
  add(path: string, file: FileHandle, size: number, length: number): void {
    let done = (): void => undefined;
    const cut = new Promise<void>((resolve) => (done = resolve));
    this.#uncut.set(path, { file, size, length, cut, done });
    const oldest = this.#uncut.size > MOST ? this.#uncut.keys().next() : null;
    if (oldest?.done === false) void this.now(oldest.value);
    if (this.#timer === null) this.#timer = setTimeout(() => void this.all(), QUIET_MS).unref();
    else this.#timer.refresh();
  }

  /** Resolves when the file has its object's size and is closed; never rejects. */
  of(path: string): Promise<void> {
    return this.#uncut.get(path)?.cut ?? this.#running.get(path) ?? Promise.resolve();
  }

  /** As `of`, and does not wait for quiet. */
  async now(path: string): Promise<void> {
    const found = this.#uncut.get(path);
    if (found !== undefined) {
      this.#uncut.delete(path);
      this.#running.set(path, found.cut);
      await trimmed(found);
      this.#running.delete(path);
      found.done();
    } else await this.#running.get(path);
  }

  /** One after another: nobody waits for these. */
  async all(): Promise<void> {
    this.#timer = null;
    for (const path of [...this.#uncut.keys()]) await this.now(path);
    await Promise.all(this.#running.values());
  }
}

/** Where it fails, zeros stay behind the object: whoever knows its size does not read them. */
async function trimmed({ file, size, length }: Uncut): Promise<void> {
  if (length > size) await file.truncate(size).catch(() => undefined);
  await file.close().catch(() => undefined);
}
