/** A file of a key that the hub makes for itself: whole or not there, whatever dies meanwhile, and its owner's alone. */
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes the file where it is not there; gives true where this call made it. Of several that start at once one makes it,
 * and its key is everybody's: it gets its name only once its bytes are on the disk, and the name is on the disk before
 * anything is sealed or signed by it. Throws what the file system says.
 */
export function makeSecretFile(path: string, text: string | Buffer): boolean {
  const folder = dirname(path);
  const draft = `${path}.${randomUUID()}`;
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(draft, text, { flag: 'wx', mode: 0o600, flush: true });
    linkSync(draft, path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  for (const one of made === undefined ? [folder] : [folder, dirname(made)]) flushFolder(one);
  return true;
}

function flushFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
