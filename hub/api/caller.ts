/** Who is calling, as the authentication middleware found it; null where nobody was. Faces decide with `core/access`. */
import type { Response } from 'express';
import type { Caller } from '../core/access.ts';

export function callerOf(response: Response): Caller | null {
  return (response.locals as { caller?: Caller | null }).caller ?? null;
}

export function setCaller(response: Response, caller: Caller | null): void {
  (response.locals as { caller?: Caller | null }).caller = caller;
}
