/**
 * How long an object is while it fills whole blocks: a direct write takes nothing less (open(2), O_DIRECT), so the last
 * block ends in a mark and the true size until the file is cut to it. A crash in between leaves the mark to be found.
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { BLOCK_BYTES } from './object-store-slab.ts';

/** Drawn at random once; no object ends in it by chance. */
const MARK = Buffer.from('9d2f6c51e8b7401aa3f0c4d95b1e7862', 'hex');
const TRAILER_BYTES = MARK.length + 8;

/** Whole blocks that hold `size` bytes and the trailer. */
export const blocksFor = (size: number): number => Math.ceil((size + TRAILER_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;

/** Fills `slab` from `size` to `length` with zeros and the trailer. */
export function writeTrailer(slab: Buffer, size: number, length: number): void {
  slab.fill(0, size, length);
  MARK.copy(slab, length - TRAILER_BYTES);
  slab.writeBigUInt64BE(BigInt(size), length - 8);
}

/**
 * Bytes of the object in a file of `length`: fewer where it was not cut yet, by this process or by another that stores at
 * the moment.
 */
export async function objectSize(file: FileHandle, length: number): Promise<number> {
  if (length === 0 || length % BLOCK_BYTES !== 0) return length;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(TRAILER_BYTES), 0, TRAILER_BYTES, length - TRAILER_BYTES);
  // Cut in between: then there is no trailer to read, and the length is the object's.
  if (bytesRead < TRAILER_BYTES) return (await file.stat()).size;
  const size = Number(buffer.readBigUInt64BE(MARK.length));
  return buffer.subarray(0, MARK.length).equals(MARK) && blocksFor(size) === length ? size : length;
}

/** Cuts a file that still ends in a trailer, durably. */
export async function cutToSize(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { size: length } = await file.stat();
    const size = await objectSize(file, length);
    if (size === length) return;
    await file.truncate(size);
    await file.datasync();
  } finally {
    await file.close();
  }
}
