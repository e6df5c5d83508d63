/** A FHIR search as its URL says it, checked against what each type registers (R4 §3.1.1). Values are not yet resolved. */
import type { Criterion, SortKey } from '../../core/fhir.ts';
import { isResourceType, parametersOf, type Parameter, type ResourceType } from '../../../mappings/fhir/parameters.ts';
import { criterionOf, splitValues } from './search-value.ts';
import { faulty, parsed, type Fault, type Parsed } from './reply.ts';
import type { Shape, Summary } from './resource.ts';

/** A criterion, or a question about another type whose answer becomes one. */
export type Asked =
  | Criterion
  | { readonly kind: 'chain'; readonly param: string; readonly target: ResourceType; readonly inner: Asked }
  | { readonly kind: 'has'; readonly source: ResourceType; readonly param: string; readonly inner: Asked };

export interface Include {
  readonly source: ResourceType;
  /** null: every reference parameter of the source. */
  readonly param: string | null;
  readonly target: ResourceType | null;
  readonly iterate: boolean;
}

export interface SearchRequest {
  readonly type: ResourceType;
  readonly asked: readonly Asked[];
  readonly sort: readonly SortKey[];
  readonly count: number;
  readonly total: 'none' | 'estimate' | 'accurate';
  readonly shape: Shape;
  readonly includes: readonly Include[];
  readonly revincludes: readonly Include[];
  /** What was understood, in the caller's words: the self link. */
  readonly used: readonly (readonly [string, string])[];
  readonly warnings: readonly Pick<Fault, 'code' | 'text' | 'expression'>[];
}

export const LIMITS = { parameters: 40, values: 200, chain: 3, count: 200, defaultCount: 20 } as const;

export interface SearchContext {
  readonly type: ResourceType;
  /** Base of the server, without a slash at its end: absolute references begin with it. */
  readonly base: string;
  /** `Prefer: handling=…` (R4 §3.1.1.1): strict refuses an unknown parameter; lenient ignores it, whatever it is. */
  readonly handling: 'strict' | 'lenient' | null;
}

interface Draft {
  asked: Asked[];
  sort: SortKey[];
  count: number;
  total: SearchRequest['total'];
  summary: Summary;
  elements: string[];
  includes: Include[];
  revincludes: Include[];
  used: [string, string][];
  warnings: { code: Fault['code']; text: string; expression: string }[];
}

/**
 * Parameters of every type that narrow a search and that nothing here answers (R4 §3.1.1.2): left out, the answer would
 * show far more than was asked for. Who wants that says so by `handling=lenient`.
 */
const NARROWING = new Set(['_content', '_filter', '_list', '_query', '_security', '_source', '_tag', '_text']);

/** About the answer, not about what matches; handled before the search begins. */
const OF_THE_ANSWER = new Set(['_format', '_pretty']);

export function parseSearch(
  pairs: readonly (readonly [string, string])[],
  context: SearchContext,
): Parsed<SearchRequest> {
  const draft: Draft = {
    asked: [],
    sort: [],
    count: LIMITS.defaultCount,
    total: 'accurate',
    summary: 'false',
    elements: [],
    includes: [],
    revincludes: [],
    used: [],
    warnings: [],
  };
  if (pairs.length > LIMITS.parameters)
    return faulty(400, 'too-costly', `at most ${String(LIMITS.parameters)} search parameters are taken`);
  for (const [name, value] of pairs) {
    if (OF_THE_ANSWER.has(name)) continue;
    if (value.includes('\u0000'))
      return faulty(400, 'value', 'a value may not hold the NUL character', name.slice(0, 60));
    if (value === '') {
      draft.warnings.push({ code: 'value', text: 'a parameter without a value was ignored', expression: name });
      continue;
    }
    const result = one(name, value, context, draft);
    if (result === 'unknown') {
      const text = `${context.type} has no search parameter of this name; see /metadata`;
      const isNarrowing = NARROWING.has(name.replace(/:.*$/, ''));
      if (context.handling === 'strict' || (isNarrowing && context.handling === null))
        return faulty(400, 'not-supported', text, name);
      draft.warnings.push({ code: 'not-supported', text: `${text}; it was ignored`, expression: name });
    } else if (result !== 'used') return { ok: false, fault: result };
    else draft.used.push([name, value]);
  }
  const { summary, elements, ...rest } = draft;
  return parsed({ ...rest, type: context.type, shape: { summary, elements } });
}

