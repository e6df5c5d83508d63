/**
 * A master key that this machine holds: 32 bytes from a file or the environment, as base64 or hexadecimal. It wraps data
 * keys and nothing else. Who loses it loses everything that is sealed (openapi/keys.md).
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { MasterKeyFault, type KeyWrapper, type SealAlgorithm } from '../core/sealing.ts';
import { fieldCipher } from './field-cipher.ts';
import { makeSecretFile } from './secret-file.ts';

const BYTES = 32;

/** `name` is how the operator set it: the fault's line begins with it. */
export function localWrapper(text: string, name: string): KeyWrapper {
  const word = text.trim();
  const key = /^[0-9a-f]{64}$/i.test(word) ? Buffer.from(word, 'hex') : Buffer.from(word, 'base64');
  if (key.length !== BYTES || (!/^[0-9a-f]{64}$/i.test(word) && !/^[A-Za-z0-9+/]{43}=?$/.test(word)))
    throw new MasterKeyFault(`${name} takes 32 random bytes as base64 or hexadecimal (openssl rand -base64 32)`);
  const derive = (use: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `hutong master key ${use}`, length));
  const id = `local:${derive('name', 8).toString('hex')}`;
  // By the data key's own algorithm: where only the national ones count, they wrap as well.
  const cipher = (algorithm: SealAlgorithm): ReturnType<typeof fieldCipher> =>
    fieldCipher(algorithm, derive(`wraps ${algorithm}`, BYTES));
  const of = (context: string): SealAlgorithm =>
    context.includes('sm4-ctr-hmac-sm3') ? 'sm4-ctr-hmac-sm3' : 'aes-256-gcm';
  return {
    id,
    wrap: (plain, context) =>
      Promise.resolve(Buffer.concat(cipher(of(context)).encrypt(plain, Buffer.from(`${id} ${context}`)))),
    unwrap: (wrapped, context) => {
      const plain = cipher(of(context)).decrypt(wrapped, Buffer.from(`${id} ${context}`));
      return plain === null
        ? Promise.reject(new MasterKeyFault(`${name}: a wrapped data key was changed in the database`))
        : Promise.resolve(plain);
    },
  };
}

export function fileWrapper(path: string, name: string): KeyWrapper {
  let text: string;
  try {
    if ((statSync(path).mode & 0o077) !== 0)
      throw new MasterKeyFault(`${name}: ${path} may be read by others: chmod 600 it`);
    text = readFileSync(path, 'latin1');
  } catch (error) {
    if (error instanceof MasterKeyFault) throw error;
    throw new MasterKeyFault(`${name}: ${path} cannot be read: ${reasonOf(error)}`);
  }
  return localWrapper(text, `${name} (${path})`);
}

/** Makes the file where it is not there; gives true where this call made it. */
export function makeKeyFile(path: string): boolean {
  try {
    return makeSecretFile(path, `${randomBytes(BYTES).toString('base64')}\n`);
  } catch (error) {
    throw new MasterKeyFault(`the master key cannot be written to ${path}: ${reasonOf(error)}`);
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
