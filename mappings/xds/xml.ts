/**
 * A small door to the XML parser (libxml2 in WebAssembly): bytes become a plain tree with names by namespace URI, so that
 * no prefix is ever compared, no parser object outlives the call, and nothing with a DOCTYPE reaches the parser.
 */
import {
  XmlC14NMode,
  XmlCData,
  XmlDocument,
  XmlElement as ParsedElement,
  XmlEntityReference,
  XmlLibError,
  XmlText,
} from 'libxml2-wasm';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';

export interface XmlElement {
  readonly namespace: string;
  readonly name: string;
  /** By local name where the attribute has no namespace, else `{uri}name`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Character data directly inside, joined. */
  readonly text: string;
}

export interface XmlLimits {
  readonly bytes: number;
  readonly depth: number;
  readonly elements: number;
}

export const XML_LIMITS: XmlLimits = { bytes: 16 << 20, depth: 64, elements: 500_000 };

export function parseXml(bytes: Uint8Array, limits: XmlLimits = XML_LIMITS): Result<XmlElement> {
  return withDocument(bytes, limits, (document) => copy(document.root, limits));
}

/** A document whose parser's tree is still there, so that what is read and what was signed are one and the same tree. */
export interface OpenXml {
  readonly root: XmlElement;
  /**
   * Exclusive XML Canonicalization 1.0 without comments of an element of `root`; `prefixes`: its InclusiveNamespaces.
   * `without` leaves the document for good (the enveloped-signature transform). null: the element is no longer in it.
   */
  canonical(element: XmlElement, prefixes: readonly string[], without?: XmlElement): string | null;
  /** Takes an element out, so that what is large and of no concern does not slow the canonical form of the rest. */
  drop(element: XmlElement): void;
}

/** As parseXml, with the canonical form of its elements while `read` runs. */
export function openXml<T>(bytes: Uint8Array, limits: XmlLimits, read: (open: OpenXml) => T): Result<T> {
  return withDocument(bytes, limits, (document) => {
    const tree = copy(document.root, limits);
    if (!tree.ok) return tree;
    const root = tree.value;
    const gone = new Set<XmlElement>();
    const find = (element: XmlElement): ParsedElement | null => parsed(document.root, root, element, gone);
    const drop = (element: XmlElement): void => {
      find(element)?.remove();
      gone.add(element);
    };
    const canonical: OpenXml['canonical'] = (element, prefixes, without) => {
      if (without) drop(without);
      const node = find(element);
      if (!node) return null;
      const mode = XmlC14NMode.XML_C14N_EXCLUSIVE_1_0;
      return document.canonicalizeToString({
        mode,
        inclusiveNamespacePrefixes: [...prefixes],
        nodeSet: new Set([node]),
      });
    };
    return ok(read({ root, canonical, drop }));
  });
}

/** The parser's own node of a copied element, by the same path from the root; what was dropped is in neither. */
function parsed(
  top: ParsedElement,
  from: XmlElement,
  wanted: XmlElement,
  gone: ReadonlySet<XmlElement>,
): ParsedElement | null {
  if (from === wanted) return top;
  const children = from.children.filter((child) => !gone.has(child));
  const at = children.findIndex((child) => holds(child, wanted));
  const next = children[at];
  if (!next) return null;
  let place = -1;
  for (let node = top.firstChild; node; node = node.next)
    if (node instanceof ParsedElement && ++place === at) return parsed(node, next, wanted, gone);
  return null;
}

const holds = (element: XmlElement, wanted: XmlElement): boolean =>
  element === wanted || element.children.some((child) => holds(child, wanted));

function withDocument<T>(bytes: Uint8Array, limits: XmlLimits, use: (document: XmlDocument) => Result<T>): Result<T> {
  if (bytes.length > limits.bytes)
    return fail(problem('too-large', undefined, `The XML has more than ${String(limits.bytes)} bytes.`));
  const text = decode(bytes);
  if (text === null)
    return fail(problem('charset', undefined, 'The XML does not decode in the character set it declares.'));
  // Neither SOAP nor FHIR may carry one (SOAP 1.2 Part 1 §5); refusing it beforehand shuts out every entity attack.
  if (/<!(DOCTYPE|ENTITY)/i.test(text))
    return fail(problem('malformed', undefined, 'The XML has a DOCTYPE; none is allowed.'));
  let document: XmlDocument;
  try {
    document = XmlDocument.fromString(text);
  } catch (error) {
    if (!(error instanceof XmlLibError)) throw error;
    return fail(problem('malformed', position(error), 'The XML is not well-formed.'));
  }
  try {
    return use(document);
  } finally {
    document.dispose();
  }
}

/** Line and column only: the parser's own message may quote the content, which may name a patient. */
function position(error: XmlLibError): string | undefined {
  const first = error.details[0];
  return first === undefined ? undefined : `line ${String(first.line)}, column ${String(first.col)}`;
}

/** XML 1.0 §4.3.3 and Appendix F: byte order mark, then the declaration, then UTF-8. The parser gets text only. */
function decode(bytes: Uint8Array): string | null {
  const head = Buffer.from(bytes.subarray(0, 200)).toString('latin1');
  const mark =
    bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : null;
  const declared = /^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(head)?.[1];
  try {
    const text = new TextDecoder(mark ?? declared ?? 'utf-8', { fatal: true }).decode(bytes);
    return text.replace(/^\s*<\?xml[^>]*\?>/, '');
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return null;
    throw error;
  }
}

function copy(root: ParsedElement, limits: XmlLimits): Result<XmlElement> {
  let elements = 0;
  const walk = (node: ParsedElement, depth: number): XmlElement | null => {
    if (depth > limits.depth || ++elements > limits.elements) return null;
    const children: XmlElement[] = [];
    let text = '';
    for (let child = node.firstChild; child; child = child.next) {
      if (child instanceof ParsedElement) {
        const copied = walk(child, depth + 1);
        if (!copied) return null;
        children.push(copied);
      } else if (child instanceof XmlText || child instanceof XmlCData || child instanceof XmlEntityReference)
        text += child.content;
    }
    const attributes = new Map<string, string>();
    for (const attribute of node.attrs)
      attributes.set(
        attribute.namespaceUri ? `{${attribute.namespaceUri}}${attribute.name}` : attribute.name,
        attribute.value,
      );
    return { namespace: node.namespaceUri, name: node.name, attributes, children, text };
  };
  const tree = walk(root, 1);
  return tree
    ? ok(tree)
    : fail(problem('limit-exceeded', undefined, 'The XML is nested too deeply or has too many elements.'));
}

export const is = (element: XmlElement | undefined, namespace: string, name: string): boolean =>
  element?.name === name && element.namespace === namespace;

export const childrenNamed = (element: XmlElement, namespace: string, name: string): XmlElement[] =>
  element.children.filter((child) => is(child, namespace, name));

export const childNamed = (element: XmlElement, namespace: string, name: string): XmlElement | undefined =>
  element.children.find((child) => is(child, namespace, name));

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

/** Escapes for content and attribute values alike; characters that XML 1.0 §2.2 forbids become U+FFFD. */
export const xml = (text: string): string =>
  text
    .replace(
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      '\ufffd',
    )
    .replace(/[&<>"\r]/g, (found) => ESCAPES[found] ?? found);
