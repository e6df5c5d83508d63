/** Search: one question to the index, then pages over the ids as they stood when it was asked (R4 §3.1.1). */
import type { Bundle, BundleEntry } from 'fhir/r4.js';
import { SearchTimeout, type FhirStore, type StoredVersion } from '../../core/fhir.ts';
import type { ResourceType } from '../../../mappings/fhir/parameters.ts';
import { included, INCLUDE_LIMIT } from './include.ts';
import { NOBODY, outcome, refusal, touchedBy, type Fault, type Reply } from './reply.ts';
import { render, WHOLE, type Shape } from './resource.ts';
import { resolve } from './resolve.ts';
import type { Include, SearchRequest } from './search-request.ts';

/** Most resources one search pages through; a wider one must be narrowed, and says so. */
export const RESULT_LIMIT = 10_000;

export interface Place {
  /** `https://hub.example` and `https://hub.example/fhir`. */
  readonly origin: string;
  readonly base: string;
}

/** All that a page needs besides its ids: kept with them, so that every page is made alike. */
interface PageState {
  readonly self: string;
  readonly count: number;
  readonly total: number | null;
  readonly shape: Shape;
  readonly includes: readonly Include[];
  readonly revincludes: readonly Include[];
  readonly warnings: readonly Pick<Fault, 'code' | 'text' | 'expression'>[];
}

export const tooLong = (): Reply =>
  refusal({
    status: 400,
    code: 'too-costly',
    text: 'the search took too long; narrow it by an identifier or a patient',
  });

export async function search(store: FhirStore, request: SearchRequest, callerId: string, place: Place): Promise<Reply> {
  try {
    return await searchWithin(store, request, callerId, place);
  } catch (error) {
    if (error instanceof SearchTimeout) return tooLong();
    throw error;
  }
}

async function searchWithin(store: FhirStore, request: SearchRequest, callerId: string, place: Place): Promise<Reply> {
  const criteria = await resolve(store, request.asked);
  if (!criteria.ok) return refusal(criteria.fault);
  const asked = { type: request.type, criteria: criteria.value };
  const self = selfLink(request, place);
  if (request.shape.summary === 'count' || request.count === 0) {
    const warnings = outcomeEntry(request.warnings);
    return answer({
      resourceType: 'Bundle',
      type: 'searchset',
      total: await store.count(asked),
      link: [{ relation: 'self', url: self }],
      ...(warnings === null ? {} : { entry: [warnings] }),
    });
  }
  const sort = request.sort.length > 0 ? request.sort : [{ by: 'updated' as const, descending: true }];
  const found = await store.search({ ...asked, sort, limit: RESULT_LIMIT + 1 });
  const cut = found.length > RESULT_LIMIT;
  const ids = cut ? found.slice(0, RESULT_LIMIT) : found;
  const counted = cut && request.total === 'accurate' && request.used.some(([name]) => name === '_total');
  const state: PageState = {
    self,
    count: request.count,
    total: request.total === 'none' ? null : counted ? await store.count(asked) : cut ? null : ids.length,
    shape: request.shape,
    includes: request.includes,
    revincludes: request.revincludes,
    warnings: cut ? [...request.warnings, CUT] : request.warnings,
  };
  const handle =
    ids.length > request.count
      ? await store.savePages({ callerId, type: request.type, ids, state: JSON.stringify(state) })
      : null;
  return page(store, request.type, ids, state, handle, 0, place);
}

const CUT = {
  code: 'too-costly',
  text: `more than ${String(RESULT_LIMIT)} resources match: these are the first; narrow the search to see the others`,
} as const;

/** A page of a saved result; `address` is what stood in `_page`. */
export async function savedPage(
  store: FhirStore,
  type: ResourceType,
  address: string,
  callerId: string,
  place: Place,
): Promise<Reply> {
  const match = /^([0-9a-f]{32})\.(\d{1,6})$/.exec(address);
  const handle = match?.[1] ?? '';
  const saved = await store.pages(handle, callerId);
  const offset = Number(match?.[2] ?? 0);
  if (saved?.type !== type || offset >= saved.ids.length) {
    return refusal({ status: 410, code: 'expired', text: 'this page is unknown or has expired; search again' });
  }
  return page(store, type, saved.ids, JSON.parse(saved.state) as PageState, handle, offset, place);
}

async function page(
  store: FhirStore,
  type: ResourceType,
  ids: readonly string[],
  state: PageState,
  handle: string | null,
  offset: number,
  place: Place,
): Promise<Reply> {
  const matches = await store.fetch(type, ids.slice(offset, offset + state.count));
  const more = await included(store, matches, state.includes, state.revincludes);
  const warnings = outcomeEntry(more.cut ? [...state.warnings, INCLUDES_CUT] : state.warnings);
  const entry: BundleEntry[] = [
    ...matches.map((version) => entryOf(version, 'match', state.shape, place)),
    // R4 §3.1.1.5.4: what is included is whole, whatever elements of the matches were asked for.
    ...more.versions.map((version) => entryOf(version, 'include', WHOLE, place)),
    ...(warnings === null ? [] : [warnings]),
  ];
  const bundle: Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    ...(state.total === null ? {} : { total: state.total }),
    link: links(type, ids.length, state, handle, offset, place),
    ...(entry.length === 0 ? {} : { entry }),
  };
  return { ...answer(bundle), touched: touchedBy([...matches, ...more.versions]) };
}

const INCLUDES_CUT = {
  code: 'too-costly',
  text: `more than ${String(INCLUDE_LIMIT)} resources are to be included with this page: ask for smaller pages`,
} as const;

const answer = (body: Bundle): Reply => ({ status: 200, body, headers: {}, touched: NOBODY });

function entryOf(version: StoredVersion, mode: 'match' | 'include', shape: Shape, place: Place): BundleEntry {
  return {
    fullUrl: `${place.base}/${version.type}/${version.id}`,
    resource: render(version, shape, place.origin),
    search: { mode },
  };
}

function outcomeEntry(warnings: PageState['warnings']): BundleEntry | null {
  return warnings.length === 0 ? null : { resource: outcome('warning', warnings), search: { mode: 'outcome' } };
}

function links(
  type: ResourceType,
  length: number,
  state: PageState,
  handle: string | null,
  offset: number,
  place: Place,
): NonNullable<Bundle['link']> {
  const url = (at: number): string => `${place.base}/${type}?_page=${handle ?? ''}.${String(at)}`;
  const self = { relation: 'self', url: state.self };
  if (handle === null) return [self];
  const last = Math.floor((length - 1) / state.count) * state.count;
  return [
    self,
    { relation: 'first', url: url(0) },
    ...(offset > 0 ? [{ relation: 'previous', url: url(Math.max(0, offset - state.count)) }] : []),
    ...(offset + state.count < length ? [{ relation: 'next', url: url(offset + state.count) }] : []),
    { relation: 'last', url: url(last) },
  ];
}

/** What was understood of the search, whether it came in the URL or in a form. */
function selfLink(request: SearchRequest, place: Place): string {
  const query = request.used.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return `${place.base}/${request.type}${query.length === 0 ? '' : `?${query.join('&')}`}`;
}
