/** The features of every row of a batch, in one file: a million rows need not stay in memory, and a restart finds them. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { Features } from '../core/match/features.ts';

const BUFFERED = 1 << 20;
const KEPT = 20_000;

/** Appends rows; tells where each begins. */
export class RowWriter {
  readonly #file: number;
  #pending: string[] = [];
  #length = 0;
  #at = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  /** The offset at which the row begins. */
  add(features: Features): number {
    const line = `${JSON.stringify(features)}\n`;
    const offset = this.#at;
    const length = Buffer.byteLength(line);
    this.#pending.push(line);
    this.#at += length;
    this.#length += length;
    if (this.#length >= BUFFERED) this.#flush();
    return offset;
  }

  /** The length of the file. */
  close(): number {
    this.#flush();
    closeSync(this.#file);
    return this.#at;
  }

  #flush(): void {
    const bytes = Buffer.from(this.#pending.join(''));
    for (let done = 0; done < bytes.length;) done += writeSync(this.#file, bytes, done);
    this.#pending = [];
    this.#length = 0;
  }
}

/** Reads rows by number; `offsets` has one entry a row and the end of the file. What was read lately is kept. */
export class RowReader {
  readonly #file: number;
  readonly #offsets: Float64Array;
  #buffer = Buffer.alloc(4096);
  #recent = new Map<number, Features>();
  #older = new Map<number, Features>();

  constructor(path: string, offsets: Float64Array) {
    this.#file = openSync(path, 'r');
    this.#offsets = offsets;
  }

  get(row: number): Features {
    const known = this.#recent.get(row) ?? this.#older.get(row);
    const features = known ?? this.#read(row);
    if (this.#recent.size >= KEPT) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(row, features);
    return features;
  }

  close(): void {
    closeSync(this.#file);
  }

  #read(row: number): Features {
    const from = this.#offsets[row];
    const to = this.#offsets[row + 1];
    if (from === undefined || to === undefined) throw new Error(`there is no row ${String(row)}`);
    if (this.#buffer.length < to - from) this.#buffer = Buffer.alloc(to - from);
    readSync(this.#file, this.#buffer, 0, to - from, from);
    return JSON.parse(this.#buffer.toString('utf8', 0, to - from)) as Features;
  }
}
