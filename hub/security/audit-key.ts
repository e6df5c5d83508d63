/**
 * The keys that anchors of the audit are signed with: a PEM file whose first private key signs, and whose every key is
 * trusted, so that a key is changed by putting the next one before it. Ed25519, or SM2 with SM3 (GB/T 32918).
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  sign,
  verify,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import type { AnchorCheck, AnchorKey } from '../core/audit-anchor.ts';
import { makeSecretFile } from './secret-file.ts';

export interface AuditKeys {
  readonly signer: AnchorKey;
  readonly check: AnchorCheck;
  /** Secrets for keyed chains, one of each private key. */
  readonly seals: readonly { readonly id: string; readonly secret: Uint8Array }[];
}

/** What is wrong with a key file, in words that follow its variable's name. */
export class KeyFault extends Error {}

const BLOCK = /-----BEGIN ((?:EC )?PRIVATE KEY|PUBLIC KEY)-----[\s\S]+?-----END \1-----/g;

/** Node tells the curve of an SM2 key from its own making, and nothing of one that it has read. */
const isEd25519 = (key: KeyObject): boolean => key.asymmetricKeyType === 'ed25519';
const SM2_OID = Buffer.from('06082a811ccf5501822d', 'hex');

function digestOf(key: KeyObject): 'sm3' | null {
  if (isEd25519(key)) return null;
  const der = key.type === 'private' ? createPublicKey(key) : key;
  if (der.export({ type: 'spki', format: 'der' }).includes(SM2_OID)) return 'sm3';
  throw new KeyFault('a PEM file of Ed25519 or SM2 keys');
}

/** Of the public key, so that it can be compared by telephone. */
function idOf(key: KeyObject): string {
  const open = key.type === 'private' ? createPublicKey(key) : key;
  return createHash('sha256')
    .update(open.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 32);
}

export function readAuditKeys(pem: string): AuditKeys {
  const keys = [...pem.matchAll(BLOCK)].map(([block, label]) => {
    try {
      return label === 'PUBLIC KEY' ? createPublicKey(block) : createPrivateKey(block);
    } catch {
      throw new KeyFault('a PEM file of Ed25519 or SM2 keys, without a passphrase');
    }
  });
  const own = keys.find(({ type }) => type === 'private');
  if (own === undefined) throw new KeyFault('a PEM file whose first private key signs the anchors of the audit');
  const digest = digestOf(own);
  const trusted = new Map(keys.map((key) => [idOf(key), { key, digest: digestOf(key) }]));
  return {
    signer: { id: idOf(own), sign: (text) => sign(digest, Buffer.from(text), own).toString('base64') },
    check: (id, text, signature) => {
      const known = trusted.get(id);
      if (known === undefined) return null;
      const open = known.key.type === 'private' ? createPublicKey(known.key) : known.key;
      return verify(known.digest, Buffer.from(text), open, Buffer.from(signature, 'base64'));
    },
    seals: keys
      .filter(({ type }) => type === 'private')
      .map((key) => {
        const material = key.export({ type: 'pkcs8', format: 'der' });
        return { id: idOf(key), secret: new Uint8Array(hkdfSync('sha256', material, '', 'hutong audit chain', 32)) };
      }),
  };
}

/** The file's keys; at a first start one is made where none is, which only its owner may read. */
export function openAuditKeys(path: string, make: boolean): AuditKeys {
  if (make && !existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    makeSecretFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  }
  let pem = '';
  try {
    if ((statSync(path).mode & 0o077) !== 0) throw new KeyFault('a file that only its owner may read (chmod 600)');
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof KeyFault) throw error;
    throw new KeyFault('the path of a PEM file that can be read');
  }
  return readAuditKeys(pem);
}
