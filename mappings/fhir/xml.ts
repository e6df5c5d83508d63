/**
 * FHIR JSON as FHIR XML (R4 §2.6.1): elements in the order of their definitions, primitives as `value` attributes, the
 * narrative as it is.
 */
import type { FhirBody } from '../../hub/core/fhir.ts';
import { ELEMENTS } from './generated/definitions.ts';

type Node = Readonly<Record<string, unknown>>;

const orders = new Map<string, readonly (readonly [name: string, type: string])[]>();

function orderOf(type: string): readonly (readonly [string, string])[] {
  let order = orders.get(type);
  if (!order) {
    order = (ELEMENTS[type] ?? '').split(' ').map((pair) => {
      const at = pair.indexOf(':');
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    });
    orders.set(type, order);
  }
  return order;
}

export function toXml(resource: FhirBody): string {
  return `<?xml version="1.0" encoding="UTF-8"?>${resourceXml(resource, ' xmlns="http://hl7.org/fhir"')}`;
}

function resourceXml(resource: FhirBody, namespace = ''): string {
  const type = resource.resourceType;
  // A resource's own id is an element; an element's id is an attribute.
  const inner = children(type, resource as FhirBody & Node, true);
  return inner === '' ? `<${type}${namespace}/>` : `<${type}${namespace}>${inner}</${type}>`;
}

function children(type: string, node: Node, isResource: boolean): string {
  let xml = '';
  for (const [name, memberType] of orderOf(type)) {
    const value = node[name];
    const extra = node[`_${name}`];
    if (value === undefined && extra === undefined) continue;
    if (!isResource && isAttribute(type, name)) continue;
    const [values, extras] = [asList(value), asList(extra)];
    for (let at = 0; at < Math.max(values.length, extras.length); at++)
      xml += memberXml(name, memberType, values[at], extras[at]);
  }
  return xml;
}

const asList = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value];
const isAttribute = (type: string, name: string): boolean => name === 'id' || (type === 'Extension' && name === 'url');
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

function memberXml(name: string, type: string, value: unknown, extra: unknown): string {
  if (type === 'Resource') return isNode(value) ? `<${name}>${resourceXml(value as FhirBody & Node)}</${name}>` : '';
  if (type === 'xhtml') return typeof value === 'string' ? value : '';
  if (isNode(value)) return tag(name, attributes(type, value), children(type, value, false));
  const own = isNode(extra) ? extra : {};
  const text = value === undefined || value === null ? '' : ` value="${escapeAttribute(scalar(value))}"`;
  return tag(name, attributes('Element', own) + text, children('Element', own, false));
}

const scalar = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';

function attributes(type: string, node: Node): string {
  const names = type === 'Extension' ? ['id', 'url'] : ['id'];
  return names
    .filter((name) => typeof node[name] === 'string')
    .map((name) => ` ${name}="${escapeAttribute(scalar(node[name]))}"`)
    .join('');
}

const tag = (name: string, attributes: string, inner: string): string =>
  inner === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${inner}</${name}>`;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML 1.0 §3.3.3: blanks other than the space survive an attribute only as references; §2.2 bars the rest. */
export function escapeAttribute(value: string): string {
  return value

    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd')
    .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '')
    .replace(/[\t\n\r]/g, (character) => `&#${String(character.charCodeAt(0))};`);
}
