/**
 * Batches (v2.5.1 §2.10.3): one frame or file with FHS/BHS, many messages, BTS/FTS is cut into its messages at the byte
 * level, since each message has a charset of its own; the answers go back as a batch.
 */
import { startOf } from './header.ts';
import { readDelimiters } from './message.ts';

export interface Batch {
  /** The FHS or BHS line, where the frame begins with one; null: bare messages. */
  readonly header: string | null;
  readonly messages: readonly Buffer[];
  /** BTS-1, as told by the sender; null where it is not. */
  readonly told: number | null;
  /** More messages than a frame may have: the bytes from the first of them on, and no messages. */
  readonly crowd: Buffer | null;
}

export const MAX_MESSAGES_PER_FRAME = 10_000;

const isLineEnd = (byte: number | undefined): boolean => byte === 0x0d || byte === 0x0a;

/** Offsets where a line begins with MSH and a possible separator. CR and LF are never trail bytes of GB18030 or Big5. */
function messageStarts(bytes: Buffer, from: number): readonly number[] {
  const starts: number[] = [];
  for (let at = bytes.indexOf('MSH', from, 'latin1'); at >= 0; at = bytes.indexOf('MSH', at + 3, 'latin1')) {
    const separator = bytes[at + 3];
    if ((at === from || isLineEnd(bytes[at - 1])) && separator !== undefined && separator > 0x20 && separator < 0x7f)
      starts.push(at);
    if (starts.length > MAX_MESSAGES_PER_FRAME) break;
  }
  return starts;
}

/** Where the trailer (BTS, FTS) or the next batch header begins after the last message of a batch. */
function endOfMessage(bytes: Buffer, from: number, to: number): number {
  for (const name of ['BTS', 'FTS', 'BHS', 'FHS']) {
    for (const end of ['\r', '\n']) {
      const at = bytes.subarray(from, to).indexOf(`${end}${name}`, 0, 'latin1');
      if (at >= 0) to = from + at + 1;
    }
  }
  return to;
}

/** A frame that holds one message is that message, whole; anything that has no MSH is one message for the header to judge. */
export function splitBatch(bytes: Buffer): Batch {
  const from = startOf(bytes);
  const head = bytes.toString('latin1', from, from + 4);
  const headed = /^(?:FHS|BHS)[!-/:-@[-`{-~]$/.test(head);
  const starts = messageStarts(bytes, from);
  if (!headed && starts.length <= 1) return { header: null, messages: [bytes], told: null, crowd: null };
  const line = bytes.toString('latin1', from, from + 4_096).split(/[\r\n]/)[0] ?? '';
  const header = headed ? line : null;
  // Cut at the limit, the rest would pass as one message, of which all but the first were lost after an AA.
  if (starts.length > MAX_MESSAGES_PER_FRAME)
    return { header, messages: [], told: null, crowd: bytes.subarray(starts[0] ?? from) };
  const ends = starts.map((start, at) => starts[at + 1] ?? bytes.length);
  const messages = starts.map((start, at) =>
    bytes.subarray(start, headed ? endOfMessage(bytes, start, ends[at] ?? start) : ends[at]),
  );
  const trailer = /[\r\n]BTS.(\d{1,9})/.exec(bytes.toString('latin1', Math.max(0, bytes.length - 2_048)))?.[1];
  return { header, messages, told: trailer === undefined ? null : Number(trailer), crowd: null };
}

/** The answers of one batch as a batch: sender and receiver swapped, BTS-1 the number of answers. */
export function wrapBatch(batch: Batch, answers: readonly Buffer[], time: string, controlId: string): Buffer {
  const line = batch.header ?? '';
  const separator = readDelimiters(line)?.field ?? '|';
  const sent = line.split(separator);
  const part = (index: number): string => sent[index] ?? '';
  const said =
    batch.told !== null && batch.told !== batch.messages.length ? `${String(batch.messages.length)} messages came` : '';
  const names = [part(4), part(5), part(2), part(3), time, '', '', '', controlId, part(10)];
  const marks = part(1) === '' ? '^~\\&' : part(1);
  const header = (name: string): string =>
    `${[name, marks, ...names].join(separator).replace(new RegExp(`\\${separator}+$`), '')}\r`;
  const trailer = ['BTS', String(answers.length), ...(said === '' ? [] : [said])].join(separator);
  const file = line.startsWith('FHS');
  return Buffer.concat([
    Buffer.from(`${file ? header('FHS') : ''}${header('BHS')}`, 'latin1'),
    ...answers,
    Buffer.from(`${trailer}\r${file ? `FTS${separator}1\r` : ''}`, 'latin1'),
  ]);
}
