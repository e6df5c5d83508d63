/** Reads a gzipped package (POSIX ustar, as npm packs it): names and bytes of its plain files, within bounds. */
import { gunzipSync } from 'node:zlib';

const BLOCK = 512;
/** The pinned package holds 213 MB; more is not it. */
const MOST_BYTES = 400 * 1024 * 1024;

/** Files below `package/` for which `wanted` holds. A path that leaves the folder is refused, not cleaned. */
export function filesOf(tgz: Buffer, wanted: (path: string) => boolean): Map<string, Buffer> {
  const tar = gunzipSync(tgz, { maxOutputLength: MOST_BYTES });
  const files = new Map<string, Buffer>();
  for (let at = 0; at + BLOCK <= tar.length;) {
    const head = tar.subarray(at, at + BLOCK);
    if (head[0] === 0) break;
    const text = (from: number, length: number): string =>
      head.toString('utf8', from, from + length).split('\0')[0] ?? '';
    const size = parseInt(text(124, 12).trim(), 8);
    if (!Number.isSafeInteger(size) || size < 0 || at + BLOCK + size > tar.length)
      throw new Error('the package is cut off');
    const type = text(156, 1);
    const prefix = text(345, 155);
    const name = prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`;
    const path = name.replace(/^package\//, '');
    if ((type === '0' || type === '') && wanted(path)) {
      if (path.startsWith('/') || path.split('/').includes('..')) throw new Error('a path leaves the package');
      files.set(path, tar.subarray(at + BLOCK, at + BLOCK + size));
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
