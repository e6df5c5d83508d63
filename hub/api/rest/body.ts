/** Bodies within bounds: whole, or line by line. Nothing is inflated, nothing grows beyond its limit. */
import type { Request } from 'express';
import type { Problem, Result } from '../../core/problem.ts';
import { fail, ok, problem } from '../../core/problem.ts';

export const mediaOf = (request: Request): string =>
  (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/** A compressed body could grow a thousandfold; feeds are small enough as they are. */
export function plainEncoding(request: Request): Result<null> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  return encoding === 'identity'
    ? ok(null)
    : fail(problem('unsupported-media', 'Content-Encoding', 'Send the body without compression.'));
}

/** What is kept of an input that is too large: enough to tell what it was (as of HL7 v2 frames). */
export const HEAD = 8192;

/** The request's chunks. To stop reading does not end the connection: the answer still goes out on it. */
export const chunksOf = (request: Request): AsyncIterable<Buffer> =>
  request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;

export type Read =
  | { readonly ok: true; readonly value: Buffer }
  | { readonly ok: false; readonly problem: Problem; readonly head: Buffer };

export async function readBytes(request: Request, most: number): Promise<Read> {
  const tooLarge = problem('too-large', 'body', `The body is larger than ${String(most)} bytes.`);
  const declared = Number(request.headers['content-length'] ?? 0);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunksOf(request)) {
    size += chunk.length;
    chunks.push(chunk);
    if (size > most || (declared > most && size >= HEAD))
      return { ok: false, problem: tooLarge, head: Buffer.concat(chunks).subarray(0, HEAD) };
  }
  return { ok: true, value: Buffer.concat(chunks) };
}

export type Line =
  { readonly number: number; readonly bytes: Buffer } | { readonly number: number; readonly head: Buffer };

/**
 * NDJSON lines as they arrive, empty ones left out but counted; of a line over `most` bytes its head. LF and CR LF
 * end a line, whatever the chunks: 0x0A is no trail byte of UTF-8 or GB18030.
 */
export async function* readLines(source: AsyncIterable<Buffer>, most: number): AsyncGenerator<Line> {
  let number = 0;
  let parts: Buffer[] = [];
  let size = 0;
  const end = (): Line | null => {
    number++;
    const line = parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts);
    const over = size > most;
    [parts, size] = [[], 0];
    if (over) return { number, head: line };
    const bytes = line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
    return bytes.length === 0 ? null : { number, bytes };
  };
  const take = (piece: Buffer): void => {
    const wasOver = size > most;
    size += piece.length;
    if (wasOver) return;
    parts.push(piece);
    // A copy: the head must not hold the chunks that it came in.
    if (size > most) parts = [Buffer.from(Buffer.concat(parts).subarray(0, HEAD))];
  };
  for await (const chunk of source) {
    let from = 0;
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
      take(chunk.subarray(from, at));
      from = at + 1;
      const line = end();
      if (line !== null) yield line;
    }
    take(chunk.subarray(from));
  }
  if (size > 0) {
    const line = end();
    if (line !== null) yield line;
  }
}
