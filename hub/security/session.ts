/** The two cookies of a browser session: one that only the server reads, and one that shows a script is the hub's own. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { DEVICE_SECONDS } from './device.ts';

export const SESSION_COOKIE = 'hutong_session';
export const DEVICE_COOKIE = 'hutong_device';
export const CSRF_COOKIE = 'hutong_csrf';
export const CSRF_HEADER = 'x-hutong-csrf';

const PASS = /^[A-Za-z0-9_-]{43}$/;

/** 256 random bits: what the cookie holds. */
export const drawPass = (): string => randomBytes(32).toString('base64url');

/** What the store knows of a pass; null: it is none. */
export const hashPass = (pass: string): Buffer | null =>
  PASS.test(pass) ? createHash('sha256').update(pass).digest() : null;

/** Bound to the session, so that a cookie planted from a sibling host fits no session that it did not come with. */
export const csrfOf = (pass: string): string => createHmac('sha256', pass).update('csrf').digest('base64url');

export function isCsrf(pass: string, told: unknown): boolean {
  const [wanted, given] = [Buffer.from(csrfOf(pass)), Buffer.from(typeof told === 'string' ? told : '')];
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

/** RFC 6265 §5.4: of cookies with one name the first is the one with the longest path. */
export function cookieOf(header: string | undefined, name: string): string | null {
  for (const pair of (header ?? '').slice(0, 16_384).split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return null;
}

/** `Set-Cookie` of a session; `pass` null takes both cookies away. */
export function sessionCookies(pass: string | null, secure: boolean): readonly string[] {
  const rest = `Path=/; SameSite=Lax${secure ? '; Secure' : ''}${pass === null ? '; Max-Age=0' : ''}`;
  return [
    `${SESSION_COOKIE}=${pass ?? ''}; HttpOnly; ${rest}`,
    `${CSRF_COOKIE}=${pass === null ? '' : csrfOf(pass)}; ${rest}`,
  ];
}

/** `Set-Cookie` of a device (device.ts): it goes to signing on alone, and stays when the session ends. */
export const deviceCookie = (token: string, secure: boolean): string =>
  `${DEVICE_COOKIE}=${token}; HttpOnly; Path=/api/v1/session; SameSite=Lax; Max-Age=${String(DEVICE_SECONDS)}${secure ? '; Secure' : ''}`;
