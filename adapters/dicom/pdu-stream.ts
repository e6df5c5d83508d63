/**
 * Cuts the byte stream of a connection into PDUs. The bytes of a P-DATA-TF are handed on as they arrive, so that a PDU
 * is never collected and a length field alone costs no memory; other PDUs are small and collected under a cap.
 */
import { ABORT_REASON, PDU_TYPE } from './pdu.ts';
import type { PduEvent } from './pdu.ts';
import { decodeAssociateAc, decodeAssociateRq } from './pdu-decode.ts';

const HEADER = 6;

export interface PduLimits {
  /** Largest variable field of a P-DATA-TF that is read; senders a little above what was announced are seen. */
  readonly maxDataLength: number;
  /** Largest A-ASSOCIATE-RQ or -AC: 128 contexts of some thirty transfer syntaxes fit in 256 KiB. */
  readonly maxAssociateLength: number;
}

export const PDU_LIMITS: PduLimits = { maxDataLength: 1 << 20, maxAssociateLength: 1 << 18 };

export class PduStream {
  readonly #limits: PduLimits;
  readonly #head = Buffer.alloc(HEADER);
  #headLength = 0;
  /** What is being read: a PDU header, a collected body, a PDV header, PDV bytes, or nothing after a violation. */
  #reading: 'header' | 'body' | 'pdv-header' | 'pdv' | 'dead' = 'header';
  #type = 0;
  #body = Buffer.alloc(0);
  #bodyLength = 0;
  /** Bytes left of the P-DATA-TF and of the PDV in it. */
  #dataLeft = 0;
  #pdvLeft = 0;
  #context = 0;
  #control = 0;

  constructor(limits: PduLimits = PDU_LIMITS) {
    this.#limits = limits;
  }

  /** True between PDUs: where a peer may close without cutting one off. */
  get atBoundary(): boolean {
    return this.#reading === 'header' && this.#headLength === 0;
  }

  /** Events completed by this chunk, in order. Fragments are views of `chunk`. */
  push(chunk: Buffer): PduEvent[] {
    const events: PduEvent[] = [];
    let at = 0;
    while (at < chunk.length && this.#reading !== 'dead') {
      if (this.#reading === 'header' || this.#reading === 'pdv-header') {
        const taken = Math.min(HEADER - this.#headLength, chunk.length - at);
        chunk.copy(this.#head, this.#headLength, at, at + taken);
        this.#headLength += taken;
        at += taken;
        if (this.#headLength < HEADER) break;
        this.#headLength = 0;
        if (this.#reading === 'header') this.#begin(events);
        else this.#beginPdv(events);
      } else if (this.#reading === 'body') {
        const taken = Math.min(this.#body.length - this.#bodyLength, chunk.length - at);
        chunk.copy(this.#body, this.#bodyLength, at, at + taken);
        this.#bodyLength += taken;
        at += taken;
        if (this.#bodyLength === this.#body.length) this.#finish(events);
      } else {
        const taken = Math.min(this.#pdvLeft, chunk.length - at);
        this.#fragment(chunk.subarray(at, at + taken), events);
        at += taken;
      }
    }
    return events;
  }

  #invalid(events: PduEvent[], reason: number, text: string): void {
    this.#reading = 'dead';
    this.#body = Buffer.alloc(0);
    events.push({ kind: 'invalid', reason, text });
  }

  #begin(events: PduEvent[]): void {
    this.#type = this.#head.readUInt8(0);
    const length = this.#head.readUInt32BE(2);
    const { maxDataLength, maxAssociateLength } = this.#limits;
    switch (this.#type) {
      case PDU_TYPE.data:
        if (length < HEADER || length > maxDataLength) {
          this.#invalid(events, ABORT_REASON.invalidParameter, `P-DATA-TF of ${String(length)} bytes`);
          return;
        }
        this.#dataLeft = length;
        this.#reading = 'pdv-header';
        events.push({ kind: 'data' });
        return;
      case PDU_TYPE.associateRq:
      case PDU_TYPE.associateAc:
        if (length < 68 || length > maxAssociateLength) {
          this.#invalid(events, ABORT_REASON.invalidParameter, `association PDU of ${String(length)} bytes`);
          return;
        }
        break;
      case PDU_TYPE.associateRj:
      case PDU_TYPE.releaseRq:
      case PDU_TYPE.releaseRp:
      case PDU_TYPE.abort:
        if (length !== 4) {
          this.#invalid(events, ABORT_REASON.invalidParameter, `PDU ${String(this.#type)} of ${String(length)} bytes`);
          return;
        }
        break;
      default:
        this.#invalid(events, ABORT_REASON.unrecognisedPdu, `PDU type ${String(this.#type)}`);
        return;
    }
    this.#body = Buffer.allocUnsafe(length);
    this.#bodyLength = 0;
    this.#reading = 'body';
  }

  #finish(events: PduEvent[]): void {
    const body = this.#body;
    this.#reading = 'header';
    this.#body = Buffer.alloc(0);
    if (this.#type === PDU_TYPE.associateRq) {
      const rq = decodeAssociateRq(body);
      if (rq.ok) events.push({ kind: 'associate-rq', pdu: rq.pdu });
      else this.#invalid(events, ABORT_REASON.invalidParameter, rq.text);
    } else if (this.#type === PDU_TYPE.associateAc) {
      const ac = decodeAssociateAc(body);
      if (ac.ok) events.push({ kind: 'associate-ac', pdu: ac.pdu });
      else this.#invalid(events, ABORT_REASON.invalidParameter, ac.text);
    } else if (this.#type === PDU_TYPE.associateRj) {
      const [result, source, reason] = [body.readUInt8(1), body.readUInt8(2), body.readUInt8(3)];
      events.push({ kind: 'associate-rj', pdu: { result, source, reason } });
    } else if (this.#type === PDU_TYPE.abort) {
      events.push({ kind: 'abort', pdu: { source: body.readUInt8(2), reason: body.readUInt8(3) } });
    } else events.push({ kind: this.#type === PDU_TYPE.releaseRq ? 'release-rq' : 'release-rp' });
  }

  #beginPdv(events: PduEvent[]): void {
    // PS3.8 Table 9-23: the length counts the context and message control header bytes.
    const length = this.#head.readUInt32BE(0);
    if (length < 2 || length + 4 > this.#dataLeft) {
      this.#invalid(events, ABORT_REASON.invalidParameter, `PDV of ${String(length)} bytes`);
      return;
    }
    this.#context = this.#head.readUInt8(4);
    this.#control = this.#head.readUInt8(5);
    this.#pdvLeft = length - 2;
    this.#dataLeft -= length + 4;
    if (this.#dataLeft > 0 && this.#dataLeft < HEADER) {
      this.#invalid(events, ABORT_REASON.invalidParameter, 'bytes after the last PDV');
      return;
    }
    this.#reading = 'pdv';
    if (this.#pdvLeft === 0) this.#fragment(Buffer.alloc(0), events);
  }

  #fragment(data: Buffer, events: PduEvent[]): void {
    this.#pdvLeft -= data.length;
    const ended = this.#pdvLeft === 0;
    const last = ended && (this.#control & 2) !== 0;
    const command = (this.#control & 1) !== 0;
    events.push({ kind: 'pdv', fragment: { context: this.#context, command, last, data } });
    if (ended) this.#reading = this.#dataLeft > 0 ? 'pdv-header' : 'header';
  }
}
