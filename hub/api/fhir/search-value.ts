/** Values of one search parameter as a criterion of the store: escapes, modifiers, prefixes (R4 §3.1.1.4). */
import type { Criterion } from '../../core/fhir.ts';
import type { Parameter } from '../../../mappings/fhir/parameters.ts';
import { prefixedDate } from '../../../mappings/fhir/search-date.ts';
import { grams, normalise } from '../../../mappings/fhir/search-text.ts';
import { faulty, parsed, type Parsed } from './reply.ts';

/** R4 §3.1.1.4.20: `\,` `\|` `\$` and `\\` stand for the character itself. Escapes stay in, for the next split. */
export function splitValues(value: string, separator: ',' | '|'): string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < value.length; at++) {
    const character = value.charAt(at);
    if (character === '\\' && at + 1 < value.length) part += character + value.charAt(++at);
    else if (character === separator) {
      parts.push(part);
      part = '';
    } else part += character;
  }
  return [...parts, part];
}

export const unescape = (value: string): string => value.replace(/\\([,|$\\])/g, '$1');

/** The modifiers of each kind; the CapabilityStatement and the refusals name them. */
export const MODIFIERS = {
  token: ['not', 'missing', 'of-type'],
  uri: ['missing'],
  reference: ['missing'],
  date: ['missing'],
  string: ['exact', 'contains', 'missing'],
} as const satisfies Record<Parameter['kind'], readonly string[]>;

export function criterionOf(
  parameter: Parameter,
  modifier: string | undefined,
  values: readonly string[],
  base: string,
): Parsed<Criterion> {
  const where = modifier === undefined ? parameter.name : `${parameter.name}:${modifier}`;
  if (modifier === 'missing' && !parameter.name.startsWith('_')) {
    const [value] = values;
    if (value !== 'true' && value !== 'false') return faulty(400, 'value', ':missing takes true or false', where);
    return parsed({ kind: 'missing', param: parameter.name, missing: value === 'true' });
  }
  const isTyped = parameter.kind === 'reference' && parameter.targets.some((target) => target === modifier);
  if (modifier !== undefined && !isTyped && !(MODIFIERS[parameter.kind] as readonly string[]).includes(modifier))
    return faulty(400, 'not-supported', `this modifier is not supported here`, where);
  switch (parameter.kind) {
    case 'token':
      if (parameter.name === '_id') return idCriterion(modifier, values, where);
      return tokenCriterion(parameter, modifier, values, where);
    case 'uri':
      return parsed(
        tokens(
          values.map((value) => `${parameter.name}=${unescape(value)}`),
          false,
          false,
        ),
      );
    case 'reference':
      return referenceCriterion(parameter, isTyped ? modifier : undefined, values, base, where);
    case 'date':
      return dateCriterion(parameter, values, where);
    case 'string':
      return stringCriterion(parameter, modifier, values, where);
  }
}

const tokens = (any: readonly string[], negate: boolean, selective: boolean): Criterion => ({
  kind: 'tokens',
  any,
  negate,
  selective,
});

function idCriterion(modifier: string | undefined, values: readonly string[], where: string): Parsed<Criterion> {
  if (modifier !== undefined) return faulty(400, 'not-supported', 'this modifier is not supported here', where);
  return parsed({ kind: 'ids', any: values.map(unescape) });
}

function tokenCriterion(
  parameter: Extract<Parameter, { kind: 'token' }>,
  modifier: string | undefined,
  values: readonly string[],
  where: string,
): Parsed<Criterion> {
  const any: string[] = [];
  for (const value of values) {
    const parts = splitValues(value, '|').map(unescape);
    if (parts.length > (modifier === 'of-type' ? 3 : 2)) return faulty(400, 'value', 'too many | in a token', where);
    if (modifier === 'of-type') {
      if (parts.length !== 3 || parts.some((part) => part === ''))
        return faulty(400, 'value', ':of-type takes system|code|value', where);
      any.push(`${parameter.name}:of-type=${parts.join('|')}`);
      continue;
    }
    const [first = '', second] = parts;
    if (second === undefined) any.push(`${parameter.name}=${uidOf(parameter.name, first)}`);
    else if (second === '' && first === '') return faulty(400, 'value', 'a token needs a system or a code', where);
    else if (parameter.implied && second !== '') any.push(`${parameter.name}=${uidOf(parameter.name, second)}`);
    else any.push(`${parameter.name}=${first}|${second}`);
  }
  return parsed(tokens(any, modifier === 'not', parameter.selective === true));
}

/** Series and instance UIDs are bare in ImagingStudy; callers write them as URIs too. */
const uidOf = (name: string, value: string): string =>
  name === 'series' || name === 'instance' ? value.replace(/^urn:oid:/, '') : value;

function referenceCriterion(
  parameter: Extract<Parameter, { kind: 'reference' }>,
  typed: string | undefined,
  values: readonly string[],
  base: string,
  where: string,
): Parsed<Criterion> {
  const any: string[] = [];
  for (const raw of values) {
    const value = unescape(raw);
    const local = value.startsWith(`${base}/`) ? value.slice(base.length + 1) : value;
    if (/^[A-Za-z]+\/[A-Za-z0-9.-]{1,64}(\/_history\/\d{1,9})?$/.test(local)) {
      if (typed === undefined || local.startsWith(`${typed}/`)) any.push(`${parameter.name}=${local}`);
    } else if (/^[A-Za-z0-9.-]{1,64}$/.test(local)) {
      const targets = typed === undefined ? parameter.targets : [typed];
      any.push(...targets.map((target) => `${parameter.name}=${target}/${local}`));
    } else if (!/^(https?:|urn:)/.test(local))
      return faulty(400, 'value', 'a reference is Type/id, an id or an absolute URL', where);
    // An absolute URL of another server matches nothing here.
  }
  return parsed(tokens(any, false, parameter.selective === true));
}

function dateCriterion(
  parameter: Extract<Parameter, { kind: 'date' }>,
  values: readonly string[],
  where: string,
): Parsed<Criterion> {
  const any = [];
  for (const value of values) {
    const date = prefixedDate(value);
    if (!date)
      return faulty(400, 'value', 'not a date; YYYY, YYYY-MM, YYYY-MM-DD or a time with offset, with a prefix', where);
    any.push(date);
  }
  return parsed({ kind: 'date', column: parameter.column, any });
}

function stringCriterion(
  parameter: Extract<Parameter, { kind: 'string' }>,
  modifier: string | undefined,
  values: readonly string[],
  where: string,
): Parsed<Criterion> {
  const mode = modifier === 'exact' || modifier === 'contains' ? modifier : 'prefix';
  const any = values.map((value) => {
    const exact = unescape(value);
    const norm = normalise(exact);
    return { exact, norm, grams: grams(norm, true) };
  });
  if (any.some(({ norm }) => norm === '')) return faulty(400, 'value', 'a text without letters matches nothing', where);
  return parsed({ kind: 'string', params: [parameter.name], mode, any });
}
