/**
 * Writes a tree of xml.ts back as text, for messages that a gateway passes on: their content is another's, so nothing is
 * understood and nothing is lost but prefixes, comments and white space between elements.
 */
import { xml } from './xml.ts';
import type { XmlElement } from './xml.ts';

const XML = 'http://www.w3.org/XML/1998/namespace';
const XSI = 'http://www.w3.org/2001/XMLSchema-instance';
/** Prefixes that readers know; any other namespace gets a number. */
const PREFIXES: Readonly<Record<string, string>> = {
  'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0': 'rim',
  'urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0': 'rs',
  'urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0': 'lcm',
  'urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0': 'query',
  'urn:ihe:iti:xds-b:2007': 'ihe',
  'urn:ihe:rad:xdsi-b:2009': 'iherad',
};

/** The element with all declarations that it needs, so that it may stand anywhere. */
export function writeXml(root: XmlElement): string {
  const prefixes = new Map<string, string>();
  collect(root, prefixes);
  const declared = [...prefixes].map(([uri, prefix]) => ` xmlns:${prefix}="${xml(uri)}"`).join('');
  return write(root, prefixes, declared);
}

function collect(element: XmlElement, prefixes: Map<string, string>): void {
  const add = (uri: string): void => {
    if (uri !== '' && uri !== XML && uri !== XSI && !prefixes.has(uri))
      prefixes.set(uri, PREFIXES[uri] ?? `n${String(prefixes.size + 1)}`);
  };
  add(element.namespace);
  for (const name of element.attributes.keys()) add(split(name).namespace);
  for (const child of element.children) collect(child, prefixes);
}

function split(name: string): { namespace: string; local: string } {
  const end = name.startsWith('{') ? name.lastIndexOf('}') : -1;
  return { namespace: name.slice(1, Math.max(1, end)), local: name.slice(end + 1) };
}

function write(element: XmlElement, prefixes: ReadonlyMap<string, string>, declared: string): string {
  const prefixed = (namespace: string, local: string): string =>
    namespace === '' ? local : `${namespace === XML ? 'xml' : (prefixes.get(namespace) ?? '')}:${local}`;
  const name = prefixed(element.namespace, element.name);
  let attributes = '';
  for (const [key, value] of element.attributes) {
    const { namespace, local } = split(key);
    // Hints of the sender's validator; an xsi:type may hold a prefix that no longer is one.
    if (namespace !== XSI) attributes += ` ${prefixed(namespace, local)}="${attribute(value)}"`;
  }
  const inner = element.children.map((child) => write(child, prefixes, '')).join('');
  // Where there are elements, the text between them is layout (neither ebRIM nor SOAP bodies mix the two).
  const content = inner === '' ? xml(element.text) : inner;
  return content === ''
    ? `<${name}${declared}${attributes}/>`
    : `<${name}${declared}${attributes}>${content}</${name}>`;
}

/** XML 1.0 §3.3.3: a reader turns bare white space in attributes into blanks. */
const attribute = (value: string): string => xml(value).replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
