/**
 * Text that must lie in the database without being read there: AES-256-GCM (GB/T 39786 would have SM4-GCM in its place).
 * Who has the key and the table reads it; who sees the table alone, a dump or a log of it, does not.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

export interface Seal {
  close(text: string): string;
  /** Rejects what another key sealed, or somebody changed: that is no expected failure. What was never sealed stays. */
  open(sealed: string): string;
}

const MARK = 'sealed:';
const [NONCE, TAG] = [12, 16];

/** `purpose` makes one key serve several ends without their texts being exchangeable. */
export function createSeal(key: Uint8Array, purpose: string): Seal {
  const own = createHmac('sha256', key).update(`seal ${purpose}`).digest();
  return {
    close(text) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv('aes-256-gcm', own, nonce);
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return MARK + Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
    },
    open(sealed) {
      if (!sealed.startsWith(MARK)) return sealed;
      const bytes = Buffer.from(sealed.slice(MARK.length), 'base64');
      const decipher = createDecipheriv('aes-256-gcm', own, bytes.subarray(0, NONCE));
      decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
      return Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]).toString('utf8');
    },
  };
}
