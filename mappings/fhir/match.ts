/**
 * Whether a rendered resource fulfils a search, by the values that the projection would be searched by: the same meaning
 * that hub/store/fhir-query.ts gives in SQL, for resources that are rendered as they are asked for.
 */
import type { Criterion, DatePrefix, DateRange, SearchValues, SortKey } from '../../hub/core/fhir.ts';

export interface Candidate {
  readonly id: string;
  readonly values: SearchValues;
  readonly updated: DateRange;
  readonly period: DateRange | null;
}

export function matches(candidate: Candidate, criterion: Criterion): boolean {
  const { values } = candidate;
  switch (criterion.kind) {
    case 'ids':
      return criterion.any.includes(candidate.id);
    case 'tokens':
      return criterion.any.some((token) => values.tokens.includes(token)) !== criterion.negate;
    case 'missing':
      return values.present.includes(criterion.param) !== criterion.missing;
    case 'date': {
      const range = dateOf(candidate, criterion.column);
      return range !== null && criterion.any.some(({ prefix, range: asked }) => compare(prefix, range, asked));
    }
    case 'string':
      return criterion.any.some(({ norm, exact }) =>
        values.strings.some((one) => {
          if (!criterion.params.includes(one.param)) return false;
          if (criterion.mode === 'exact') return one.exact === exact;
          if (criterion.mode === 'equal') return one.norm === norm;
          return criterion.mode === 'prefix' ? one.norm.startsWith(norm) : one.norm.includes(norm);
        }),
      );
  }
}

function dateOf(candidate: Candidate, column: string): DateRange | null {
  if (column === 'updated') return candidate.updated;
  if (column === 'period') return candidate.period;
  return candidate.values.dates[column === 'date1' ? 0 : 1];
}

/** R4 §3.1.1.4.5 over half-open intervals. Instants in one form: they compare as text. */
function compare(prefix: DatePrefix, { low, high }: DateRange, asked: DateRange): boolean {
  switch (prefix) {
    case 'eq':
      return low >= asked.low && high <= asked.high;
    case 'ne':
      return low < asked.low || high > asked.high;
    case 'gt':
      return high > asked.high;
    case 'ge':
      return high > asked.high || low >= asked.low;
    case 'lt':
      return low < asked.low;
    case 'le':
      return low < asked.low || high <= asked.high;
    case 'sa':
      return low >= asked.high;
    case 'eb':
      return high <= asked.low;
    case 'ap': {
      // A day around, at least: nearness is a help to the eye, not a rule.
      const slack = 86_400_000;
      return Date.parse(low) < Date.parse(asked.high) + slack && Date.parse(high) > Date.parse(asked.low) - slack;
    }
  }
}

/** Resources without the value last, whichever way; the id makes the order total. */
export function inOrder(sort: readonly SortKey[]): (a: Candidate, b: Candidate) => number {
  const keys = sort.some((key) => key.by === 'id')
    ? sort
    : [...sort, { by: 'id' as const, descending: sort[0]?.descending === true }];
  return (a, b) => {
    for (const { by, descending } of keys) {
      const [x, y] = [sortValue(a, by), sortValue(b, by)];
      if (x === y) continue;
      if (x === null || y === null) return x === null ? 1 : -1;
      return x < y !== descending ? -1 : 1;
    }
    return 0;
  };
}

function sortValue(candidate: Candidate, by: SortKey['by']): string | null {
  if (by === 'id') return candidate.id;
  if (by === 'text') return candidate.values.sortText;
  return dateOf(candidate, by)?.low ?? null;
}
