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
