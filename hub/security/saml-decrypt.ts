/**
 * An EncryptedAssertion or EncryptedID opened with the hub's key (XML Encryption 1.1, the part that SAML uses). RSA PKCS#1 v1.5 is not
 * taken: whoever may try often enough reads with it. CBC is, since what it hides must be signed inside.
 */
import { constants, createDecipheriv, privateDecrypt } from 'node:crypto';
import { childNamed, is } from '../../mappings/xds/xml.ts';
import type { XmlElement } from '../../mappings/xds/xml.ts';
import { DS } from '../../mappings/xds/xml-signature.ts';

const ENC = 'http://www.w3.org/2001/04/xmlenc#';
const ENC11 = 'http://www.w3.org/2009/xmlenc11#';
const CIPHERS: ReadonlyMap<string, readonly ['aes-128-cbc' | 'aes-256-cbc' | 'aes-128-gcm' | 'aes-256-gcm', number]> =
  new Map([
    [`${ENC}aes128-cbc`, ['aes-128-cbc', 16]],
    [`${ENC}aes256-cbc`, ['aes-256-cbc', 32]],
    [`${ENC11}aes128-gcm`, ['aes-128-gcm', 16]],
    [`${ENC11}aes256-gcm`, ['aes-256-gcm', 32]],
  ]);
const DIGESTS: ReadonlyMap<string, string> = new Map([
  [`${DS}sha1`, 'sha1'],
  [`${ENC}sha256`, 'sha256'],
  [`${ENC}sha512`, 'sha512'],
]);

/** null: it cannot be opened; why is nobody's business who may have made it. */
export function decryptElement(encrypted: XmlElement, privateKey: string): Buffer | null {
  const data = childNamed(encrypted, ENC, 'EncryptedData');
  if (!data) return null;
  const info = childNamed(data, DS, 'KeyInfo');
  // The key stands in the data's KeyInfo, or beside the data (SAML Core §6.2).
  const wrapped = (info && childNamed(info, ENC, 'EncryptedKey')) ?? childNamed(encrypted, ENC, 'EncryptedKey');
  const cipher = CIPHERS.get(childNamed(data, ENC, 'EncryptionMethod')?.attributes.get('Algorithm') ?? '');
  if (!wrapped || !cipher) return null;
  try {
    const key = unwrap(wrapped, privateKey);
    return key?.length === cipher[1] ? decipher(cipher[0], key, bytesOf(data)) : null;
  } catch (error) {
    if (error instanceof Error) return null;
    throw error;
  }
}

const bytesOf = (element: XmlElement): Buffer => {
  const data = childNamed(element, ENC, 'CipherData');
  return Buffer.from((data && childNamed(data, ENC, 'CipherValue')?.text) ?? '', 'base64');
};

function unwrap(wrapped: XmlElement, privateKey: string): Buffer | null {
  const method = childNamed(wrapped, ENC, 'EncryptionMethod');
  const algorithm = method?.attributes.get('Algorithm') ?? '';
  if (!method || ![`${ENC}rsa-oaep-mgf1p`, `${ENC11}rsa-oaep`].includes(algorithm)) return null;
  const told = method.children.find((one) => is(one, DS, 'DigestMethod'))?.attributes.get('Algorithm');
  const oaepHash = DIGESTS.get(told ?? `${DS}sha1`);
  if (oaepHash === undefined) return null;
  return privateDecrypt({ key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, bytesOf(wrapped));
}

function decipher(name: NonNullable<ReturnType<typeof CIPHERS.get>>[0], key: Buffer, bytes: Buffer): Buffer {
  if (name === 'aes-128-gcm' || name === 'aes-256-gcm') {
    const open = createDecipheriv(name, key, bytes.subarray(0, 12), { authTagLength: 16 });
    open.setAuthTag(bytes.subarray(-16));
    return Buffer.concat([open.update(bytes.subarray(12, -16)), open.final()]);
  }
  const open = createDecipheriv(name, key, bytes.subarray(0, 16)).setAutoPadding(false);
  const padded = Buffer.concat([open.update(bytes.subarray(16)), open.final()]);
  // XML Encryption §5.2: the last byte tells the length of the padding, whose other bytes may be anything.
  const length = padded.at(-1) ?? 0;
  if (length < 1 || length > 16) throw new Error('padding');
  return padded.subarray(0, padded.length - length);
}
