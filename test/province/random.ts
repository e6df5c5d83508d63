/** Seeded randomness for synthetic data: the same seed makes the same province, byte for byte, on every machine. */

export type Random = () => number;

/** Mulberry32: small, fast and good enough for pictures and names. Numbers in [0, 1). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export const between = (random: Random, low: number, high: number): number => low + random() * (high - low);

/**
 * A tile of smooth noise with mean 0 and standard deviation 1, `size` a power of two, repeating at its edges:
 * white noise blurred with a box of `radius` twice, which gives the grain of a reconstructed image.
 */
export function noiseTile(random: Random, size: number, radius: number): Float32Array {
  let tile = new Float32Array(size * size);
  for (let at = 0; at < tile.length; at++) tile[at] = random() + random() + random() - 1.5;
  for (let pass = 0; pass < 2 && radius > 0; pass++) tile = blurred(tile, size, radius);
  let sum = 0;
  let squares = 0;
  for (const value of tile) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / tile.length;
  const deviation = Math.sqrt(squares / tile.length - mean * mean);
  return tile.map((value) => (value - mean) / deviation);
}

/** Box blur that wraps around, along rows and then along columns. */
function blurred(tile: Float32Array, size: number, radius: number): Float32Array<ArrayBuffer> {
  const rows = new Float32Array(tile.length);
  const both = new Float32Array(tile.length);
  const mask = size - 1;
  for (let y = 0; y < size; y++) {
    let sum = 0;
    for (let x = -radius; x < radius; x++) sum += tile[y * size + (x & mask)] ?? 0;
    for (let x = 0; x < size; x++) {
      sum += tile[y * size + ((x + radius) & mask)] ?? 0;
      rows[y * size + x] = sum;
      sum -= tile[y * size + ((x - radius) & mask)] ?? 0;
    }
  }
  for (let x = 0; x < size; x++) {
    let sum = 0;
    for (let y = -radius; y < radius; y++) sum += rows[(y & mask) * size + x] ?? 0;
    for (let y = 0; y < size; y++) {
      sum += rows[((y + radius) & mask) * size + x] ?? 0;
      both[y * size + x] = sum;
      sum -= rows[((y - radius) & mask) * size + x] ?? 0;
    }
  }
  return both;
}

/** A 32-bit seed that stands for these numbers: neighbours give seeds that have nothing in common. */
export function mixed(...numbers: readonly number[]): number {
  let state = 0x9e3779b9;
  for (const number of numbers) {
    state = Math.imul(state ^ (number >>> 0), 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    state ^= state >>> 16;
  }
  return state >>> 0;
}

/**
 * Randomness of 128 bits (sfc32, Doty-Humphrey) for a thing among very many. Streams of `seeded` are pieces of one
 * circle of 2^32 numbers: among a hundred thousand of them some overlap, and what is drawn by them is drawn twice.
 */
export function drawnFor(...numbers: readonly number[]): Random {
  let [a, b, c, counter] = [mixed(1, ...numbers), mixed(2, ...numbers), mixed(3, ...numbers), 1];
  const next: Random = () => {
    const sum = (a + b + counter++) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0;
    return sum / 4294967296;
  };
  for (let round = 0; round < 12; round++) next();
  return next;
}

export function pick<T>(random: Random, list: readonly T[]): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
}

/** One of the list, the first about eight times as likely as the last. */
export function skewed<T>(random: Random, list: readonly T[]): T {
  const found = list[Math.floor(list.length * (9 ** random() - 1) * 0.125)];
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
}

/** A drawer of what is listed with its weight. */
export function weighted<T>(list: readonly (readonly [number, T])[]): (random: Random) => T {
  const upTo: number[] = [];
  let total = 0;
  for (const [weight] of list) upTo.push((total += weight));
  return (random) => {
    const wanted = random() * total;
    let low = 0;
    for (let high = upTo.length - 1; low < high;) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    const found = list[low];
    if (found === undefined) throw new Error('nothing to draw from');
    return found[1];
  };
}
