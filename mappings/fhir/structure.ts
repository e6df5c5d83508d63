/**
 * Whether something parsed from JSON or XML is a FHIR R4 resource at all: known elements, lists where lists are due,
 * primitives of their form (R4 §2.24.0.1). What passes may be read as its type; profiles are another matter.
 */
import { ELEMENTS, LISTS, MANDATORY } from './generated/definitions.ts';
import { dateRange } from './search-date.ts';

export interface StructureFault {
  /** FHIRPath of the element. */
  readonly path: string;
  readonly text: string;
}

const DATE = /^\d{4}(-\d{2}(-\d{2})?)?$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
const whole = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value);
const matching =
  (form: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && form.test(value);

const PRIMITIVES: Readonly<Record<string, (value: unknown) => boolean>> = {
  boolean: (value) => typeof value === 'boolean',
  integer: whole,
  unsignedInt: (value) => whole(value) && value >= 0,
  positiveInt: (value) => whole(value) && value > 0,
  decimal: (value) => typeof value === 'number',
  string: matching(/\S/),
  markdown: matching(/\S/),
  xhtml: matching(/^\s*<div[\s>]/),
  code: matching(/^\S+( \S+)*$/),
  id: matching(/^[A-Za-z0-9.-]{1,64}$/),
  uri: matching(/^\S+$/),
  url: matching(/^\S+$/),
  canonical: matching(/^\S+$/),
  oid: matching(/^urn:oid:[0-2](\.(0|[1-9]\d*))+$/),
  uuid: matching(/^urn:uuid:[0-9a-f-]{36}$/),
  date: (value) => typeof value === 'string' && DATE.test(value) && dateRange(value) !== null,
  dateTime: (value) => typeof value === 'string' && (DATE.test(value) || TIME.test(value)) && dateRange(value) !== null,
  instant: (value) => typeof value === 'string' && TIME.test(value) && dateRange(value) !== null,
  time: matching(/^\d{2}:\d{2}:\d{2}(\.\d+)?$/),
  base64Binary: (value) => typeof value === 'string' && /^[A-Za-z0-9+/=\s]*$/.test(value),
};
export const isPrimitive = (type: string): boolean => type in PRIMITIVES;

const members = new Map<string, ReadonlyMap<string, { readonly type: string; readonly isList: boolean }>>();
/** Elements of a type by name; null: a type that is not known here. */
export function membersOf(
  type: string,
): ReadonlyMap<string, { readonly type: string; readonly isList: boolean }> | null {
  const cached = members.get(type);
  if (cached) return cached;
  const order = ELEMENTS[type];
  if (order === undefined) return null;
  const lists = new Set((LISTS[type] ?? '').split(' '));
  const made = new Map(
    order.split(' ').map((pair) => {
      const [name = '', memberType = ''] = pair.split(':');
      return [name, { type: memberType, isList: lists.has(name) }] as const;
    }),
  );
  members.set(type, made);
  return made;
}

/** More than this and the sender has another problem. */
const MOST_FAULTS = 20;

/** `skip` names types whose content is not looked into: a document that is itself a Bundle is bytes to its recipient. */
export function structureFaults(
  resource: unknown,
  path: string,
  skip: (path: string, type: string) => boolean,
): StructureFault[] {
  const faults: StructureFault[] = [];
  const fault = (at: string, text: string): void => {
    if (faults.length < MOST_FAULTS) faults.push({ path: at, text });
  };

  const resourceAt = (value: unknown, at: string): void => {
    const type = isNode(value) ? value.resourceType : undefined;
    if (typeof type !== 'string') fault(at, 'this is not a resource: resourceType is missing');
    else if (skip(at, type)) return;
    else if (membersOf(type) === null) fault(at, 'resources of this type are not taken here');
    else {
      node(value as Node, type, at, true);
      for (const name of (MANDATORY[type] ?? '').split(' '))
        if (name !== '' && (value as Node)[name] === undefined) fault(`${at}.${name}`, 'this element is required');
    }
  };

  const node = (value: Node, type: string, at: string, isResource: boolean): void => {
    const known = membersOf(type);
    if (known === null) return;
    for (const [key, member] of Object.entries(value)) {
      if (isResource && key === 'resourceType') continue;
      const name = key.startsWith('_') ? key.slice(1) : key;
      const element = known.get(name);
      const where = `${at}.${/^[A-Za-z]{1,40}$/.test(name) ? name : '?'}`;
      if (element === undefined) fault(where, 'R4 has no element of this name here');
      else if (key.startsWith('_')) continue;
      else if (element.isList !== Array.isArray(member))
        fault(where, element.isList ? 'this element is a list' : 'this element does not repeat');
      else if (Array.isArray(member)) {
        if (member.length === 0) fault(where, 'a list may not be empty');
        member.forEach((one, index) => one === null || single(one, element.type, `${where}[${String(index)}]`));
      } else single(member, element.type, where);
    }
  };

  const single = (value: unknown, type: string, at: string): void => {
    if (faults.length >= MOST_FAULTS) return;
    if (type === 'Resource') resourceAt(value, at);
    else if (isPrimitive(type)) {
      if (PRIMITIVES[type]?.(value) !== true) fault(at, `this is not of the form of ${type}`);
    } else if (!isNode(value)) fault(at, 'this element has members');
    else if (membersOf(type) !== null) node(value, type, at, false);
  };

  resourceAt(resource, path);
  return faults;
}

type Node = Readonly<Record<string, unknown>>;
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);