function one(name: string, value: string, context: SearchContext, draft: Draft): 'used' | 'unknown' | Fault {
  const control = controls(name, value, context, draft);
  if (control !== 'unknown') return control;
  const asked = ask(context.type, name, value, context, LIMITS.chain);
  if (asked === 'unknown') return 'unknown';
  if (!asked.ok) return asked.fault;
  draft.asked.push(asked.value);
  return 'used';
}

const bad = (text: string, expression: string): Fault => ({ status: 400, code: 'value', text, expression });

function controls(name: string, value: string, context: SearchContext, draft: Draft): 'used' | 'unknown' | Fault {
  switch (name) {
    case '_count': {
      if (!/^\d{1,9}$/.test(value)) return bad('_count takes a number', name);
      draft.count = Math.min(Number(value), LIMITS.count);
      return 'used';
    }
    case '_total':
      if (value !== 'none' && value !== 'estimate' && value !== 'accurate')
        return bad('_total takes none, estimate or accurate', name);
      draft.total = value;
      return 'used';
    case '_summary':
      if (value !== 'true' && value !== 'text' && value !== 'data' && value !== 'count' && value !== 'false')
        return bad('_summary takes true, text, data, count or false', name);
      draft.summary = value;
      return 'used';
    case '_elements':
      draft.elements.push(...value.split(',').map((element) => element.trim().replace(`${context.type}.`, '')));
      return 'used';
    case '_sort':
      return sortKeys(context.type, value, draft);
    default:
      break;
  }
  const include = /^(_include|_revinclude)(?::(iterate|recurse))?$/.exec(name);
  if (!include)
    return name.startsWith('_include') || name.startsWith('_revinclude') ? bad('unknown modifier', name) : 'unknown';
  const parsedInclude = includeOf(value, include[2] !== undefined);
  if (parsedInclude === null)
    return { ...bad(`${name} takes Type:parameter or Type:parameter:Type of references that /metadata lists`, name) };
  (include[1] === '_include' ? draft.includes : draft.revincludes).push(parsedInclude);
  return 'used';
}

function sortKeys(type: ResourceType, value: string, draft: Draft): 'used' | Fault {
  for (const word of value.split(',')) {
    const descending = word.startsWith('-');
    const name = descending ? word.slice(1) : word;
    const by = sortColumn(type, name);
    if (by === null) return bad(`${type} cannot be sorted by this parameter`, `_sort=${name}`);
    draft.sort.push({ by, descending });
  }
  return draft.sort.length > 5 ? bad('at most five sort keys are taken', '_sort') : 'used';
}

function sortColumn(type: ResourceType, name: string): SortKey['by'] | null {
  if (name === '_id') return 'id';
  if (name === '_lastUpdated') return 'updated';
  const parameter = parametersOf(type).find((candidate) => candidate.name === name);
  if (parameter?.kind === 'date') return parameter.column;
  return parameter?.kind === 'string' && parameter.sorts ? 'text' : null;
}

function includeOf(value: string, iterate: boolean): Include | null {
  const [source = '', param = '', target, ...rest] = value.split(':');
  if (value === '*') return null;
  if (!isResourceType(source) || rest.length > 0) return null;
  if (target !== undefined && !isResourceType(target)) return null;
  if (param === '*') return { source, param: null, target: target ?? null, iterate };
  const parameter = parametersOf(source).find((candidate) => candidate.name === param);
  if (parameter?.kind !== 'reference') return null;
  if (target !== undefined && !parameter.targets.includes(target)) return null;
  return { source, param, target: target ?? null, iterate };
}

