/**
 * An answer as it comes from the wire: its envelope first, then each attachment as a stream, so that a study of any size
 * passes through without being held. What ends early or lies about its shape is a Failure, never a short document.
 */
import { Failure, fail, ok, problem } from '../../hub/core/problem.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import { readMultipart } from '../../mappings/xds/multipart.ts';
import type { Part } from '../../mappings/xds/multipart.ts';
import { parseMediaType } from '../../mappings/xds/media-type.ts';
import type { XdsLimits } from './endpoint.ts';

export interface Attachment {
  /** Without angle brackets; empty where the part has none. */
  readonly contentId: string;
  /** Rejects with a Failure where it is cut off. Must be read before the next attachment is asked for. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface AnswerStream {
  readonly envelope: Buffer;
  readonly attachments: AsyncGenerator<Attachment>;
}

const HEAD = { headerBytes: 16_384, preambleBytes: 65_536 };
const malformed = (text: string): Problem => problem('malformed', undefined, text);
const bareId = (id: string): string => id.trim().replace(/^<([^]*)>$/, '$1');

export async function openAnswer(
  contentType: string,
  source: AsyncIterable<Uint8Array>,
  limits: Pick<XdsLimits, 'envelopeBytes' | 'parts'>,
): Promise<Result<AnswerStream>> {
  const media = parseMediaType(contentType);
  if (media?.type === 'application/soap+xml' || media?.type === 'application/xop+xml') {
    const envelope = await collect(source, limits.envelopeBytes);
    return envelope.ok ? ok({ envelope: envelope.value, attachments: none() }) : envelope;
  }
  const boundary = media?.parameters.get('boundary') ?? '';
  if (media?.type !== 'multipart/related' || boundary === '' || boundary.length > 200)
    return fail(problem('unsupported-media', 'Content-Type', 'The answer is neither SOAP 1.2 nor an MTOM package.'));
  return openRelated(readMultipart(source, boundary, HEAD), bareId(media.parameters.get('start') ?? ''), limits);
}

async function openRelated(
  parts: AsyncGenerator<Result<Part>>,
  start: string,
  limits: Pick<XdsLimits, 'envelopeBytes' | 'parts'>,
): Promise<Result<AnswerStream>> {
  // RFC 2387 lets the root stand anywhere; what stands before it must be held, and so shares its bound.
  const early: { contentId: string; bytes: Buffer }[] = [];
  let left = limits.envelopeBytes;
  for (;;) {
    const next = await parts.next();
    if (next.done === true) return fail(malformed('No part of the answer is its envelope.'));
    if (!next.value.ok) return next.value;
    const part = next.value.value;
    const contentId = bareId(part.headers.get('content-id') ?? '');
    const whole = await collect(decoded(part), left);
    if (!whole.ok) return whole;
    if (start === '' || contentId === start)
      return ok({ envelope: whole.value, attachments: attachmentsOf(parts, early, limits.parts) });
    left -= whole.value.length;
    early.push({ contentId, bytes: whole.value });
    if (early.length > limits.parts) return fail(tooMany());
  }
}

async function* attachmentsOf(
  parts: AsyncGenerator<Result<Part>>,
  early: readonly { readonly contentId: string; readonly bytes: Buffer }[],
  limit: number,
): AsyncGenerator<Attachment> {
  for (const { contentId, bytes } of early) yield { contentId, body: one(bytes) };
  let count = early.length;
  for await (const part of parts) {
    if (!part.ok) throw new Failure(part.problem);
    if (++count > limit) throw new Failure(tooMany());
    yield { contentId: bareId(part.value.headers.get('content-id') ?? ''), body: decoded(part.value) };
  }
}

const tooMany = (): Problem => problem('limit-exceeded', undefined, 'The answer has more parts than the hub takes.');

/** RFC 2045 §6: bytes as they are, or base64 in lines. */
async function* decoded({ headers, body }: Part): AsyncGenerator<Uint8Array> {
  const encoding = (headers.get('content-transfer-encoding') ?? 'binary').toLowerCase();
  if (encoding !== 'base64' && !['binary', '8bit', '7bit'].includes(encoding))
    throw new Failure(problem('unsupported-media', undefined, 'A part of the answer is encoded in an unknown way.'));
  let rest = '';
  for await (const chunk of body) {
    if (!chunk.ok) throw new Failure(chunk.problem);
    if (encoding !== 'base64') {
      yield chunk.value;
      continue;
    }
    const text = rest + Buffer.from(chunk.value).toString('latin1').replace(/\s+/g, '');
    const whole = text.length - (text.length % 4);
    rest = text.slice(whole);
    if (whole > 0) yield Buffer.from(text.slice(0, whole), 'base64');
  }
  if (rest !== '') yield Buffer.from(rest, 'base64');
}

async function collect(source: AsyncIterable<Uint8Array>, limit: number): Promise<Result<Buffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > limit)
      return fail(problem('too-large', undefined, `The envelope has more than ${String(limit)} bytes.`));
    chunks.push(chunk);
  }
  return ok(Buffer.concat(chunks));
}

async function* none(): AsyncGenerator<never> {
  // A plain envelope has no attachments.
}

async function* one(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
