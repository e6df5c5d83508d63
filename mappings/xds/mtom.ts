/**
 * MTOM/XOP packages (multipart/related, RFC 2387): a reader that takes what is seen in the field, and the heads and ends that
 * a sender puts around its streamed parts.
 */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { parseMediaType } from './media-type.ts';
import type { MediaType } from './media-type.ts';
import { readMultipart } from './multipart.ts';
import { BoundedSource, collect, Kept, readRoot, RelatedReader } from './related.ts';
import type { KeepPart, PackageLimits } from './related.ts';

export type { MediaType } from './media-type.ts';
export type { IncomingPart, KeepPart, PackageLimits } from './related.ts';
export { binaryOf, contentOf, includedIds, includedPart, includesResolve, includeTag, XOP } from './xop.ts';

export interface SoapPackage {
  /** The SOAP envelope as sent. */
  readonly envelope: Buffer;
  /** The action that HTTP tells, on the package or on its root part. */
  readonly action: string | null;
  /** Attachments by content id, without angle brackets. */
  readonly attachments: ReadonlyMap<string, Buffer>;
}

/** A package of which the envelope is read: whoever sends it can be judged before its attachments are taken. */
export interface OpenPackage<A> {
  readonly envelope: Buffer;
  readonly action: string | null;
  /** Whether it came as MTOM, and should be answered so. */
  readonly mtom: boolean;
  /**
   * Reads what follows the envelope; once. `named`: content ids of the parts that are meant; absent: all are. What was kept
   * of a package that fails is its keeper's to drop.
   */
  rest(named?: ReadonlySet<string>): Promise<Result<ReadonlyMap<string, A>>>;
}

/** Reads a request whole: plain SOAP 1.2 or MTOM. For transactions whose requests are small. */
export async function readPackage(
  contentType: string,
  body: AsyncIterable<Uint8Array>,
  limits: PackageLimits,
): Promise<Result<SoapPackage>> {
  const opened = await openPackage(contentType, body, limits, keepBytes);
  if (!opened.ok) return opened;
  const attachments = await opened.value.rest();
  if (!attachments.ok) return attachments;
  const { envelope, action } = opened.value;
  return ok({ envelope, action, attachments: attachments.value });
}

export const keepBytes: KeepPart<Buffer> = (part) => collect(part.body, Infinity);

/** Reads a request up to the end of its envelope; parts that stand before it are kept already. */
export async function openPackage<A>(
  contentType: string,
  body: AsyncIterable<Uint8Array>,
  limits: PackageLimits,
  keep: KeepPart<A>,
): Promise<Result<OpenPackage<A>>> {
  const media = parseMediaType(contentType);
  const source = new BoundedSource(body, limits.bytes);
  const kept = new Kept(keep);
  // SOAP 1.1 comes as text/xml (§6 of its binding): read, so that its envelope is answered with VersionMismatch.
  if (media?.type === 'application/soap+xml' || media?.type === 'text/xml') {
    const whole = source.told(await readRoot(results(source), limits, kept));
    if (!whole.ok) return whole;
    const action = media.parameters.get('action') ?? null;
    return ok({ envelope: whole.value, action, mtom: false, rest: () => Promise.resolve(ok(kept.parts)) });
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
    return fail(problem('malformed', undefined, 'The multipart boundary is missing or too long.'));
  const related = new RelatedReader(media, readMultipart(source, boundary, PART_LIMITS), limits, kept);
  const root = source.told(await related.toRoot());
  if (!root.ok) return root;
  const action =
    media.parameters.get('action') ?? root.value.type?.parameters.get('action') ?? startInfoAction(media) ?? null;
  return ok({
    envelope: root.value.bytes,
    action,
    mtom: true,
    rest: async (named) => source.told(await related.rest(named)),
  });
}

const PART_LIMITS = { headerBytes: 16_384, preambleBytes: 65_536 };

/** Some stacks write the action inside `start-info="application/soap+xml; action=\"…\""`. */
const startInfoAction = (media: MediaType): string | undefined =>
  parseMediaType(media.parameters.get('start-info') ?? '')?.parameters.get('action');

async function* results(source: AsyncIterable<Uint8Array>): AsyncGenerator<Result<Uint8Array>> {
  for await (const chunk of source) yield ok(chunk);
}

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
