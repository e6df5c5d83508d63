/**
 * The second factor: time-based one-time passwords (RFC 6238) of a secret that only the person's device and, sealed, the
 * hub hold; and recovery codes for who has lost the device.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

const PERIOD = 30;
/** RFC 6238 §5.2: one step before and after, for clocks that differ. */
const WINDOW = 1;
/** RFC 4226 §4 R6: 160 bits. */
const SECRET_BYTES = 20;
const RECOVERY_CODES = 10;

export const drawSecret = (): string => new Secret({ size: SECRET_BYTES }).base32;

const totpOf = (secret: string, label = ''): TOTP =>
  new TOTP({
    issuer: 'Hutong',
    label,
    algorithm: 'SHA1',
    digits: 6,
    period: PERIOD,
    secret: Secret.fromBase32(secret),
  });

/** For the authenticator, as text and in a QR code. */
export const enrolmentUri = (secret: string, loginName: string): string => totpOf(secret, loginName).toString();

/** What an authenticator shows, as people type it; a recovery code is longer and has letters. */
export const isDeviceCode = (code: string): boolean => /^\d{6}$/.test(code.trim());

/** The step of the clock whose code this is; null: of none that may be taken now. Which were taken before is for the store. */
export function stepOf(secret: string, code: string, now: Date): number | null {
  if (!isDeviceCode(code)) return null;
  const delta = totpOf(secret).validate({ token: code.trim(), timestamp: now.getTime(), window: WINDOW });
  return delta === null ? null : Math.floor(now.getTime() / 1_000 / PERIOD) + delta;
}

/** 80 random bits each, in groups that can be typed. */
export const drawRecoveryCodes = (): string[] => Array.from({ length: RECOVERY_CODES }, () => drawCode(10));

/** Crockford's base 32: without I, L, O and U, which are misread. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** `bytes` must be a multiple of 5. */
export function drawCode(bytes: number): string {
  const bits = [...randomBytes(bytes)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const text = (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET.charAt(Number.parseInt(five, 2))).join('');
  return (text.match(/.{4}/g) ?? []).join('-');
}

/** A fast hash is right: the codes are random (hub/security/token.ts). As people type them: case and dashes do not count. */
export const hashCode = (code: string): Buffer =>
  createHash('sha256')
    .update(code.toUpperCase().replace(/[^0-9A-Z]/g, ''))
    .digest();
