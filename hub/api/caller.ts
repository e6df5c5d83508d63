/** Who is calling, as the authentication middleware found it; null where nobody was. Faces decide with `core/access`. */
import type { Response } from 'express';
import type { Caller } from '../core/access.ts';

export function callerOf(response: Response): Caller | null {
  return (response.locals as { caller?: Caller | null }).caller ?? null;
}

/** With the browser or program it names itself; of that a line is enough, and control characters are nobody's name. */
export function setCaller(response: Response, caller: Caller | null): void {
  const named = (response.req as Partial<Response['req']> | undefined)?.get?.('user-agent') ?? '';
  const agent = named.replace(/[^ -~]/g, '').slice(0, MOST_AGENT);
  (response.locals as { caller?: Caller | null }).caller =
    caller === null || agent === '' ? caller : { ...caller, agent };
}

const MOST_AGENT = 200;
