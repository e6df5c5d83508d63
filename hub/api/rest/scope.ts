/**
 * Whose operations a caller sees: who is bound to one site sees that site's and, of others, not even that they are there.
 * What all operations of this tag ask before they answer.
 */
import { decide, type Caller } from '../../core/access.ts';
import { problem, type Problem } from '../../core/problem.ts';
import type { Disclosure, Refused } from './operation.ts';

export const notFound = (): Refused => ({ problem: problem('not-found') });

/** The filter with the caller's own site in it; null: another site was asked for. */
export function ownSite<T extends { readonly site?: string | undefined }>(
  caller: Caller,
  filter: T,
): (Omit<T, 'site'> & { readonly site?: string }) | null {
  const { site, ...rest } = filter;
  if (caller.site === undefined) return site === undefined ? rest : { ...rest, site };
  return site === undefined || site === caller.site ? { ...rest, site: caller.site } : null;
}

export const isTheirs = (caller: Caller, site: string | null): boolean =>
  caller.site === undefined || caller.site === site;

/** Why the caller may not see all that stands in a message of this site; null: they may. */
export function rawRefusal(caller: Caller, site: string | null): Problem | null {
  const decision = decide(caller, { kind: 'read-raw', ...(site === null ? {} : { site }) });
  return decision.allowed ? null : problem('forbidden', undefined, decision.reason);
}

export const FOREIGN: Refused = { problem: problem('forbidden', 'site', 'This belongs to another site.') };

export const disclosed = (
  action: Disclosure['action'],
  object: string,
  more: { readonly persons?: readonly string[]; readonly reason?: string } = {},
): Disclosure => ({
  action,
  persons: more.persons ?? [],
  objects: [object],
  ...(more.reason === undefined ? {} : { reason: more.reason }),
});

/** Only the members that were asked for, times in UTC. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the contract has checked the shape that the caller names
export function asked<T extends object>(filter: object): T {
  const utc = (name: string, value: unknown): unknown =>
    (name === 'from' || name === 'to') && typeof value === 'string' ? new Date(value).toISOString() : value;
  const entries = Object.entries(filter).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, utc(name, value)])) as T;
}
