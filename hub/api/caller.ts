/** Who is calling, as the authentication middleware found it; null where nobody was. Faces decide with `core/access`. */
import type { Request, Response } from 'express';
import type { Caller } from '../core/access.ts';
import { cookieOf, DEVICE_COOKIE, SESSION_COOKIE } from '../security/session.ts';
import type { Visitor } from './rest/operation.ts';

export function callerOf(response: Response): Caller | null {
  return (response.locals as { caller?: Caller | null }).caller ?? null;
}

/**
 * Who calls if it is asked again now, for an answer that lasts: null where the session, token or launch has ended since. The
 * same caller where the door gave no way to ask.
 */
export async function callerNow(response: Response): Promise<Caller | null> {
  const { again } = response.locals as { again?: () => Promise<Caller | null> };
  return again === undefined ? callerOf(response) : again();
}

/** With the browser or program it names itself; of that a line is enough, and control characters are nobody's name. */
export function setCaller(response: Response, caller: Caller | null, again?: () => Promise<Caller | null>): void {
  if (again !== undefined) (response.locals as { again?: () => Promise<Caller | null> }).again = again;
  const named = (response.req as Partial<Response['req']> | undefined)?.get?.('user-agent') ?? '';
  const agent = named.replace(/[^ -~]/g, '').slice(0, MOST_AGENT);
  (response.locals as { caller?: Caller | null }).caller =
    caller === null || agent === '' ? caller : { ...caller, agent };
}

/** Whose address it is: behind proxies that are trusted (HUB_TRUSTED_PROXIES) the one they tell. */
export const peerOf = (request: Request): string =>
  (request.ip ?? request.socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/i, '');

/** What the connection itself is, a trusted proxy says of it, or HUB_PUBLIC_URL does (app.ts). */
export const isSecure = (request: Request): boolean =>
  request.secure || (request.app.get('hub origin') as string | undefined)?.startsWith('https:') === true;

export const visitorOf = (request: Request): Visitor => ({
  peer: peerOf(request),
  pass: cookieOf(request.headers.cookie, SESSION_COOKIE),
  device: cookieOf(request.headers.cookie, DEVICE_COOKIE),
  secure: isSecure(request),
});
const MOST_AGENT = 200;
