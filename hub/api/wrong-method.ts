/** Paths that are known under another method: 405 with Allow (RFC 9110 §15.5.6), made from the routes themselves. */
import type { Response, Router } from 'express';
import type { Problem } from '../core/problem.ts';
import { problem } from '../core/problem.ts';
import { callerOf } from './caller.ts';

/**
 * Called when every route stands; what comes after it is for paths that nobody knows. OPTIONS is left to Express. Who is
 * nobody hears 401 here as everywhere.
 */
export function refuseWrongMethods(
  router: Router,
  answer: (response: Response, found: Problem, status: number) => void,
): void {
  const served = new Map<string, Set<string>>();
  for (const { route } of router.stack) {
    if (route === undefined || typeof route.path !== 'string') continue;
    const methods = served.get(route.path) ?? new Set<string>();
    for (const { method } of route.stack) methods.add(method.toUpperCase());
    if (methods.has('GET')) methods.add('HEAD');
    served.set(route.path, methods);
  }
  for (const [path, methods] of served)
    router.all(path, (request, response, next) => {
      if (request.method === 'OPTIONS') {
        next();
        return;
      }
      if (callerOf(response) === null) {
        answer(response, problem('unauthenticated'), 401);
        return;
      }
      const allow = [...methods].join(', ');
      response.set('Allow', allow);
      answer(response, problem('unsupported-message', 'method', `This path takes ${allow}.`), 405);
    });
}
