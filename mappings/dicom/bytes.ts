/** Byte order of words: what changes between little and big endian, and nothing else. */

/** A copy with the bytes of every word of `width` (2, 4 or 8) reversed; a rest shorter than a word stays. */
export function swapped(bytes: Buffer, width: number): Buffer {
  const copy = Buffer.from(bytes);
  const whole = copy.subarray(0, copy.length - (copy.length % width));
  if (width === 2) whole.swap16();
  else if (width === 4) whole.swap32();
  else if (width === 8) whole.swap64();
  return copy;
}
