/** FHIR XML as FHIR JSON (R4 §2.6.1): by the same definitions by which toXml writes. Narrative is left out: nobody keeps it. */
import type { XmlElement } from '../xds/xml.ts';
import { membersOf, isPrimitive } from './structure.ts';

const FHIR = 'http://hl7.org/fhir';

/** null: the root is not of FHIR. Unknown elements are kept by their name, so that the structure check names them. */
export function fromXml(root: XmlElement): Readonly<Record<string, unknown>> | null {
  return root.namespace === FHIR ? resourceOf(root) : null;
}

function resourceOf(element: XmlElement): Record<string, unknown> {
  return { resourceType: element.name, ...nodeOf(element, element.name) };
}

function nodeOf(element: XmlElement, type: string): Record<string, unknown> {
  const known = membersOf(type);
  const node: Record<string, unknown> = {};
  for (const name of ['id', 'url']) {
    const attribute = element.attributes.get(name);
    if (attribute !== undefined) node[name] = attribute;
  }
  for (const child of element.children) {
    if (child.namespace !== FHIR) continue;
    const member = known?.get(child.name);
    const value = valueOf(child, member?.type ?? 'Element');
    if (member?.isList === true) {
      const values = (node[child.name] ??= []) as unknown[];
      values.push(value);
    } else if (node[child.name] !== undefined) node[child.name] = [node[child.name], value].flat();
    else node[child.name] = value;
  }
  if (node.text !== undefined && known?.get('text')?.type === 'Narrative') delete node.text;
  return node;
}

function valueOf(element: XmlElement, type: string): unknown {
  if (type === 'Resource') {
    const [inner] = element.children;
    return inner === undefined ? {} : resourceOf(inner);
  }
  if (!isPrimitive(type)) return nodeOf(element, type);
  const text = element.attributes.get('value');
  if (text === undefined) return null;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (/^(integer|unsignedInt|positiveInt|decimal)$/.test(type))
    return /^-?\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : text;
  return text;
}
