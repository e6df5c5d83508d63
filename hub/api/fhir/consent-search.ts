/** Search parameters of Consent (R4 §6.2) that the store of consents answers. */
import { prefixedDate } from '../../../mappings/fhir/search-date.ts';
import { SYSTEMS } from '../../../mappings/fhir/context.ts';
import type { ConsentCriteria } from '../../core/consent-ports.ts';
import { faulty, parsed, type Fault, type Parsed } from './reply.ts';
import { splitValues, unescape } from './search-value.ts';

export interface ConsentQuestion {
  readonly criteria: ConsentCriteria;
  readonly count: number;
  readonly after: string | undefined;
  /** What was understood, for the links. */
  readonly used: readonly (readonly [name: string, value: string])[];
  readonly warnings: readonly Pick<Fault, 'code' | 'text' | 'expression'>[];
}

/** For the CapabilityStatement: name and kind of each. */
export const CONSENT_PARAMETERS = [
  ['_id', 'token'],
  ['patient', 'reference'],
  ['status', 'token'],
  ['date', 'date'],
  ['organization', 'reference'],
] as const;

const COUNT = { default: 50, most: 200 };
const MOST_VALUES = 50;

type Draft = { -readonly [K in keyof ConsentCriteria]: ConsentCriteria[K] };

export function parseConsentSearch(
  pairs: readonly (readonly [string, string])[],
  { base, strict }: { readonly base: string; readonly strict: boolean },
): Parsed<ConsentQuestion> {
  const criteria: Draft = {};
  const used: (readonly [string, string])[] = [];
  const warnings: Pick<Fault, 'code' | 'text' | 'expression'>[] = [];
  let [count, after] = [COUNT.default, undefined as string | undefined];
  for (const [name, value] of pairs) {
    if (name === '_format' || name === '_pretty' || value === '') continue;
    if (name === '_count') {
      if (!/^\d{1,9}$/.test(value)) return faulty(400, 'value', 'a whole number', name);
      count = Math.min(Math.max(1, Number(value)), COUNT.most);
    } else if (name === '_after') after = value.slice(0, 100);
    else {
      const read = READERS[name];
      if (read === undefined) {
        const text = 'this parameter is not supported here';
        if (strict) return faulty(400, 'not-supported', text, name.slice(0, 60));
        warnings.push({ code: 'not-supported', text: `${text}; it was ignored`, expression: name.slice(0, 60) });
        continue;
      }
      const wrong = read(criteria, value.replaceAll(`${base}/`, ''));
      if (wrong !== null) return faulty(400, 'value', wrong, name);
    }
    if (name !== '_after') used.push([name, value]);
  }
  return parsed({ criteria, count, after, used, warnings });
}

const values = (value: string): readonly string[] => splitValues(value, ',').slice(0, MOST_VALUES).map(unescape);
/** Two parameters of one name must both hold. */
const both = (stands: readonly string[] | undefined, given: readonly string[]): readonly string[] =>
  stands === undefined ? given : stands.filter((one) => given.includes(one));

/** Each tells what is wrong with the value; null: nothing. */
type Reader = (criteria: Draft, value: string) => string | null;

function organization(criteria: Draft, value: string): string | null {
  const codes = values(value).map((one) => one.replace(`${SYSTEMS.institution}|`, ''));
  criteria.institutions = both(criteria.institutions, codes);
  return null;
}

const READERS: Readonly<Record<string, Reader>> = {
  _id(criteria, value) {
    criteria.ids = both(criteria.ids, values(value));
    return null;
  },
  patient(criteria, value) {
    const ids = values(value).map((one) => one.replace(/^Patient\//, ''));
    if (ids.some((id) => !/^[0-9a-f-]{36}$/.test(id))) return 'a patient is Patient/id or an id';
    criteria.persons = both(criteria.persons, ids);
    return null;
  },
  status(criteria, value) {
    const codes = values(value).map((one) => one.replace(/^.*\|/, ''));
    criteria.statuses = both(criteria.statuses, codes);
    return null;
  },
  organization,
  'organization:identifier': organization,
  date(criteria, value) {
    const date = prefixedDate(value);
    if (date === null || date.prefix === 'ne' || date.prefix === 'ap') return 'a date, with eq, ge, gt, le or lt';
    const { low, high } = date.range;
    const from = { eq: low, ge: low, gt: high, sa: high, le: null, lt: null, eb: null }[date.prefix];
    const to = { eq: high, ge: null, gt: null, sa: null, le: high, lt: low, eb: low }[date.prefix];
    if (from !== null && from > (criteria.givenFrom ?? '')) criteria.givenFrom = from;
    if (to !== null && to < (criteria.givenTo ?? '~')) criteria.givenTo = to;
    return null;
  },
};
