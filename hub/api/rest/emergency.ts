/** What the REST face does about emergencies: the doctor's way in, the queue of reviews, and what it leaves behind. */
import { BREAK_GLASS_HOURS, type BreakGlassCase } from '../../core/break-glass.ts';
import { problem } from '../../core/problem.ts';
import { breakGlass, type BreakGlassDeps } from '../../flow/break-glass.ts';
import type { Disclosure, Handlers, Refused } from './operation.ts';
import { pageOf } from './page.ts';

export type EmergencyDeps = BreakGlassDeps;

const notFound = (): Refused => ({ problem: problem('not-found') });

const disclosed = (action: Disclosure['action'], cases: readonly BreakGlassCase[], reason?: string): Disclosure => ({
  action,
  persons: [...new Set(cases.map(({ personId }) => personId))],
  objects: cases.map(({ grantId }) => `break-glass/${grantId}`),
  ...(reason === undefined ? {} : { reason }),
});

type Emergency = Pick<
  Handlers,
  'breakGlass' | 'endBreakGlass' | 'listOwnBreakGlass' | 'listBreakGlass' | 'readBreakGlass' | 'reviewBreakGlass'
>;

export function emergencyHandlers(deps: EmergencyDeps): Emergency {
  const { cases } = deps;
  return {
    breakGlass: async ({ body, caller }) => {
      const { personId, reason, text, hours = BREAK_GLASS_HOURS } = body;
      const result = await breakGlass(deps, { personId, reason, text, hours }, caller);
      // It is in the audit, or owed to it: a grant that stands is answered whatever is away beside it.
      if (!result.ok) return { problem: result.problem };
      const { isNew, found } = result.value;
      return isNew ? { status: 201, body: found, recorded: true } : { status: 200, body: found, recorded: true };
    },
    endBreakGlass: async ({ path, caller }) => {
      const result = await cases.end(path.id, caller);
      if (!result.ok) return { problem: result.problem };
      return {
        status: 200,
        body: result.value,
        disclosure: disclosed('change', [result.value], 'ended by the doctor'),
      };
    },
    listOwnBreakGlass: async ({ query, caller }) => {
      const accountId = caller.user?.accountId ?? caller.id;
      const { items, next } = await cases.list({ accountId }, pageOf(query));
      return { status: 200, body: { items: [...items], next }, disclosure: disclosed('search', items) };
    },
    listBreakGlass: async ({ query: { state, ...page } }) => {
      const { items, next } = await cases.list(state === undefined ? {} : { state }, pageOf(page));
      return { status: 200, body: { items: [...items], next }, disclosure: disclosed('search', items) };
    },
    readBreakGlass: async ({ path }) => {
      const found = await cases.grant(path.id);
      return found === null ? notFound() : { status: 200, body: found, disclosure: disclosed('read', [found]) };
    },
    reviewBreakGlass: async ({ path, body, caller }) => {
      const result = await cases.review(path.id, body, caller);
      if (!result.ok) return { problem: result.problem };
      return {
        status: 200,
        body: result.value,
        disclosure: disclosed('change', [result.value], `review: ${body.outcome}`),
      };
    },
  };
}
