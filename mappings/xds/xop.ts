/** XOP 1.0: elements whose bytes stand in a part of their own, found and written. */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { decodeBase64 } from './base64.ts';
import { is } from './xml.ts';
import type { XmlElement } from './xml.ts';

export const XOP = 'http://www.w3.org/2004/08/xop/include';

/** XOP §4.1: finds the part of an xop:Include. */
export function includedPart<A>(include: XmlElement, attachments: ReadonlyMap<string, A>): A | null {
  for (const id of idsOf(include)) {
    const part = attachments.get(id);
    if (part !== undefined) return part;
  }
  return null;
}

/** Its href is percent-encoded, the Content-ID is not (RFC 2392); not all senders know, so it may stand as it is. */
function idsOf(include: XmlElement): readonly string[] {
  const href = include.attributes.get('href')?.trim() ?? '';
  if (!/^cid:/i.test(href)) return [];
  const id = href.slice(4);
  try {
    return [decodeURIComponent(id), id];
  } catch (error) {
    if (!(error instanceof URIError)) throw error; // Not percent-encoding: the id is meant as it stands.
    return [id];
  }
}

/** Content ids of the parts that are meant below `root`. */
export const includedIds = (root: XmlElement): ReadonlySet<string> => new Set(within(root));

function* within(element: XmlElement): Generator<string> {
  if (is(element, XOP, 'Include')) yield* idsOf(element);
  for (const child of element.children) yield* within(child);
}

/** The bytes of an element of type base64Binary, included or inline. */
export function binaryOf(element: XmlElement, attachments: ReadonlyMap<string, Buffer>): Buffer | null {
  const include = element.children.find((child) => is(child, XOP, 'Include'));
  if (include) return includedPart(include, attachments);
  const text = element.text.replace(/\s+/g, '');
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0 ? Buffer.from(text, 'base64') : null;
}

/** The content of an element of type base64Binary: a part that was kept, or the bytes of its text. */
export function contentOf<A>(
  element: XmlElement,
  attachments: ReadonlyMap<string, A>,
):
  | { readonly kind: 'part'; readonly part: Result<A> }
  | { readonly kind: 'bytes'; readonly bytes: AsyncIterable<Result<Uint8Array>> } {
  const include = element.children.find((child) => is(child, XOP, 'Include'));
  if (!include) return { kind: 'bytes', bytes: decodeBase64(slices(element.text)) };
  const part = includedPart(include, attachments);
  return {
    kind: 'part',
    part:
      part === null
        ? fail(problem('malformed', undefined, 'An xop:Include names a part that the package does not have.'))
        : ok(part),
  };
}

/** Base64 is ASCII: the text never becomes one buffer beside itself. */
async function* slices(text: string): AsyncGenerator<Result<Uint8Array>> {
  for (let at = 0; at < text.length; at += 65_536) yield ok(Buffer.from(text.slice(at, at + 65_536), 'utf8'));
}

/** True when every xop:Include below `root` names a part that is there. */
export const includesResolve = (root: XmlElement, attachments: ReadonlyMap<string, unknown>): boolean =>
  is(root, XOP, 'Include')
    ? includedPart(root, attachments) !== null
    : root.children.every((child) => includesResolve(child, attachments));

export const includeTag = (contentId: string): string =>
  `<xop:Include xmlns:xop="${XOP}" href="cid:${encodeURIComponent(contentId).replaceAll('%40', '@')}"/>`;
