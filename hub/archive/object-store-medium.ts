/** What the operating system says of the disk under the file store, in the words of the hub's problems. */
import { notThere, storeUnavailable } from './object-store-key.ts';

export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const MEDIUM: Readonly<Record<string, string>> = {
  ENOSPC: 'The object store has no space left.',
  EDQUOT: 'The object store has used up its quota.',
  EROFS: 'The object store is read-only.',
  EMFILE: 'The hub has too many open files.',
  ENFILE: 'The machine has too many open files.',
  EIO: 'The disk of the object store failed.',
  EACCES: 'The hub may not use the folder of the object store.',
  EPERM: 'The hub may not use the folder of the object store.',
};

export function mediumFailure(error: unknown): Error {
  const code = codeOf(error);
  if (code === 'ENOENT') return notThere(error);
  const text = MEDIUM[code];
  if (text !== undefined) return storeUnavailable(text, error);
  return error instanceof Error ? error : new Error(String(error));
}
