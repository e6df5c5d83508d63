/** What a rendered resource is found by: its values under every parameter of its type, as the store's index takes them. */
import type { DocumentReference } from 'fhir/r4.js';
import type { DateRange, FhirBody, ProjectedResource, SearchValues, StoredVersion } from '../../hub/core/fhir.ts';
import type { Candidate } from './match.ts';
import { isResourceType, parametersOf, type Parameter, type Token } from './parameters.ts';
import { dateRange } from './search-date.ts';
import { grams, normalise } from './search-text.ts';

/** Longest text compared in a string search; what is longer is found by its beginning. */
const TEXT_LIMIT = 200;

const NOTHING: SearchValues = { tokens: [], present: [], dates: [null, null], strings: [], sortText: null };

export function projected(body: FhirBody & { readonly id?: string | undefined }): ProjectedResource {
  if (body.id === undefined) throw new Error(`a ${body.resourceType} was rendered without an id`);
  return { type: body.resourceType, id: body.id, body, search: searchValues(body) };
}

export function searchValues(body: FhirBody): SearchValues {
  if (!isResourceType(body.resourceType)) return NOTHING;
  const tokens = new Set<string>();
  const present: string[] = [];
  const dates: [DateRange | null, DateRange | null] = [null, null];
  const strings = new Map<string, { param: string; norm: string; exact: string }>();
  let sortText: string | null = null;
  for (const profile of (body as { meta?: { profile?: readonly string[] } }).meta?.profile ?? [])
    tokens.add(`_profile=${profile}`);
  for (const parameter of parametersOf(body.resourceType)) {
    const before = tokens.size + strings.size;
    if (parameter.kind === 'date') {
      const range = dateRange(parameter.of(body) ?? '');
      if (range && (parameter.column === 'date1' || parameter.column === 'date2')) {
        dates[parameter.column === 'date1' ? 0 : 1] = range;
        present.push(parameter.name);
      } else if (range && parameter.column === 'period') present.push(parameter.name);
      continue;
    }
    if (parameter.kind === 'string') {
      for (const entry of stringEntries(parameter.name, parameter.of(body))) {
        strings.set(`${entry.param}\n${entry.norm}\n${entry.exact}`, entry);
        for (const gram of grams(entry.norm, false)) tokens.add(gram);
        if (parameter.sorts) sortText ??= entry.norm;
      }
    } else for (const token of exactEntries(parameter, body)) tokens.add(token);
    if (tokens.size + strings.size > before) present.push(parameter.name);
  }
  return { tokens: [...tokens], present, dates, strings: [...strings.values()], sortText };
}

/** A resource that is rendered when asked for, with what it is matched by. */
export function candidateOf({ id, at, body }: StoredVersion): Candidate {
  const values = body === null ? NOTHING : searchValues(body);
  const { start, end } = (body as DocumentReference | null)?.context?.period ?? {};
  const high = new Date(Date.parse(at) + 1).toISOString();
  return { id, values, updated: { low: at, high }, period: periodOf(start, end) };
}

/** R4 §3.1.1.4.5: an end that is not given lies open. */
function periodOf(start: string | undefined, end: string | undefined): DateRange | null {
  if (start === undefined && end === undefined) return null;
  const low = dateRange(start ?? '')?.low ?? '0000';
  return { low, high: dateRange(end ?? '')?.high ?? '9999' };
}

function stringEntries(param: string, values: readonly string[]): { param: string; norm: string; exact: string }[] {
  return values.flatMap((value) => {
    const exact = Array.from(value).slice(0, TEXT_LIMIT).join('');
    const norm = normalise(exact);
    return norm === '' ? [] : [{ param, norm, exact }];
  });
}

function exactEntries(parameter: Exclude<Parameter, { kind: 'date' | 'string' }>, body: FhirBody): readonly string[] {
  switch (parameter.kind) {
    case 'token':
      return parameter.of(body).flatMap((token) => tokenEntries(parameter.name, token, parameter.implied));
    case 'uri':
    case 'reference':
      return parameter.of(body).map((value) => `${parameter.name}=${value}`);
  }
}

/** R4 §3.1.1.4.10: `code`, `system|code`, `|code` (no system) and `system|` are all exact matches. */
function tokenEntries(param: string, token: Token, implied: boolean): readonly string[] {
  const { system, code } = token;
  const entries: string[] = [];
  if (code !== undefined) {
    entries.push(`${param}=${code}`);
    if (!implied) entries.push(`${param}=${system ?? ''}|${code}`);
    for (const type of token.types ?? [])
      entries.push(`${param}:of-type=${type.system ?? ''}|${type.code ?? ''}|${code}`);
  }
  if (system !== undefined) entries.push(`${param}=${system}|`);
  return entries;
}
