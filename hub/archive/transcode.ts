/**
 * Stored objects in the transfer syntax that a reader accepts: lossless, or decoded; never re-encoded with loss. What may take
 * more than a moment runs in a thread.
 */
import type { Uid } from '../core/identifier.ts';
import { fail, problem } from '../core/problem.ts';
import type { Result } from '../core/problem.ts';
import { parsePart10Header } from '../../mappings/dicom/parse.ts';
import { encodingOf } from '../../mappings/dicom/uids.ts';
import { DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE } from '../../mappings/dicom/uids.ts';
import { decodes, encodes } from './codec/frame.ts';
import { convert } from './codec/convert.ts';
import { CodecPool } from './codec/pool.ts';

const NATIVE_TARGETS: ReadonlySet<string> = new Set([IMPLICIT_LE, EXPLICIT_LE, DEFLATED_LE]);
const NATIVE_SOURCES: ReadonlySet<string> = new Set([...NATIVE_TARGETS, EXPLICIT_BE]);

/** Whether objects of one syntax can be given in another. An object's own pixels may still refuse (`transcode` says why). */
export function canTranscode(from: string, to: string): boolean {
  if (from === to) return true;
  const readable = NATIVE_SOURCES.has(from) || decodes(from);
  return readable && (NATIVE_TARGETS.has(to) || encodes(to));
}

/** Objects below this, between native syntaxes, are converted at once: copying them to a thread would take longer. */
const SMALL = 4 * 1024 * 1024;

let shared: CodecPool | null = null;

/** The pool of this process, made at first use. */
export function codecPool(): CodecPool {
  shared ??= new CodecPool();
  return shared;
}

/** Ends the threads of this process, if any were started. */
export async function closeCodecs(): Promise<void> {
  const pool = shared;
  shared = null;
  await pool?.close();
}

/** A whole Part-10 file in another transfer syntax; the same bytes where it is already in it. */
export async function transcode(part10: Buffer, to: Uid): Promise<Result<Buffer>> {
  const header = parsePart10Header(part10);
  if (!header.ok) return header;
  const from = header.value.transferSyntax;
  if (!canTranscode(from, to)) {
    return fail(problem('unsupported-media', '(0002,0010)', `No conversion from ${from} to ${to}.`));
  }
  const light =
    part10.length < SMALL && !encodingOf(from).encapsulated && !encodingOf(to).encapsulated && to !== DEFLATED_LE;
  return light || from === to ? convert(part10, to) : codecPool().run({ kind: 'convert', file: part10, target: to });
}
