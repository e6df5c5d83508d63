/**
 * How one value is sealed under one data key, by either algorithm. XAES-256-GCM (C2SP): AES-256-GCM under a key derived
 * per nonce (NIST SP 800-108r1), so that random nonces last for 2^80 values where plain GCM ends at 2^32, which a busy
 * province reaches in a week. SM4-CTR (GB/T 32907) with HMAC-SM3 (GB/T 32905) over nonce, context and ciphertext.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  getCiphers,
  getHashes,
  hkdfSync,
  randomFillSync,
  timingSafeEqual,
} from 'node:crypto';
import { MasterKeyFault, type SealAlgorithm } from '../core/sealing.ts';

/** One key, one algorithm. `aad` is authenticated and not stored. */
export interface FieldCipher {
  /** nonce, ciphertext, tag. */
  encrypt(plain: Uint8Array, aad: Uint8Array): Buffer[];
  /** null where anything differs from what was encrypted. */
  decrypt(sealed: Uint8Array, aad: Uint8Array): Buffer | null;
}

/** Rejects at the start, where an OpenSSL was built without the national algorithms. */
export function requireAlgorithm(algorithm: SealAlgorithm): void {
  const has = getCiphers().includes('sm4-ctr') && getHashes().includes('sm3');
  if (algorithm === 'sm4-ctr-hmac-sm3' && !has)
    throw new MasterKeyFault(
      'this Node was built without SM4 and SM3: set HUB_SEAL_ALGORITHM=aes-256-gcm, or use another',
    );
}

export function fieldCipher(algorithm: SealAlgorithm, key: Uint8Array): FieldCipher {
  return algorithm === 'aes-256-gcm' ? xaesGcm(key) : sm4Hmac(key);
}

/** Random bytes are drawn in blocks: a call for each nonce would cost as much as the sealing. */
const POOL = Buffer.alloc(6_144);
let drawn = POOL.length;
function nonceOf(length: number): Buffer {
  if (drawn + length > POOL.length) {
    randomFillSync(POOL);
    drawn = 0;
  }
  drawn += length;
  // A copy: the pool is overwritten later.
  return Buffer.from(POOL.subarray(drawn - length, drawn));
}

const [X_NONCE, GCM_TAG] = [24, 16];

function block(key: Uint8Array, input: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-ecb', key, null);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(input), cipher.final()]);
}

/** CMAC's first subkey (NIST SP 800-38B §6.1): doubling in GF(2^128). */
function doubled(from: Buffer): Buffer {
  const out = Buffer.alloc(16);
  let carry = 0;
  for (let i = 15; i >= 0; i -= 1) {
    const byte = from.readUInt8(i);
    out.writeUInt8(((byte << 1) | carry) & 0xff, i);
    carry = byte >> 7;
  }
  if (carry === 1) out.writeUInt8(out.readUInt8(15) ^ 0x87, 15);
  return out;
}

/** One derived key seals so many values before the next is drawn: deriving costs as much as sealing a small one. */
const PER_DERIVED = 2 ** 16;
/** Derived keys that are kept for opening. */
const KEPT = 512;

/** https://c2sp.org/XAES-256-GCM: the first half of the nonce makes the key, the second is GCM's own. */
function xaesGcm(key: Uint8Array): FieldCipher {
  const subkey = doubled(block(key, Buffer.alloc(16)));
  const derive = (half: Buffer): Buffer => {
    const input = Buffer.concat([Buffer.from([0, 1, 0x58, 0]), half, Buffer.from([0, 2, 0x58, 0]), half]);
    for (let i = 0; i < 32; i += 1) input.writeUInt8(input.readUInt8(i) ^ subkey.readUInt8(i % 16), i);
    return block(key, input);
  };
  const kept = new Map<string, Buffer>();
  const keyFor = (half: Buffer): Buffer => {
    const name = half.toString('latin1');
    const known = kept.get(name) ?? derive(half);
    if (kept.size >= KEPT && !kept.has(name)) for (const oldest of kept.keys()) if (kept.delete(oldest)) break;
    kept.set(name, known);
    return known;
  };
  let sealing: { half: Buffer; key: Buffer; left: number } = { half: Buffer.alloc(0), key: Buffer.alloc(0), left: 0 };
  return {
    encrypt(plain, aad) {
      if (sealing.left === 0) {
        const half = nonceOf(X_NONCE / 2);
        sealing = { half, key: derive(half), left: PER_DERIVED };
      }
      sealing.left -= 1;
      const own = nonceOf(X_NONCE / 2);
      const cipher = createCipheriv('aes-256-gcm', sealing.key, own);
      cipher.setAAD(aad);
      // GCM pads nothing: all is in the first part, `final` only closes it.
      return [sealing.half, own, cipher.update(plain), cipher.final(), cipher.getAuthTag()];
    },
    decrypt(sealed, aad) {
      if (sealed.length < X_NONCE + GCM_TAG) return null;
      const half = Buffer.from(sealed.subarray(0, X_NONCE / 2));
      const own = sealed.subarray(X_NONCE / 2, X_NONCE);
      const decipher = createDecipheriv('aes-256-gcm', keyFor(half), own, { authTagLength: GCM_TAG });
      decipher.setAAD(aad);
      decipher.setAuthTag(sealed.subarray(sealed.length - GCM_TAG));
      const plain = decipher.update(sealed.subarray(X_NONCE, sealed.length - GCM_TAG));
      try {
        decipher.final();
        return plain;
      } catch {
        return null; // the tag: who asked tells it
      }
    },
  };
}

const [CTR_NONCE, MAC] = [16, 32];

/** Encrypt-then-MAC with two keys derived of one (HKDF with SM3), the lengths in the MAC so that no two inputs are one. */
function sm4Hmac(key: Uint8Array): FieldCipher {
  const derive = (use: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sm3', key, Buffer.alloc(0), `sm4-ctr-hmac-sm3 ${use}`, length));
  const [encryption, authentication] = [derive('encryption', 16), derive('authentication', 32)];
  const macOf = (aad: Uint8Array, nonceAndText: readonly Uint8Array[]): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(aad.length);
    const mac = createHmac('sm3', authentication).update(length).update(aad);
    for (const part of nonceAndText) mac.update(part);
    return mac.digest();
  };
  return {
    encrypt(plain, aad) {
      const nonce = nonceOf(CTR_NONCE);
      const cipher = createCipheriv('sm4-ctr', encryption, nonce);
      const text = [cipher.update(plain), cipher.final()];
      return [nonce, ...text, macOf(aad, [nonce, ...text])];
    },
    decrypt(sealed, aad) {
      if (sealed.length < CTR_NONCE + MAC) return null;
      const end = sealed.length - MAC;
      if (!timingSafeEqual(macOf(aad, [sealed.subarray(0, end)]), sealed.subarray(end))) return null;
      const decipher = createDecipheriv('sm4-ctr', encryption, sealed.subarray(0, CTR_NONCE));
      return Buffer.concat([decipher.update(sealed.subarray(CTR_NONCE, end)), decipher.final()]);
    },
  };
}
