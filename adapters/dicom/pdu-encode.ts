/** Writes the PDUs of PS3.8 §9.3. Every function returns the whole PDU, ready for one socket write. */
import type { Abort, AssociateAc, AssociateRq, Rejection, UserInformation } from './pdu.ts';
import { PDU_TYPE } from './pdu.ts';

const PDU_HEADER = 6;
const PDV_HEADER = 6;
/** Bytes of P-DATA-TF around one PDV: PDU header, then PDV length, context and message control header. */
export const DATA_OVERHEAD = PDU_HEADER + PDV_HEADER;

function pdu(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(PDU_HEADER);
  head[0] = type;
  head.writeUInt32BE(body.length, 2);
  return Buffer.concat([head, body]);
}

function item(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length > 0xffff) throw new RangeError('an association item holds at most 65535 bytes (PS3.8 §9.3.2)');
  const head = Buffer.from([type, 0, body.length >>> 8, body.length & 0xff]);
  return Buffer.concat([head, body]);
}

const text = (value: string): Buffer => Buffer.from(value, 'latin1');

function uint16(value: number): Buffer {
  return Buffer.from([value >>> 8, value & 0xff]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** PS3.8 Table 9-11: 16 characters of the default repertoire, padded with blanks. */
function applicationEntity(title: string): Buffer {
  const bytes = Buffer.alloc(16, 0x20);
  bytes.write(title, 0, 16, 'latin1');
  return bytes;
}

function userInformation(user: UserInformation): Buffer {
  const parts = [item(0x51, uint32(user.maxLength)), item(0x52, text(user.implementationClassUid))];
  if (user.asyncOperations) {
    parts.push(item(0x53, uint16(user.asyncOperations.invoked), uint16(user.asyncOperations.performed)));
  }
  for (const role of user.roles) {
    const uid = text(role.sopClass);
    parts.push(item(0x54, uint16(uid.length), uid, Buffer.from([role.scu ? 1 : 0, role.scp ? 1 : 0])));
  }
  if (user.implementationVersion !== '') parts.push(item(0x55, text(user.implementationVersion)));
  if (user.identity) {
    const { type, responseRequested, primary, secondary } = user.identity;
    const head = Buffer.from([type, responseRequested ? 1 : 0]);
    parts.push(item(0x58, head, uint16(primary.length), primary, uint16(secondary.length), secondary));
  }
  if (user.identityResponse) parts.push(item(0x59, uint16(user.identityResponse.length), user.identityResponse));
  return item(0x50, ...parts);
}

function associationHead(called: string, calling: string, applicationContext: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, 1, 0, 0]),
    applicationEntity(called),
    applicationEntity(calling),
    Buffer.alloc(32),
    item(0x10, text(applicationContext)),
  ]);
}

export function encodeAssociateRq(rq: AssociateRq): Buffer {
  const contexts = rq.contexts.map((context) =>
    item(
      0x20,
      Buffer.from([context.id, 0, 0, 0]),
      item(0x30, text(context.abstractSyntax)),
      ...context.transferSyntaxes.map((syntax) => item(0x40, text(syntax))),
    ),
  );
  const head = associationHead(rq.called, rq.calling, rq.applicationContext);
  return pdu(PDU_TYPE.associateRq, Buffer.concat([head, ...contexts, userInformation(rq.user)]));
}

export function encodeAssociateAc(ac: AssociateAc): Buffer {
  const contexts = ac.contexts.map((context) =>
    item(0x21, Buffer.from([context.id, 0, context.result, 0]), item(0x40, text(context.transferSyntax))),
  );
  const head = associationHead(ac.called, ac.calling, ac.applicationContext);
  return pdu(PDU_TYPE.associateAc, Buffer.concat([head, ...contexts, userInformation(ac.user)]));
}

export function encodeAssociateRj(rejection: Rejection): Buffer {
  return pdu(PDU_TYPE.associateRj, Buffer.from([0, rejection.result, rejection.source, rejection.reason]));
}

export const encodeReleaseRq = (): Buffer => pdu(PDU_TYPE.releaseRq, Buffer.alloc(4));
export const encodeReleaseRp = (): Buffer => pdu(PDU_TYPE.releaseRp, Buffer.alloc(4));

export function encodeAbort(abort: Abort): Buffer {
  return pdu(PDU_TYPE.abort, Buffer.from([0, 0, abort.source, abort.reason]));
}

/** The 12 bytes that stand before the bytes of one PDV in a PDU of its own. */
export function dataHead(context: number, command: boolean, last: boolean, length: number): Buffer {
  const head = Buffer.allocUnsafe(DATA_OVERHEAD);
  head[0] = PDU_TYPE.data;
  head[1] = 0;
  head.writeUInt32BE(length + PDV_HEADER, 2);
  head.writeUInt32BE(length + 2, 6);
  head[10] = context;
  head[11] = (command ? 1 : 0) | (last ? 2 : 0);
  return head;
}

/** Bytes of one command or whole data set as P-DATA-TF PDUs, none with a variable field above `maxLength`. */
export function encodeData(context: number, command: boolean, bytes: Buffer, maxLength: number): Buffer[] {
  const room = maxLength - PDV_HEADER;
  const parts: Buffer[] = [];
  let at = 0;
  do {
    const piece = bytes.subarray(at, at + room);
    at += piece.length;
    parts.push(dataHead(context, command, at >= bytes.length, piece.length), piece);
  } while (at < bytes.length);
  return parts;
}
