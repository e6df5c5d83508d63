/**
 * The candidate pairs of a batch: rows that share a blocking key, taken in passes by the smaller row, so that memory is
 * bounded and a pass is a unit of work that a restart need not do again.
 */

/** A larger block (a reception desk's phone, everybody's placeholder) says nothing: it is left out and told. */
export const LARGEST_BLOCK = 150;
const FNV_PRIME = 0x01000193;

/** Two hashes a key, FNV-1a and a second of its own: 64 bits are too many for chance among a hundred million keys. */
export function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), FNV_PRIME);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Keys as they come: row in the low half, hash in the high half of each 64-bit word. */
export class KeyList {
  #words = new Uint32Array(1 << 16);
  #length = 0;

  add(row: number, key: string): void {
    if (this.#length + 2 > this.#words.length) {
      const larger = new Uint32Array(this.#words.length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words[this.#length++] = row;
    this.#words[this.#length++] = hashOf(key);
  }

  /** Sorted by hash, then row; shared between threads. */
  sorted(): SharedArrayBuffer {
    const shared = new SharedArrayBuffer(this.#length * 4);
    new Uint32Array(shared).set(this.#words.subarray(0, this.#length));
    new BigUint64Array(shared).sort();
    return shared;
  }
}

export class Blocks {
  readonly #words: Uint32Array;
  /** Where each block that offers pairs begins and ends. */
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  /** In two files: rows from here on are of the second, and only pairs across count. 0: one file. */
  readonly #second: number;
  /** Pairs offered, those that several blocks offer counted as often. */
  readonly offered: number;
  /** Blocks left out for their size, the places of rows in them, and the size of the largest. */
  readonly cutOff: { readonly blocks: number; readonly places: number; readonly largest: number };

  constructor(keys: SharedArrayBuffer, second: number) {
    this.#words = new Uint32Array(keys);
    this.#second = second;
    const count = this.#words.length / 2;
    const starts: number[] = [];
    const ends: number[] = [];
    let offered = 0;
    const cutOff = { blocks: 0, places: 0, largest: 0 };
    for (let from = 0; from < count;) {
      let to = from + 1;
      while (to < count && this.#words[2 * to + 1] === this.#words[2 * from + 1]) to++;
      if (to - from > LARGEST_BLOCK) {
        cutOff.blocks++;
        cutOff.places += to - from;
        cutOff.largest = Math.max(cutOff.largest, to - from);
      } else if (to - from > 1) {
        starts.push(from);
        ends.push(to);
        offered += ((to - from) * (to - from - 1)) / 2;
      }
      from = to;
    }
    this.#starts = Uint32Array.from(starts);
    this.#ends = Uint32Array.from(ends);
    this.offered = offered;
    this.cutOff = cutOff;
  }

  /** Pairs whose smaller row is taken, each once, in order; both halves of a word are rows. */
  pairs(take: (row: number) => boolean): Uint32Array {
    let found = new Uint32Array(1 << 16);
    let length = 0;
    for (let block = 0; block < this.#starts.length; block++) {
      const end = this.#ends[block] ?? 0;
      for (let at = this.#starts[block] ?? 0; at < end; at++) {
        const row = this.#words[2 * at] ?? 0;
        if (!take(row) || (this.#second > 0 && row >= this.#second)) continue;
        for (let next = at + 1; next < end; next++) {
          const other = this.#words[2 * next] ?? 0;
          if (other === row || other < this.#second) continue;
          if (length + 2 > found.length) {
            const larger = new Uint32Array(found.length * 2);
            larger.set(found);
            found = larger;
          }
          found[length++] = other;
          found[length++] = row;
        }
      }
    }
    return distinct(found.subarray(0, length));
  }
}

function distinct(words: Uint32Array): Uint32Array {
  const copy = words.slice();
  new BigUint64Array(copy.buffer).sort();
  let kept = 0;
  for (let at = 0; at < copy.length; at += 2) {
    if (kept > 0 && copy[at] === copy[kept - 2] && copy[at + 1] === copy[kept - 1]) continue;
    copy[kept] = copy[at] ?? 0;
    copy[kept + 1] = copy[at + 1] ?? 0;
    kept += 2;
  }
  return copy.subarray(0, kept);
}
