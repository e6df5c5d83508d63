/**
 * How rows hold what is sealed: bytes as they are; text, and JSON as one string, in base64. Rows of a release that did not
 * seal are read as they are, until all of them were sealed (`npm run keys -- reseal`); after that they are refused.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { SealBroken, type Sealer } from '../core/sealing.ts';

/** What base64 makes of the first bytes of everything sealed (hub/security/keyring.ts). */
export const SEALED_TEXT = 'HSv1';

const refuseClear = (fields: Sealer): void => {
  if (!fields.acceptsClear) throw new SealBroken('clear');
};

export function openBytes(fields: Sealer, stored: Buffer, context: string): Buffer {
  if (fields.isSealed(stored)) return fields.open(stored, context);
  refuseClear(fields);
  return stored;
}

/** What is sealed PostgreSQL can compress no longer; a small text gains nothing by it. */
const PACK_FROM = 1_024;
/** No text of a row begins with it. */
const PACKED = 0;

function packed(text: string): Buffer {
  const plain = Buffer.from(text);
  return plain.length < PACK_FROM ? plain : Buffer.concat([Buffer.of(PACKED), deflateRawSync(plain, { level: 1 })]);
}

const unpacked = (plain: Buffer): string =>
  (plain[0] === PACKED ? inflateRawSync(plain.subarray(1)) : plain).toString();

export const sealText = (fields: Sealer, text: string, context: string): string =>
  fields.seal(packed(text), context).toString('base64');

export function openText(fields: Sealer, stored: string, context: string): string {
  if (stored.startsWith(SEALED_TEXT)) return unpacked(fields.open(Buffer.from(stored, 'base64'), context));
  refuseClear(fields);
  return stored;
}

/** A string, where the plain value is an object or a list: a jsonb column holds either. */
export const sealJson = (fields: Sealer, value: object, context: string): string =>
  sealText(fields, JSON.stringify(value), context);

/** The value was written by `sealJson` of its own shape, or by a release that kept it plain. */
export function openJson<T extends object>(fields: Sealer, stored: T | string, context: string): T {
  if (typeof stored === 'string') return JSON.parse(openText(fields, stored, context)) as T;
  refuseClear(fields);
  return stored;
}
