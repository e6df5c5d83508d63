/**
 * DIMSE command sets (PS3.7 §9.3, Annex E): group 0000 in implicit VR little endian, read and written with one table.
 * Command sets carry no text of patients, so nothing here needs a character set.
 */

/** PS3.7 Table E.1-1, Command Field; a response has the highest bit set. */
export const COMMAND = {
  storeRq: 0x0001,
  getRq: 0x0010,
  findRq: 0x0020,
  moveRq: 0x0021,
  echoRq: 0x0030,
  cancelRq: 0x0fff,
  response: 0x8000,
} as const;

/** Command Data Set Type "no data set present"; any other value means that one follows. */
export const NO_DATA_SET = 0x0101;

export interface Command {
  readonly commandField: number;
  readonly dataSetType: number;
  readonly affectedSopClass?: string;
  readonly requestedSopClass?: string;
  readonly messageId?: number;
  readonly respondedTo?: number;
  readonly moveDestination?: string;
  readonly priority?: number;
  readonly status?: number;
  readonly offendingElement?: readonly number[];
  readonly errorComment?: string;
  readonly affectedSopInstance?: string;
  readonly requestedSopInstance?: string;
  readonly remaining?: number;
  readonly completed?: number;
  readonly failed?: number;
  readonly warning?: number;
  readonly moveOriginatorAe?: string;
  readonly moveOriginatorMessageId?: number;
}

type Vr = 'US' | 'UI' | 'AE' | 'LO' | 'AT';

/** Element number of group 0000 -> field and VR, in the ascending order that encoding needs. */
const ELEMENTS: readonly (readonly [number, keyof Command, Vr])[] = [
  [0x0002, 'affectedSopClass', 'UI'],
  [0x0003, 'requestedSopClass', 'UI'],
  [0x0100, 'commandField', 'US'],
  [0x0110, 'messageId', 'US'],
  [0x0120, 'respondedTo', 'US'],
  [0x0600, 'moveDestination', 'AE'],
  [0x0700, 'priority', 'US'],
  [0x0800, 'dataSetType', 'US'],
  [0x0900, 'status', 'US'],
  [0x0901, 'offendingElement', 'AT'],
  [0x0902, 'errorComment', 'LO'],
  [0x1000, 'affectedSopInstance', 'UI'],
  [0x1001, 'requestedSopInstance', 'UI'],
  [0x1020, 'remaining', 'US'],
  [0x1021, 'completed', 'US'],
  [0x1022, 'failed', 'US'],
  [0x1023, 'warning', 'US'],
  [0x1030, 'moveOriginatorAe', 'AE'],
  [0x1031, 'moveOriginatorMessageId', 'US'],
];
const BY_NUMBER = new Map(ELEMENTS.map(([number, field, vr]) => [number, { field, vr }]));

function value(vr: Vr, given: string | number | readonly number[]): Buffer {
  if (vr === 'US') {
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16LE(Number(given));
    return bytes;
  }
  if (vr === 'AT') {
    const tags = given as readonly number[];
    const bytes = Buffer.alloc(4 * tags.length);
    tags.forEach((tag, at) => {
      bytes.writeUInt16LE(tag >>> 16, 4 * at);
      bytes.writeUInt16LE(tag & 0xffff, 4 * at + 2);
    });
    return bytes;
  }
  // PS3.5 §6.2: odd lengths are padded, UIDs with NUL and text with a blank. LO of the default repertoire, 64 characters.
  const text =
    vr === 'LO'
      ? String(given)
          .replace(/[^\x20-\x5b\x5d-\x7e]/g, '?')
          .slice(0, 64)
      : String(given);
  return Buffer.from(text.length % 2 === 0 ? text : text + (vr === 'UI' ? '\0' : ' '), 'latin1');
}

export function encodeCommand(command: Command): Buffer {
  const parts: Buffer[] = [];
  for (const [number, field, vr] of ELEMENTS) {
    const given = command[field];
    if (given === undefined) continue;
    const bytes = value(vr, given);
    const head = Buffer.alloc(8);
    head.writeUInt16LE(number, 2);
    head.writeUInt32LE(bytes.length, 4);
    parts.push(head, bytes);
  }
  const body = Buffer.concat(parts);
  const group = Buffer.alloc(12);
  group.writeUInt32LE(4, 4);
  group.writeUInt32LE(body.length, 8);
  return Buffer.concat([group, body]);
}

function read(vr: Vr, bytes: Buffer): string | number | number[] | null {
  if (vr === 'US') return bytes.length === 2 ? bytes.readUInt16LE(0) : null;
  if (vr === 'AT') {
    const tags: number[] = [];
    for (let at = 0; at + 4 <= bytes.length; at += 4) {
      tags.push(((bytes.readUInt16LE(at) << 16) | bytes.readUInt16LE(at + 2)) >>> 0);
    }
    return tags;
  }
  return bytes
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .replace(/^ +/, '');
}

/** null: not a command set. Elements that are not of the table (retired ones, N-services) are passed over. */
export function decodeCommand(bytes: Buffer): Command | null {
  const fields: Partial<Record<keyof Command, string | number | readonly number[]>> = {};
  let at = 0;
  while (at < bytes.length) {
    if (at + 8 > bytes.length || bytes.readUInt16LE(at) !== 0) return null;
    const known = BY_NUMBER.get(bytes.readUInt16LE(at + 2));
    const end = at + 8 + bytes.readUInt32LE(at + 4);
    if (end > bytes.length) return null;
    if (known) {
      const given = read(known.vr, bytes.subarray(at + 8, end));
      if (given === null) return null;
      fields[known.field] = given;
    }
    at = end;
  }
  if (fields.commandField === undefined || fields.dataSetType === undefined) return null;
  // Each field was read by the VR that its own type stands for in ELEMENTS.
  return fields as Command;
}

/** The response that a request gets: PS3.7 §9.3, every response repeats the message id and the SOP class. */
export function responseTo(request: Command, status: number, more: Partial<Command> = {}): Command {
  return {
    commandField: request.commandField | COMMAND.response,
    respondedTo: request.messageId ?? 0,
    dataSetType: NO_DATA_SET,
    status,
    ...(request.affectedSopClass === undefined ? {} : { affectedSopClass: request.affectedSopClass }),
    ...more,
  };
}
