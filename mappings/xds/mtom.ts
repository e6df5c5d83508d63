/**
 * MTOM/XOP packages (multipart/related, RFC 2387): a reader that takes what is seen in the field, and the heads and ends that
 * a sender puts around its streamed parts.
 */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import { readMultipart } from './multipart.ts';
import type { Part } from './multipart.ts';
import { is } from './xml.ts';
import type { XmlElement } from './xml.ts';

export const XOP = 'http://www.w3.org/2004/08/xop/include';

export interface MediaType {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** RFC 9110 §8.3.1, parameters quoted or not; a token may hold `:` `/` `=` `+`, which the field leaves unquoted. */
export function parseMediaType(header: string): MediaType | null {
  const match = /^\s*([\w!#$&^.+-]+\/[\w!#$&^.+-]+)\s*(?=;|$)/.exec(header);
  if (!match?.[1]) return null;
  const parameters = new Map<string, string>();
  const rest = header.slice(match[0].length);
  const pattern = /;\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g;
  for (const [, name = '', quoted, token] of rest.matchAll(pattern))
    if (!parameters.has(name.toLowerCase()))
      parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token ?? '');
  return { type: match[1].toLowerCase(), parameters };
}

export interface SoapPackage {
  /** The SOAP envelope as sent. */
  readonly envelope: Buffer;
  /** The action that HTTP tells, on the package or on its root part. */
  readonly action: string | null;
  /** Attachments by content id, without angle brackets. */
  readonly attachments: ReadonlyMap<string, Buffer>;
}

export interface PackageLimits {
  readonly bytes: number;
  readonly parts: number;
}

/** Reads a request whole: plain SOAP 1.2 or MTOM. For transactions whose requests are small. */
export async function readPackage(
  contentType: string,
  body: AsyncIterable<Uint8Array>,
  limits: PackageLimits,
): Promise<Result<SoapPackage>> {
  const media = parseMediaType(contentType);
  // SOAP 1.1 comes as text/xml (§6 of its binding): read, so that its envelope is answered with VersionMismatch.
  if (media?.type === 'application/soap+xml' || media?.type === 'text/xml') {
    const whole = await collect(body, limits.bytes);
    return whole
      ? ok({ envelope: whole, action: media.parameters.get('action') ?? null, attachments: new Map() })
      : fail(tooLarge(limits.bytes));
  }
  const inner = media?.parameters.get('type')?.toLowerCase();
  // RFC 2387 requires `type`; senders that leave it out are taken as MTOM, other kinds of related parts are not.
  if (media?.type !== 'multipart/related' || (inner !== undefined && !/^application\/(xop|soap)\+xml$/.test(inner)))
    return fail(
      problem(
        'unsupported-media',
        'Content-Type',
        'Send application/soap+xml, or multipart/related with type="application/xop+xml".',
      ),
    );
  const boundary = media.parameters.get('boundary') ?? '';
  if (boundary === '' || boundary.length > 200)
    return fail(malformed('The multipart boundary is missing or too long.'));
  return readRelated(media, boundary, body, limits);
}

async function readRelated(
  media: MediaType,
  boundary: string,
  body: AsyncIterable<Uint8Array>,
  limits: PackageLimits,
): Promise<Result<SoapPackage>> {
  const parts: { id: string; type: MediaType | null; bytes: Buffer }[] = [];
  let left = limits.bytes;
  for await (const part of readMultipart(body, boundary, { headerBytes: 16_384, preambleBytes: 65_536 })) {
    if (!part.ok) return part;
    if (parts.length >= limits.parts)
      return fail(problem('limit-exceeded', undefined, `The package has more than ${String(limits.parts)} parts.`));
    const read = await readPart(part.value, left);
    if (!read.ok) return read;
    left -= read.value.bytes.length;
    parts.push(read.value);
  }
  const start = bareId(media.parameters.get('start') ?? '');
  const root = start === '' ? parts[0] : parts.find((part) => part.id === start);
  if (!root)
    return fail(
      malformed(parts.length === 0 ? 'The package has no part.' : 'No part has the Content-ID that `start` names.'),
    );
  if (root.type && !/^(application\/(xop|soap)\+xml|text\/xml|application\/xml)$/.test(root.type.type))
    return fail(problem('unsupported-media', undefined, 'The root part must be application/xop+xml.'));
  const attachments = new Map(
    parts.filter((part) => part !== root && part.id !== '').map((part) => [part.id, part.bytes]),
  );
  const action =
    media.parameters.get('action') ?? root.type?.parameters.get('action') ?? startInfoAction(media) ?? null;
  return ok({ envelope: root.bytes, action, attachments });
}

/** Some stacks write the action inside `start-info="application/soap+xml; action=\"…\""`. */
const startInfoAction = (media: MediaType): string | undefined =>
  parseMediaType(media.parameters.get('start-info') ?? '')?.parameters.get('action');

async function readPart(
  part: Part,
  limit: number,
): Promise<Result<{ id: string; type: MediaType | null; bytes: Buffer }>> {
  const encoding = (part.headers.get('content-transfer-encoding') ?? 'binary').toLowerCase();
  if (!['binary', '8bit', '7bit', 'base64'].includes(encoding))
    return fail(
      problem(
        'unsupported-media',
        undefined,
        'A part has a Content-Transfer-Encoding other than binary, 8bit, 7bit or base64.',
      ),
    );
  const whole: Buffer[] = [];
  let size = 0;
  for await (const chunk of part.body) {
    if (!chunk.ok) return chunk;
    size += chunk.value.length;
    if (size > limit) return fail(tooLarge(limit));
    whole.push(Buffer.from(chunk.value));
  }
  const raw = Buffer.concat(whole);
  const bytes = encoding === 'base64' ? Buffer.from(raw.toString('latin1'), 'base64') : raw;
  return ok({
    id: bareId(part.headers.get('content-id') ?? ''),
    type: parseMediaType(part.headers.get('content-type') ?? ''),
    bytes,
  });
}

async function collect(body: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const tooLarge = (limit: number): Problem =>
  problem('too-large', undefined, `The request is larger than ${String(limit)} bytes.`);
const malformed = (text: string): Problem => problem('malformed', undefined, text);
const bareId = (id: string): string => id.trim().replace(/^<([^]*)>$/, '$1');

/** XOP §4.1: finds the part of an xop:Include; its href is percent-encoded, the Content-ID is not (RFC 2392). */
export function includedPart(include: XmlElement, attachments: ReadonlyMap<string, Buffer>): Buffer | null {
  const href = include.attributes.get('href')?.trim() ?? '';
  if (!/^cid:/i.test(href)) return null;
  const id = href.slice(4);
  let decoded = id;
  try {
    decoded = decodeURIComponent(id);
  } catch (error) {
    if (!(error instanceof URIError)) throw error; // Not percent-encoding: the id is meant as it stands.
  }
  return attachments.get(decoded) ?? attachments.get(id) ?? null;
}

/** The bytes of an element of type base64Binary, included or inline. */
export function binaryOf(element: XmlElement, attachments: ReadonlyMap<string, Buffer>): Buffer | null {
  const include = element.children.find((child) => is(child, XOP, 'Include'));
  if (include) return includedPart(include, attachments);
  const text = element.text.replace(/\s+/g, '');
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0 ? Buffer.from(text, 'base64') : null;
}

/** True when every xop:Include below `root` names a part that is there. */
export const includesResolve = (root: XmlElement, attachments: ReadonlyMap<string, Buffer>): boolean =>
  is(root, XOP, 'Include')
    ? includedPart(root, attachments) !== null
    : root.children.every((child) => includesResolve(child, attachments));

export const includeTag = (contentId: string): string =>
  `<xop:Include xmlns:xop="${XOP}" href="cid:${encodeURIComponent(contentId).replaceAll('%40', '@')}"/>`;

export const packageType = (boundary: string, rootId: string, action: string): string =>
  `multipart/related; type="application/xop+xml"; start="<${rootId}>"; start-info="application/soap+xml"; boundary="${boundary}"; action="${action}"`;

export const rootHead = (boundary: string, rootId: string): string =>
  `--${boundary}\r\nContent-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${rootId}>\r\n\r\n`;

export const partHead = (
  boundary: string,
  part: { readonly contentId: string; readonly contentType: string },
): string =>
  `\r\n--${boundary}\r\nContent-Type: ${part.contentType}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${part.contentId}>\r\n\r\n`;

export const packageEnd = (boundary: string): string => `\r\n--${boundary}--\r\n`;
