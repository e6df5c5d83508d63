/**
 * Text that must lie in the database without being read there, for rooms that know of no rows: second factors, answers of
 * identity providers, addresses of subscribers, names of guardians. Sealed under the data keys as rows are (core/sealing.ts);
 * what a release before sealed under a key of its own still opens, and `npm run keys -- reseal` seals it anew.
 */
import { createDecipheriv, createHmac } from 'node:crypto';
import { SealBroken, type Sealer } from '../core/sealing.ts';

export interface Seal {
  close(text: string): string;
  /** Throws where another key sealed it, or somebody changed it: that is no expected failure. What was never sealed stays. */
  open(sealed: string): string;
}

const MARK = 'sealed:';
const [NONCE, TAG] = [12, 16];

/** `purpose` keeps texts of several ends from being exchanged; `former` is the key of a release before. */
export function createSeal(fields: Sealer, purpose: string, former: Uint8Array): Seal {
  const context = `seal ${purpose}`;
  return {
    close: (text) => fields.seal(Buffer.from(text), context).toString('base64'),
    open(sealed) {
      if (sealed.startsWith(MARK)) return openFormer(Buffer.from(sealed.slice(MARK.length), 'base64'), former, context);
      const bytes = Buffer.from(sealed, 'base64');
      return fields.isSealed(bytes) ? fields.open(bytes, context).toString() : sealed;
    },
  };
}

function openFormer(bytes: Buffer, key: Uint8Array, context: string): string {
  const own = createHmac('sha256', key).update(context).digest();
  const decipher = createDecipheriv('aes-256-gcm', own, bytes.subarray(0, NONCE), { authTagLength: TAG });
  decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
  const plain = decipher.update(bytes.subarray(NONCE + TAG));
  try {
    return Buffer.concat([plain, decipher.final()]).toString('utf8');
  } catch {
    throw new SealBroken('changed');
  }
}
