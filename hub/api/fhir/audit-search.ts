/** Search parameters of AuditEvent (R4 §6.4): what the store is asked for, and what is compared with the rendered codes. */
import { auditCodes, CLIENT_SYSTEM } from '../../../mappings/fhir/audit-event.ts';
import { prefixedDate } from '../../../mappings/fhir/search-date.ts';
import type { AuditCriteria, AuditPlace, AuditRecord } from '../../core/audit.ts';
import { faulty, parsed, type Fault, type Parsed } from './reply.ts';
import { splitValues, unescape } from './search-value.ts';

export interface AuditQuestion {
  readonly criteria: AuditCriteria;
  /** What the store does not know: the codes are derived from a record. */
  readonly matches: (record: AuditRecord) => boolean;
  readonly count: number;
  readonly after: AuditPlace | null;
  /** What was understood, for the links. */
  readonly used: readonly (readonly [name: string, value: string])[];
  readonly warnings: readonly Pick<Fault, 'code' | 'text' | 'expression'>[];
}

/** For the CapabilityStatement: name and kind of each. */
export const AUDIT_PARAMETERS = [
  ['_id', 'token'],
  ['action', 'token'],
  ['agent', 'reference'],
  ['agent-name', 'string'],
  ['date', 'date'],
  ['entity', 'reference'],
  ['outcome', 'token'],
  ['patient', 'reference'],
  ['subtype', 'token'],
  ['type', 'token'],
] as const;

const COUNT = { default: 50, most: 200 };
const MOST_VALUES = 50;
const OUTCOMES: Readonly<Record<string, AuditRecord['outcome']>> = { '0': 'success', '4': 'refused', '8': 'failure' };

interface Draft {
  criteria: Writable<AuditCriteria>;
  tests: ((record: AuditRecord) => boolean)[];
  used: (readonly [string, string])[];
  warnings: Pick<Fault, 'code' | 'text' | 'expression'>[];
  count: number;
  after: AuditPlace | null;
}
type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Reader = (draft: Draft, value: string, name: string) => Fault | null;

export function parseAuditSearch(
  pairs: readonly (readonly [string, string])[],
  context: { readonly base: string; readonly strict: boolean },
): Parsed<AuditQuestion> {
  const draft: Draft = { criteria: {}, tests: [], used: [], warnings: [], count: COUNT.default, after: null };
  for (const [name, value] of pairs) {
    if (name === '_format' || name === '_pretty' || value === '') continue;
    const read = READERS[name];
    if (read === undefined) {
      const text = 'this parameter is not supported here';
      if (context.strict) return faulty(400, 'not-supported', text, name);
      draft.warnings.push({ code: 'not-supported', text: `${text}; it was ignored`, expression: name.slice(0, 60) });
      continue;
    }
    const fault = read(draft, value.replace(`${context.base}/`, ''), name);
    if (fault !== null) return { ok: false, fault };
    if (name !== '_after') draft.used.push([name, value]);
  }
  const { criteria, tests, count, after, used, warnings } = draft;
  return parsed({ criteria, matches: (record) => tests.every((test) => test(record)), count, after, used, warnings });
}

const wrong = (name: string, text: string): Fault => ({ status: 400, code: 'value', text, expression: name });

/** Alternatives; two parameters of one name must both hold, which the store's lists cannot say: their common part. */
function values(value: string): readonly string[] {
  return splitValues(value, ',').slice(0, MOST_VALUES).map(unescape);
}
const both = <T>(stands: readonly T[] | undefined, given: readonly T[]): readonly T[] =>
  stands === undefined ? given : stands.filter((one) => given.includes(one));

