/** `_include` and `_revinclude`: what a page's resources refer to, and what refers to them, each once and bounded. */
import type { FhirStore, StoredVersion } from '../../core/fhir.ts';
import { isResourceType } from '../../../mappings/fhir/parameters.ts';
import { referencesOf } from './resolve.ts';
import type { Include } from './search-request.ts';

/** Included resources per page, and how often `:iterate` goes on from what it found. */
export const INCLUDE_LIMIT = 1000;
const ROUNDS = 4;

export interface Included {
  readonly versions: readonly StoredVersion[];
  readonly cut: boolean;
}

export async function included(
  store: FhirStore,
  matches: readonly StoredVersion[],
  includes: readonly Include[],
  revincludes: readonly Include[],
): Promise<Included> {
  const seen = new Set(matches.map(keyOf));
  const found: StoredVersion[] = [];
  let from = matches;
  for (let round = 0; round < ROUNDS && from.length > 0; round++) {
    const now = (include: Include): boolean => round === 0 || include.iterate;
    const next = [
      ...(await forwards(store, from, includes.filter(now), seen)),
      ...(await backwards(store, from, revincludes.filter(now), seen)),
    ];
    if (found.length + next.length > INCLUDE_LIMIT)
      return { versions: [...found, ...next].slice(0, INCLUDE_LIMIT), cut: true };
    found.push(...next);
    from = next;
  }
  return { versions: found, cut: false };
}

const keyOf = (version: StoredVersion): string => `${version.type}/${version.id}`;

async function forwards(
  store: FhirStore,
  from: readonly StoredVersion[],
  includes: readonly Include[],
  seen: Set<string>,
): Promise<StoredVersion[]> {
  const wanted = new Map<string, string[]>();
  for (const include of includes)
    for (const version of from) {
      if (version.type !== include.source) continue;
      for (const reference of referencesOf(version, include.source, include.param)) {
        const [type = '', id = ''] = reference.split('/');
        if (!isResourceType(type) || (include.target !== null && include.target !== type)) continue;
        if (seen.has(reference)) continue;
        seen.add(reference);
        wanted.set(type, [...(wanted.get(type) ?? []), id]);
      }
    }
  const found: StoredVersion[] = [];
  for (const [type, ids] of wanted) found.push(...(await store.fetch(type, ids.slice(0, INCLUDE_LIMIT + 1))));
  return found;
}

async function backwards(
  store: FhirStore,
  from: readonly StoredVersion[],
  revincludes: readonly Include[],
  seen: Set<string>,
): Promise<StoredVersion[]> {
  const found: StoredVersion[] = [];
  for (const { source, param, target } of revincludes) {
    const targets = from.filter((version) => target === null || version.type === target);
    if (param === null || targets.length === 0) continue;
    const any = targets.map((version) => `${param}=${keyOf(version)}`);
    const ids = await store.search({
      type: source,
      criteria: [{ kind: 'tokens', any, negate: false, selective: true }],
      sort: [{ by: 'updated', descending: true }],
      limit: INCLUDE_LIMIT + 1,
    });
    const fresh = ids.filter((id) => !seen.has(`${source}/${id}`));
    for (const id of fresh) seen.add(`${source}/${id}`);
    found.push(...(await store.fetch(source, fresh)));
  }
  return found;
}
