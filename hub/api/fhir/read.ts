/** Read, vread and history of resources (R4 §3.1.0.1 to §3.1.0.2, §3.1.0.10), with the conditions of RFC 9110. */
import type { Bundle, BundleEntry } from 'fhir/r4.js';
import type { FhirStore, HistoryCursor, HistoryScope, StoredVersion } from '../../core/fhir.ts';
import { dateRange } from '../../../mappings/fhir/search-date.ts';
import { etag, httpDate, refusal, touchedBy, type Reply } from './reply.ts';
import { render, WHOLE, type Shape } from './resource.ts';
import type { Place } from './search.ts';

export interface Conditions {
  readonly ifNoneMatch?: string;
  readonly ifModifiedSince?: string;
}

const missing = (): Reply => refusal({ status: 404, code: 'not-found', text: 'there is no resource under this id' });
const gone = (version: StoredVersion): Reply =>
  refusal({
    status: 410,
    code: 'deleted',
    text: 'this resource was removed; its history can still be read',
    headers: { ETag: etag(version.version), 'Last-Modified': httpDate(version.at) },
  });

export async function read(
  store: FhirStore,
  type: string,
  id: string,
  shape: Shape,
  conditions: Conditions,
  place: Place,
): Promise<Reply> {
  const version = await store.read(type, id);
  if (!version) return missing();
  if (version.body === null) return gone(version);
  const reply = one(version, shape, place);
  return isUnchanged(version, conditions) ? { ...reply, status: 304, body: null } : reply;
}

export async function vread(store: FhirStore, type: string, id: string, number: string, place: Place): Promise<Reply> {
  if (!/^[1-9]\d{0,8}$/.test(number)) return missing();
  const version = await store.vread(type, id, Number(number));
  if (!version) return missing();
  return version.body === null ? gone(version) : one(version, WHOLE, place);
}

function one(version: StoredVersion, shape: Shape, place: Place): Reply {
  return {
    status: 200,
    body: render(version, shape, place.origin),
    headers: { ETag: etag(version.version), 'Last-Modified': httpDate(version.at) },
    touched: touchedBy([version]),
  };
}

/** RFC 9110 §13.1: If-Modified-Since counts only where no If-None-Match is given. */
function isUnchanged(version: StoredVersion, conditions: Conditions): boolean {
  if (conditions.ifNoneMatch !== undefined) {
    const tags = conditions.ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    return tags.includes('*') || tags.includes(`"${String(version.version)}"`);
  }
  const since = Date.parse(conditions.ifModifiedSince ?? '');
  return !Number.isNaN(since) && Math.floor(Date.parse(version.at) / 1000) * 1000 <= since;
}

const HISTORY_COUNT = { default: 20, most: 200 };

export async function history(
  store: FhirStore,
  scope: HistoryScope,
  parameters: URLSearchParams,
  place: Place,
): Promise<Reply> {
  const asked = historyPage(parameters);
  if (typeof asked === 'string')
    return refusal({
      status: 400,
      code: 'value',
      text: `${asked} has a value that is not understood`,
      expression: asked,
    });
  const found = await store.history(scope, { ...asked, limit: asked.limit + 1 });
  const versions = found.slice(0, asked.limit);
  const isInstance = scope.type !== undefined && scope.id !== undefined;
  if (isInstance && versions.length === 0 && !asked.before && asked.since === undefined) return missing();
  const path = ['', scope.type, scope.id, '_history'].filter((part) => part !== undefined).join('/');
  const keep = ['_count', '_since'].flatMap((name) => {
    const value = parameters.get(name);
    return value === null ? [] : [`${name}=${encodeURIComponent(value)}`];
  });
  const url = (extra: readonly string[]): string =>
    `${place.base}${path}${keep.length + extra.length === 0 ? '' : `?${[...keep, ...extra].join('&')}`}`;
  const before = parameters.get('_before');
  const link = [{ relation: 'self', url: url(before === null ? [] : [`_before=${encodeURIComponent(before)}`]) }];
  const last = versions.at(-1);
  if (found.length > asked.limit && last) link.push({ relation: 'next', url: url([`_before=${cursorText(last)}`]) });
  const bundle: Bundle = {
    resourceType: 'Bundle',
    type: 'history',
    // Counting all versions of all resources would cost more than it tells (R4 §2.36.3: total is optional).
    ...(isInstance ? { total: await store.countVersions(scope.type, scope.id, asked.since) } : {}),
    link,
    ...(versions.length === 0 ? {} : { entry: versions.map((version) => historyEntry(version, place)) }),
  };
  return { status: 200, body: bundle, headers: {}, touched: touchedBy(versions) };
}

function historyEntry(version: StoredVersion, place: Place): BundleEntry {
  const url = `${version.type}/${version.id}`;
  const method = version.body === null ? 'DELETE' : version.version === 1 ? 'POST' : 'PUT';
  const status = method === 'POST' ? '201 Created' : method === 'PUT' ? '200 OK' : '204 No Content';
  return {
    fullUrl: `${place.base}/${url}`,
    ...(version.body === null ? {} : { resource: render(version, WHOLE, place.origin) }),
    request: { method, url: method === 'POST' ? version.type : url },
    response: { status, etag: etag(version.version), lastModified: version.at },
  };
}

/** The name of the parameter that is wrong, or what was asked. */
function historyPage(
  parameters: URLSearchParams,
): string | { readonly limit: number; readonly since?: string; readonly before?: HistoryCursor } {
  const count = parameters.get('_count') ?? String(HISTORY_COUNT.default);
  if (!/^[1-9]\d{0,8}$/.test(count)) return '_count';
  const limit = Math.min(Number(count), HISTORY_COUNT.most);
  const since = parameters.get('_since');
  const from = since === null ? null : dateRange(since);
  if (since !== null && from === null) return '_since';
  const cursor = parameters.get('_before');
  const before = cursor === null ? null : parseCursor(cursor);
  if (cursor !== null && before === null) return '_before';
  return { limit, ...(from ? { since: from.low } : {}), ...(before ? { before } : {}) };
}

/** History only grows at its newer end, so a place in it is the last version seen. */
const cursorText = (version: StoredVersion): string =>
  [String(Date.parse(version.at)), version.type, version.id, String(version.version)].join('.');

function parseCursor(text: string): HistoryCursor | null {
  const match = /^(\d{1,15})\.([A-Za-z]{1,30})\.([A-Za-z0-9-]{1,64})\.([1-9]\d{0,8})$/.exec(text);
  if (!match) return null;
  const at = new Date(Number(match[1])).toISOString();
  return { at, type: match[2] ?? '', id: match[3] ?? '', version: Number(match[4]) };
}
