/**
 * The first bytes of an instance that streams by: as many as its header needs, so that the index record can be read
 * while the pixels pass without being kept.
 */
import { lenientUid } from '../../hub/core/identifier.ts';
import type { Uid } from '../../hub/core/identifier.ts';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { LIMITS, parseHeader, parsePart10Header } from './parse.ts';
import type { ParsedHeader } from './parse.ts';
import { DEFLATED_LE } from './uids.ts';

/** What most headers fit in; one read of a socket. */
const FIRST = 64 * 1024;
/** Headers with per-frame functional groups go on beyond this; what the index needs of them stands before. */
const MOST = 1024 * 1024;
/** 64 KiB of deflated header inflate to at most some 64 MiB. */
const PARSE = { ...LIMITS, elements: 100_000, inflated: 80 * 1024 * 1024 };

export interface FileStart {
  readonly bytes: Buffer;
  readonly dataSetOffset: number;
  /** Where the file had no proper head: what to write instead of what stands before the data set. */
  readonly head: { readonly sopClass: Uid; readonly sopUid: Uid; readonly transferSyntax: Uid } | null;
}

export class InstancePrefix {
  #parts: Buffer[] = [];
  #size = 0;
  #target = FIRST;
  #transferSyntax: string | null;
  /** Bytes before the data set among those kept. */
  #offset = 0;
  #header: Result<ParsedHeader> | null = null;
  /** More bytes are wanted. */
  open = true;

  constructor(transferSyntax: string | null) {
    this.#transferSyntax = transferSyntax;
  }

  /** Too little to tell what file this is. */
  get short(): boolean {
    return this.#size < FIRST;
  }

  add(chunk: Buffer): void {
    const wanted = Math.min(chunk.length, MOST - this.#size);
    // A copy: the caller may use its buffer again.
    this.#parts.push(Buffer.from(chunk.subarray(0, wanted)));
    this.#size += wanted;
    if (this.#size < this.#target || this.#transferSyntax === null) return;
    this.#parse(this.#transferSyntax);
  }

  /** Reads the start of a posted file (PS3.10 §7.1), which decides whether its head can stay. */
  startOfFile(): Result<FileStart> {
    const bytes = this.#whole();
    const parsed = parsePart10Header(bytes, PARSE);
    if (!parsed.ok) return parsed;
    const { transferSyntax, dataSetOffset, dataSet, meta } = parsed.value;
    this.#transferSyntax = transferSyntax;
    this.#offset = dataSetOffset;
    this.#parse(transferSyntax);
    const part10 = bytes.toString('latin1', 128, 132) === 'DICM' && meta.one(0x00020010) !== '';
    if (part10) return ok({ bytes, dataSetOffset, head: null });
    const [sopClass, sopUid] = [lenientUid(dataSet.one(0x00080016)), lenientUid(dataSet.one(0x00080018))];
    if (!sopClass || !sopUid) {
      return fail(
        problem('malformed', '(0002,0000)', 'The file has no meta information and its data set names no instance.'),
      );
    }
    return ok({ bytes, dataSetOffset, head: { sopClass, sopUid, transferSyntax } });
  }

  /** What was kept of a file that is not DICOM. */
  unread(): FileStart {
    this.open = false;
    return { bytes: this.#whole(), dataSetOffset: 0, head: null };
  }

  /** The header, given how many bytes the data set had in all; a data set that was cut off is refused. */
  header(dataSetSize: number): Result<ParsedHeader> {
    if (this.#transferSyntax === null) return fail(problem('malformed', undefined, 'The object is not DICOM.'));
    if (this.open) this.#parse(this.#transferSyntax);
    const header = this.#header;
    if (!header) return fail(problem('malformed', undefined, 'The instance has no data set.'));
    if (!header.ok) return header;
    return cutOff(header.value, dataSetSize, this.#size - this.#offset) ?? header;
  }

  #whole(): Buffer {
    if (this.#parts.length !== 1) this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0] ?? Buffer.alloc(0);
  }

  #parse(transferSyntax: string): void {
    this.#header = parseHeader(this.#whole().subarray(this.#offset), transferSyntax, PARSE);
    const more = this.#header.ok && this.#header.value.stop.reason === 'need-more';
    const room = transferSyntax === DEFLATED_LE ? FIRST : MOST;
    this.open = more && this.#size < room;
    this.#target = Math.min(this.#size * 2, MOST);
  }
}

/** PS3.5 §7.1.3: a defined length that reaches beyond the last byte means that bytes were lost on the way. */
function cutOff(
  header: ParsedHeader,
  dataSetSize: number,
  kept: number,
): { ok: false; problem: ReturnType<typeof problem> } | null {
  const { stop, dataSet, transferSyntax } = header;
  if (transferSyntax === DEFLATED_LE) return null;
  if (stop.reason === 'need-more' && dataSetSize <= kept) {
    return fail(problem('malformed', undefined, 'The data set ends inside an element; send the instance again.'));
  }
  if (stop.reason !== 'pixel-data') return null;
  const at = stop.at;
  // PS3.5 §7.1.2: OB, OW, OF, OD have two reserved bytes and a 32-bit length in explicit VR.
  const lengthAt = dataSet.explicit ? at + 8 : at + 4;
  if (lengthAt + 4 > dataSet.bytes.length) return null;
  const { bytes, littleEndian } = dataSet;
  const length = littleEndian ? bytes.readUInt32LE(lengthAt) : bytes.readUInt32BE(lengthAt);
  if (length === 0xffffffff || lengthAt + 4 + length <= dataSetSize) return null;
  return fail(problem('malformed', '(7FE0,0010)', 'The pixel data end before their length; send the instance again.'));
}
