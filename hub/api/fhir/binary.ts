/**
 * The bytes of a document (ITI-68): from the hub's own objects or, as they come, from the repository that keeps them; to
 * clients that ask for FHIR as a Binary resource.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import type { Binary } from 'fhir/r4.js';
import type { Calling } from '../../core/audit.ts';
import type { RemoteRepositories } from '../../core/document-ports.ts';
import type { ObjectStore } from '../../core/ports.ts';
import { Failure, problem, type Problem } from '../../core/problem.ts';
import type { RemoteBinary, StoredBinary } from '../../../mappings/fhir/document.ts';
import { faulty, parsed, type Parsed } from './reply.ts';

/** Larger documents are read as bytes: a resource is held in memory whole, a third larger than its document. */
const LARGEST = 8 * 1024 * 1024;

export type KeptBinary = StoredBinary | RemoteBinary;

export interface BinaryDeps {
  readonly objects: Pick<ObjectStore, 'read'>;
  readonly domain: { readonly elsewhere: RemoteRepositories };
}

/** null: the headers alone are asked for, and nobody else is asked for bytes. */
export type Bytes = AsyncIterable<Uint8Array> | null;

export async function openBytes(
  { objects, domain }: BinaryDeps,
  kept: KeptBinary,
  method: string,
  calling: Calling,
): Promise<Parsed<Bytes>> {
  if (method === 'HEAD') return parsed(null);
  if ('object' in kept) return parsed(stored(objects, kept.object));
  const opened = await domain.elsewhere.open(kept.elsewhere, calling);
  if (opened === null) return faulty(404, 'not-found', 'no repository that is known here keeps this document');
  return opened.ok ? parsed(asRegistered(opened.value, kept)) : unavailable(opened.problem);
}

/** Opened when somebody reads, which is after the audit has it. */
async function* stored(objects: BinaryDeps['objects'], key: string): AsyncGenerator<Uint8Array> {
  yield* (await objects.read(key)) as AsyncIterable<Uint8Array>;
}

/** RFC 9110 §15.6: who keeps it gave nothing that can be used, or nothing in time. */
function unavailable({ code }: Problem): Parsed<never> {
  if (code === 'not-found') return faulty(404, 'not-found', 'the repository that kept this document has it no more');
  return code === 'timeout'
    ? faulty(504, 'timeout', 'the repository that keeps this document did not answer in time')
    : faulty(502, 'transient', 'the repository that keeps this document does not give it now');
}

/** The last piece is held back until all are known to be what the registry tells of: other bytes never arrive whole. */
async function* asRegistered(
  body: AsyncIterable<Uint8Array>,
  { hash, size }: RemoteBinary,
): AsyncGenerator<Uint8Array> {
  const digest = createHash('sha1');
  const other = (): Failure =>
    new Failure(problem('conflict', 'hash', 'the repository gave other bytes than the registry tells of'));
  let count = 0;
  let held: Uint8Array | null = null;
  for await (const chunk of body) {
    count += chunk.length;
    if (size !== undefined && count > size) throw other();
    digest.update(chunk);
    if (held !== null) yield held;
    held = chunk;
  }
  if ((size !== undefined && size !== count) || (hash !== undefined && hash !== digest.digest('hex'))) throw other();
  if (held !== null) yield held;
}

/** Answers why the document did not go out whole; null: it did, or the reader went away. */
export async function sendBytes(
  response: Response,
  headers: Readonly<Record<string, string>>,
  kept: KeptBinary,
  bytes: Bytes,
): Promise<string | null> {
  response.status(200).set({
    ...headers,
    ...(kept.size === undefined ? {} : { 'Content-Length': String(kept.size) }),
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': 'sandbox',
    'Cache-Control': 'no-store',
  });
  // Not by Express, which would add a charset that nobody knows to be true.
  response.setHeader('Content-Type', kept.contentType);
  if (bytes === null) {
    response.end();
    return null;
  }
  try {
    await pipeline(Readable.from(bytes, { objectMode: false }), response);
    return null;
  } catch (error) {
    if (!(error instanceof Failure) || !response.headersSent) throw error;
    response.destroy();
    return error.problem.text;
  }
}

export async function binaryBody(kept: KeptBinary, bytes: Bytes): Promise<Parsed<Binary>> {
  const { meta } = kept as { meta?: Binary['meta'] };
  const data = await collected(kept, bytes);
  if (!data.ok) return data;
  return parsed({
    resourceType: 'Binary',
    id: kept.id,
    ...(meta === undefined ? {} : { meta }),
    contentType: kept.contentType,
    securityContext: kept.securityContext,
    ...(data.value === null ? {} : { data: data.value.toString('base64') }),
  });
}

async function collected({ size = 0 }: KeptBinary, bytes: Bytes): Promise<Parsed<Buffer | null>> {
  const tooLarge = faulty(413, 'too-long', 'this document is too large for a resource');
  if (bytes === null) return parsed(null);
  const chunks: Uint8Array[] = [];
  let count = 0;
  try {
    if (size > LARGEST) return tooLarge;
    for await (const chunk of bytes) {
      count += chunk.length;
      if (count > LARGEST) return tooLarge;
      chunks.push(chunk);
    }
    return parsed(Buffer.concat(chunks));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return unavailable(error.problem);
  }
}

/** Whether Accept (RFC 9110 §12.5.1) takes a media type; parameters other than q do not narrow it. */
export function accepts(accept: string | undefined, type: string): boolean {
  if (accept === undefined || accept.trim() === '') return true;
  const plain = type.split(';')[0]?.trim().toLowerCase() ?? '';
  const ranges = accept
    .slice(0, 1000)
    .toLowerCase()
    .split(',')
    .map((range) => range.split(';').map((part) => part.trim()));
  return ranges.some(([range = '', ...parameters]) => {
    if (parameters.some((one) => /^q=0(\.0*)?$/.test(one))) return false;
    return range === '*/*' || range === plain || (range.endsWith('/*') && plain.startsWith(range.slice(0, -1)));
  });
}