const READERS: Readonly<Record<string, Reader>> = {
  _id(draft, value, name) {
    const places = values(value).map(placeOf);
    if (places.some((place) => place === null)) return wrong(name, 'not the form of an id of an AuditEvent');
    const known = places.flatMap((place) => place ?? []);
    draft.criteria.ids = both(
      draft.criteria.ids,
      known.map(({ id }) => id),
    );
    draft.tests.push((record) => known.some(({ at, id }) => at === record.at && id === record.id));
    return null;
  },
  date(draft, value, name) {
    const date = prefixedDate(value);
    if (date === null) return wrong(name, 'not a date; YYYY, YYYY-MM, YYYY-MM-DD or a time with offset, with a prefix');
    const { low, high } = date.range;
    const later = (at: string): void => {
      draft.criteria.from = maximum(draft.criteria.from, at);
    };
    const earlier = (at: string): void => {
      draft.criteria.to = minimum(draft.criteria.to, at);
    };
    switch (date.prefix) {
      case 'eq':
        later(low);
        earlier(high);
        return null;
      case 'ge':
        later(low);
        return null;
      case 'gt':
      case 'sa':
        later(high);
        return null;
      case 'le':
        earlier(high);
        return null;
      case 'lt':
      case 'eb':
        earlier(low);
        return null;
      case 'ne':
      case 'ap':
        return wrong(name, 'ne and ap are not supported');
    }
  },
  patient(draft, value, name) {
    const ids = values(value).map((one) => one.replace(/^Patient\//, ''));
    if (ids.some((id) => !/^[A-Za-z0-9.-]{1,64}$/.test(id))) return wrong(name, 'a patient is Patient/id or an id');
    draft.criteria.persons = [...(draft.criteria.persons ?? []), ids];
    return null;
  },
  agent(draft, value) {
    draft.criteria.callerIds = both(draft.criteria.callerIds, values(value).map(clientOf));
    return null;
  },
  'agent:identifier': (draft, value, name) => READERS['agent']?.(draft, value, name) ?? null,
  'agent-name'(draft, value) {
    const names = values(value).map((one) => one.toLowerCase());
    if (draft.criteria.callerNames === undefined) draft.criteria.callerNames = names;
    else draft.tests.push(({ callerName }) => names.some((one) => callerName.toLowerCase().startsWith(one)));
    return null;
  },
  entity(draft, value) {
    const objects = values(value).map((one) => one.replace(/^(urn:dicom:uid\|)?urn:oid:/, ''));
    if (draft.criteria.objects === undefined) draft.criteria.objects = objects;
    else draft.tests.push((record) => record.objects.some((object) => objects.includes(object)));
    return null;
  },
  'entity:identifier': (draft, value, name) => READERS['entity']?.(draft, value, name) ?? null,
  outcome(draft, value) {
    const given = values(value).flatMap((one) => OUTCOMES[one.replace(/^.*\|/, '')] ?? []);
    draft.criteria.outcomes = both(draft.criteria.outcomes, given);
    return null;
  },
  action(draft, value) {
    const codes = values(value).map((one) => one.replace(/^.*\|/, '').toUpperCase());
    draft.tests.push((record) => codes.includes(auditCodes(record).action));
    return null;
  },
  type(draft, value) {
    const tokens = values(value);
    draft.tests.push((record) => tokens.some((token) => fits(auditCodes(record).type, token)));
    return null;
  },
  subtype(draft, value) {
    const tokens = values(value);
    draft.tests.push((record) => auditCodes(record).subtype.some((one) => tokens.some((token) => fits(one, token))));
    return null;
  },
  _count(draft, value, name) {
    if (!/^\d{1,9}$/.test(value)) return wrong(name, 'a whole number');
    draft.count = Math.min(Math.max(1, Number(value)), COUNT.most);
    return null;
  },
  _after(draft, value, name) {
    draft.after = placeOf(value);
    return draft.after === null ? wrong(name, 'not a place in the audit') : null;
  },
  _sort: (_draft, value, name) => (value === '-date' ? null : wrong(name, 'only -date: newest first')),
};

/** `Device/id`, `system|value` of the client, or the id alone. */
const clientOf = (value: string): string =>
  value.startsWith(`${CLIENT_SYSTEM}|`) ? value.slice(CLIENT_SYSTEM.length + 1) : value.replace(/^[A-Z][a-z]+\//, '');

function fits(
  coding: { readonly system?: string | undefined; readonly code?: string | undefined },
  token: string,
): boolean {
  const at = token.indexOf('|');
  if (at < 0) return coding.code === token;
  const [system, code] = [token.slice(0, at), token.slice(at + 1)];
  return (coding.system ?? '') === system && (code === '' || coding.code === code);
}

const maximum = (a: string | undefined, b: string): string => (a !== undefined && a > b ? a : b);
const minimum = (a: string | undefined, b: string): string => (a !== undefined && a < b ? a : b);

/** `milliseconds-id`, as the id of an AuditEvent is. */
export function placeOf(id: string): AuditPlace | null {
  const match = /^(\d{1,15})-(\d{1,14})$/.exec(id);
  return match?.[1] === undefined || match[2] === undefined
    ? null
    : { at: new Date(Number(match[1])).toISOString(), id: match[2] };
}
