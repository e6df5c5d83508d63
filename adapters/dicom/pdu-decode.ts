/** Reads the bodies of association PDUs (PS3.8 §9.3.2 to §9.3.8). Total: whatever the bytes, a value or a reason. */
import type {
  AnsweredContext,
  AssociateAc,
  AssociateRq,
  ProposedContext,
  RoleSelection,
  UserIdentity,
  UserInformation,
} from './pdu.ts';

/** PS3.8 §9.3.2.2: identifiers are odd, 1 to 255, so an association has at most 128 contexts. */
const MAX_CONTEXTS = 128;
const MAX_TRANSFER_SYNTAXES = 128;
const MAX_ROLES = 512;

/** A PDU that breaks its own rules: caught at once by `decode…` below, never seen outside this file. */
class Malformed extends Error {}

interface Item {
  readonly type: number;
  readonly body: Buffer;
}

function* items(bytes: Buffer): Generator<Item> {
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw new Malformed('an item header is cut off');
    const length = bytes.readUInt16BE(at + 2);
    const end = at + 4 + length;
    if (end > bytes.length) throw new Malformed('an item is longer than what holds it');
    yield { type: bytes.readUInt8(at), body: bytes.subarray(at + 4, end) };
    at = end;
  }
}

/** UIDs here are not padded (PS3.8 §F), yet peers that pad with NUL or blank are seen. */
function uid(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\0 ]+$/, '');
}

function applicationEntity(bytes: Buffer): string {
  const title = bytes.toString('latin1').replace(/\0.*$/s, '').trim();
  // PS3.5 §6.2 AE: no control characters, no backslash.
  if (/[^\x20-\x5b\x5d-\x7e]/.test(title)) throw new Malformed('an AE title has characters that are not allowed');
  return title;
}

function need(body: Buffer, length: number, what: string): void {
  if (body.length < length) throw new Malformed(`${what} is too short`);
}

function role(body: Buffer): RoleSelection {
  need(body, 4, 'a role selection');
  const length = body.readUInt16BE(0);
  need(body, 4 + length, 'a role selection');
  return { sopClass: uid(body.subarray(2, 2 + length)), scu: body[2 + length] === 1, scp: body[3 + length] === 1 };
}

function identity(body: Buffer): UserIdentity {
  need(body, 4, 'a user identity');
  const primaryLength = body.readUInt16BE(2);
  need(body, 6 + primaryLength, 'a user identity');
  const secondaryLength = body.readUInt16BE(4 + primaryLength);
  need(body, 6 + primaryLength + secondaryLength, 'a user identity');
  return {
    type: body.readUInt8(0),
    responseRequested: body[1] === 1,
    primary: Buffer.from(body.subarray(4, 4 + primaryLength)),
    secondary: Buffer.from(body.subarray(6 + primaryLength, 6 + primaryLength + secondaryLength)),
  };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Sub-items this side does not know, extended negotiation (0x56, 0x57) among them, are passed over (PS3.8 §9.3.1). */
function userInformation(bytes: Buffer): UserInformation {
  const roles: RoleSelection[] = [];
  const user: Writable<UserInformation> = {
    maxLength: 0,
    implementationClassUid: '',
    implementationVersion: '',
    roles,
  };
  for (const { type, body } of items(bytes)) {
    if (type === 0x51) {
      need(body, 4, 'the maximum length');
      user.maxLength = body.readUInt32BE(0);
    } else if (type === 0x52) user.implementationClassUid = uid(body).slice(0, 64);
    else if (type === 0x53) {
      need(body, 4, 'the asynchronous operations window');
      user.asyncOperations = { invoked: body.readUInt16BE(0), performed: body.readUInt16BE(2) };
    } else if (type === 0x54) {
      if (roles.length >= MAX_ROLES) throw new Malformed('too many role selections');
      roles.push(role(body));
    } else if (type === 0x55) user.implementationVersion = uid(body).slice(0, 16);
    else if (type === 0x58) user.identity = identity(body);
    else if (type === 0x59) {
      need(body, 2, 'a user identity response');
      user.identityResponse = Buffer.from(body.subarray(2, 2 + body.readUInt16BE(0)));
    }
  }
  return user;
}

function contextId(body: Buffer): number {
  need(body, 4, 'a presentation context');
  const id = body.readUInt8(0);
  if (id % 2 === 0) throw new Malformed('a presentation context identifier is even');
  return id;
}

function proposed(body: Buffer): ProposedContext {
  const id = contextId(body);
  let abstractSyntax = '';
  const transferSyntaxes: string[] = [];
  for (const part of items(body.subarray(4))) {
    if (part.type === 0x30) abstractSyntax = uid(part.body);
    else if (part.type === 0x40) transferSyntaxes.push(uid(part.body));
    if (transferSyntaxes.length > MAX_TRANSFER_SYNTAXES) throw new Malformed('too many transfer syntaxes');
  }
  if (abstractSyntax === '' || transferSyntaxes.length === 0) throw new Malformed('a presentation context is empty');
  return { id, abstractSyntax, transferSyntaxes };
}

function answered(body: Buffer): AnsweredContext {
  const id = contextId(body);
  let transferSyntax = '';
  for (const part of items(body.subarray(4))) if (part.type === 0x40) transferSyntax = uid(part.body);
  return { id, result: body.readUInt8(2), transferSyntax };
}

interface Parts<C> {
  readonly called: string;
  readonly calling: string;
  readonly applicationContext: string;
  readonly contexts: readonly C[];
  readonly user: UserInformation;
}

function association<C extends { readonly id: number }>(
  body: Buffer,
  contextType: number,
  readContext: (bytes: Buffer) => C,
  readTitle: (bytes: Buffer) => string,
): Parts<C> {
  need(body, 68, 'an association PDU');
  let applicationContext = '';
  let user: UserInformation | null = null;
  const contexts: C[] = [];
  const seen = new Set<number>();
  for (const part of items(body.subarray(68))) {
    if (part.type === 0x10) applicationContext = uid(part.body);
    else if (part.type === 0x50) user = userInformation(part.body);
    else if (part.type === contextType) {
      const context = readContext(part.body);
      if (seen.has(context.id)) throw new Malformed('a presentation context identifier is given twice');
      seen.add(context.id);
      contexts.push(context);
      if (contexts.length > MAX_CONTEXTS) throw new Malformed('too many presentation contexts');
    }
  }
  if (user === null) throw new Malformed('user information is absent');
  const titles = { called: readTitle(body.subarray(4, 20)), calling: readTitle(body.subarray(20, 36)) };
  return { ...titles, applicationContext, contexts, user };
}

export type Decoded<T> = { readonly ok: true; readonly pdu: T } | { readonly ok: false; readonly text: string };

function decoded<T>(read: () => T): Decoded<T> {
  try {
    return { ok: true, pdu: read() };
  } catch (cause) {
    if (cause instanceof Malformed) return { ok: false, text: cause.message };
    throw cause;
  }
}

export function decodeAssociateRq(body: Buffer): Decoded<AssociateRq> {
  return decoded(() => ({
    ...association(body, 0x20, proposed, applicationEntity),
    protocolVersion: body.readUInt16BE(0),
  }));
}

/** Titles of an A-ASSOCIATE-AC are not to be tested when received (PS3.8 Table 9-17). */
export function decodeAssociateAc(body: Buffer): Decoded<AssociateAc> {
  return decoded(() => association(body, 0x21, answered, (bytes) => bytes.toString('latin1').trim()));
}
