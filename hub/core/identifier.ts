/**
 * Identifiers of the field as branded types, with the check digits their standards define, so that a string
 * that was never validated cannot stand where an identifier is expected.
 * The one file of core that may use node:crypto: derived identifiers are keyed hashes.
 */
import { createHmac } from 'node:crypto';

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

export type SiteId = Branded<string, 'SiteId'>;
/** ISO/IEC 9834 object identifier, dotted decimal, at most 64 characters where DICOM carries it. */
export type Oid = Branded<string, 'Oid'>;
/** DICOM unique identifier (PS3.5 §9): dotted decimal, at most 64 characters. */
export type Uid = Branded<string, 'Uid'>;
/** 18-character resident identity number (GB 11643-1999), canonical: upper-case X, check digit verified. */
export type ResidentId = Branded<string, 'ResidentId'>;
/** An identifier that the hub derived or drew itself; safe in URLs, says nothing about the person. */
export type HubId = Branded<string, 'HubId'>;

export const siteId = (text: string): SiteId => text as SiteId;

const UID = /^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/;

/** PS3.5 §9.1. Leading zeros in a component are forbidden there, yet seen in the field: `lenientUid` takes them. */
export function parseUid(text: string): Uid | null {
  return text.length <= 64 && UID.test(text) ? (text as Uid) : null;
}

/** Digits and dots only, at most 64: what field devices send as a UID. Never a path: no slash, no `..` survives. */
export function lenientUid(text: string): Uid | null {
  return text.length > 0 && text.length <= 64 && /^\d+(\.\d+)*$/.test(text) ? (text as Uid) : null;
}

export function parseOid(text: string): Oid | null {
  return text.length <= 128 && UID.test(text) ? (text as Oid) : null;
}

const RESIDENT_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2] as const;
const RESIDENT_CHECKS = '10X98765432';

/** ISO 7064 MOD 11-2 over the first 17 digits, as GB 11643-1999 §4 prescribes. */
export function residentCheck(first17: string): string {
  const sum = RESIDENT_WEIGHTS.reduce((total, weight, at) => total + weight * Number(first17[at]), 0);
  return RESIDENT_CHECKS.charAt(sum % 11);
}

export type ResidentIdResult =
  | { ok: true; id: ResidentId; birthDate: string; sex: 'male' | 'female'; warning?: 'implausible-birth' }
  | { ok: false; reason: 'empty' | 'format' | 'dummy' | 'check-digit' | 'birth-date' };

/**
 * Normalises (NFKC, blanks, x -> X, 15 -> 18 digits) and validates a resident identity number.
 * `birthDate` is YYYY-MM-DD. A division code that no longer exists is legal and not looked at (CODES §1.1).
 */
export function parseResidentId(text: string): ResidentIdResult {
  // Trailing NUL padding is seen in real feeds.
  let id = text
    .normalize('NFKC')
    .replace(/[\s\u0000]/g, '')
    .toUpperCase();
  if (id === '') return { ok: false, reason: 'empty' };
  if (/^\d{15}$/.test(id)) {
    // Sequences 996..999 were given to persons born in the 1800s: not upgraded blindly.
    if (/99[6-9]$/.test(id)) return { ok: false, reason: 'format' };
    const first17 = `${id.slice(0, 6)}19${id.slice(6)}`;
    id = first17 + residentCheck(first17);
  }
  if (!/^\d{17}[\dX]$/.test(id)) return { ok: false, reason: 'format' };
  if (/^(\d)\1{16}/.test(id) || id.startsWith('12345678')) return { ok: false, reason: 'dummy' };
  if (residentCheck(id) !== id[17]) return { ok: false, reason: 'check-digit' };
  const birthDate = `${id.slice(6, 10)}-${id.slice(10, 12)}-${id.slice(12, 14)}`;
  if (!isCalendarDate(birthDate)) return { ok: false, reason: 'birth-date' };
  const sex: 'male' | 'female' = Number(id[16]) % 2 === 1 ? 'male' : 'female';
  const result = { ok: true as const, id: id as ResidentId, birthDate, sex };
  return birthDate < '1900' ? { ...result, warning: 'implausible-birth' } : result;
}

/** True for a date of the proleptic Gregorian calendar written YYYY-MM-DD. */
export function isCalendarDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (month < 1 || month > 12 || day < 1 || year < 1) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day <= (days[month - 1] ?? 0);
}

const USCC_ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY';

/** Unified social credit code, GB 32100-2015: 18 characters, weights 3^i mod 31. */
export function isUscc(text: string): boolean {
  if (text.length !== 18) return false;
  let sum = 0;
  let weight = 1;
  for (let at = 0; at < 17; at++) {
    const value = USCC_ALPHABET.indexOf(text.charAt(at));
    if (value < 0) return false;
    sum += value * weight;
    weight = (weight * 3) % 31;
  }
  return USCC_ALPHABET.charAt((31 - (sum % 31)) % 31) === text[17];
}

/**
 * Derives hub identifiers from what they stand for. Keyed, so that an identifier in a URL cannot be turned back
 * into a patient number by trying all numbers (SECURITY §5); deterministic, so that replay is idempotent.
 */
export class Derivation {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    if (key.length < 32) throw new Error('the derivation key needs at least 32 bytes');
    this.#key = key;
  }

  /** RFC 9562 version 8 UUID of the parts; parts are length-prefixed so that no two lists collide. */
  id(...parts: readonly string[]): HubId {
    const hex = this.#mac(parts).subarray(0, 16).toString('hex').split('');
    hex[12] = '8';
    hex[16] = '89ab'.charAt(parseInt(hex[16] ?? '0', 16) & 3);
    const text = hex.join('');
    return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join(
      '-',
    ) as HubId;
  }

  /** A DICOM UID under 2.25 (PS3.5 §B.2), from the same keyed hash. */
  uid(...parts: readonly string[]): Uid {
    return `2.25.${BigInt(`0x${this.id(...parts).replaceAll('-', '')}`).toString()}` as Uid;
  }

  /** Base32 (RFC 4648, no padding) of the whole hash: the form of the provincial exam index (CODES §9). */
  base32(...parts: readonly string[]): string {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
    let bits = 0;
    let value = 0;
    let text = '';
    for (const byte of this.#mac(parts)) {
      value = (value << 8) | byte;
      bits += 8;
      while (bits >= 5) {
        text += alphabet.charAt((value >>> (bits - 5)) & 31);
        bits -= 5;
      }
      value &= (1 << bits) - 1;
    }
    return bits > 0 ? text + alphabet.charAt((value << (5 - bits)) & 31) : text;
  }

  #mac(parts: readonly string[]): Buffer {
    const mac = createHmac('sha256', this.#key);
    for (const part of parts) mac.update(`${String(Buffer.byteLength(part))}:`).update(part);
    return mac.digest();
  }
}