/** One `name=value` about a type: plain, with a modifier, chained (`patient.identifier`) or reversed (`_has:…`). */
function ask(
  type: ResourceType,
  name: string,
  value: string,
  context: SearchContext,
  depth: number,
): Parsed<Asked> | 'unknown' {
  // `author.given` (ITI TF-2 §3.67.4.1.2.1) is a parameter of its own: what it leads to is contained.
  const own = allParameters(type).find(
    (one) => /[.:]/.test(one.name) && (name === one.name || name.startsWith(`${one.name}:`)),
  );
  if (own) return valued(own, name.slice(own.name.length + 1), name, value, context);
  const has = /^_has:([A-Za-z]+):([\w-]+):(.+)$/.exec(name);
  const chain = /^([\w-]+)(?::([A-Za-z]+))?\.(.+)$/.exec(name);
  if ((has ?? chain) && depth === 0)
    return faulty(400, 'too-costly', `at most ${String(LIMITS.chain)} links can be chained`, name);
  if (has) return reversed(type, has, value, context, depth);
  if (chain) return chained(type, chain, value, context, depth);
  const [plain = '', modifier, ...more] = name.split(':');
  const parameter = allParameters(type).find((candidate) => candidate.name === plain);
  if (!parameter) return 'unknown';
  return valued(parameter, [modifier, ...more].filter((one) => one !== undefined).join(':'), name, value, context);
}

function valued(
  parameter: Parameter,
  modifiers: string,
  name: string,
  value: string,
  context: SearchContext,
): Parsed<Asked> {
  if (modifiers.includes(':')) return faulty(400, 'not-supported', 'one modifier at most', name);
  const values = splitValues(value, ',');
  if (values.length > LIMITS.values)
    return faulty(400, 'too-costly', `at most ${String(LIMITS.values)} values are taken`, name);
  return criterionOf(parameter, modifiers === '' ? undefined : modifiers, values, context.base);
}

function chained(
  type: ResourceType,
  match: RegExpExecArray,
  value: string,
  context: SearchContext,
  depth: number,
): Parsed<Asked> | 'unknown' {
  const [whole, param = '', typed, rest = ''] = match;
  const parameter = parametersOf(type).find((candidate) => candidate.name === param);
  if (!parameter) return 'unknown';
  if (parameter.kind !== 'reference') return faulty(400, 'invalid', 'only references can be chained', whole);
  const targets = typed === undefined ? parameter.targets : parameter.targets.filter((target) => target === typed);
  const [target] = targets;
  if (target === undefined || targets.length > 1)
    return faulty(
      400,
      'invalid',
      `name the type: ${param}:Type.${rest}; it may be ${parameter.targets.join(', ')}`,
      whole,
    );
  const inner = ask(target, rest, value, context, depth - 1);
  if (inner === 'unknown') return faulty(400, 'not-supported', `${target} has no search parameter of this name`, whole);
  return inner.ok ? parsed({ kind: 'chain', param, target, inner: inner.value }) : inner;
}

function reversed(
  type: ResourceType,
  match: RegExpExecArray,
  value: string,
  context: SearchContext,
  depth: number,
): Parsed<Asked> {
  const [whole, source = '', param = '', rest = ''] = match;
  const parameter = isResourceType(source) && parametersOf(source).find((candidate) => candidate.name === param);
  if (!isResourceType(source) || !parameter || parameter.kind !== 'reference' || !parameter.targets.includes(type))
    return faulty(400, 'not-supported', `no reference of this name leads to ${type}`, whole);
  const inner = ask(source, rest, value, context, depth - 1);
  if (inner === 'unknown') return faulty(400, 'not-supported', `${source} has no search parameter of this name`, whole);
  return inner.ok ? parsed({ kind: 'has', source, param, inner: inner.value }) : inner;
}

const nothing = (): never[] => [];

/** Parameters of every type, answered from the row itself. */
export const COMMON_PARAMETERS: readonly Parameter[] = [
  { kind: 'token', name: '_id', of: nothing, implied: true, selective: true },
  { kind: 'date', name: '_lastUpdated', of: () => undefined, column: 'updated' },
  { kind: 'uri', name: '_profile', of: nothing },
];

/** Provenance is rendered, not stored, and bears no profile of ours. */
export const allParameters = (type: ResourceType): readonly Parameter[] => [
  ...COMMON_PARAMETERS.filter((parameter) => type !== 'Provenance' || parameter.name !== '_profile'),
  ...parametersOf(type),
];
