/** A recording door for MLLP tests: keeps what it is given, answers duplicates as the journal does, fails when told to. */
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { AuditEvent } from '../../hub/core/audit.ts';
import type { Envelope, Intake, Receipt } from '../../hub/core/envelope.ts';
import type { PatientQueries } from '../../hub/core/patient-query.ts';
import type { Log } from '../../hub/core/ports.ts';
import { problem, type Problem } from '../../hub/core/problem.ts';
import type { Sites } from '../../hub/core/site.ts';
import { loadSites } from '../../adapters/sites/load.ts';
import {
  createHl7Channel,
  type Hl7Channel,
  type Hl7Limits,
  type Hl7TlsOptions,
} from '../../adapters/hl7v2/listener.ts';
import { frame } from '../../adapters/hl7v2/mllp.ts';

export const demoSites = (): Promise<Sites> => loadSites(join(import.meta.dirname, '../../adapters/sites'));

export class RecordingIntake implements Intake {
  readonly accepted: Envelope[] = [];
  readonly refused: { envelope: Envelope; problem: Problem }[] = [];
  failing = false;
  delayMs = 0;

  async accept(envelope: Envelope): Promise<Receipt> {
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    if (this.failing) throw new Error('the disk is gone');
    const known = this.accepted.find((one) => one.controlId === envelope.controlId && one.sender === envelope.sender);
    if (known === undefined) return { kind: 'accepted', journalId: String(this.accepted.push(envelope)) };
    const same = Buffer.compare(known.bytes, envelope.bytes) === 0;
    if (same) return { kind: 'duplicate', journalId: '1', answer: known.answer };
    return { kind: 'conflict', journalId: '2', problem: problem('control-id-reused', 'MSH-10') };
  }

  async refuse(envelope: Envelope, reason: Problem): Promise<{ journalId: string }> {
    return { journalId: String(this.refused.push({ envelope, problem: reason })) };
  }
}

const nothing = (): void => undefined;
export const quietLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => quietLog };

export interface Rig {
  readonly channel: Hl7Channel;
  readonly intake: RecordingIntake;
  readonly audits: AuditEvent[];
  readonly port: number;
}

export async function startRig(
  options: { limits?: Partial<Hl7Limits>; tls?: Hl7TlsOptions; sites?: Sites; queries?: PatientQueries } = {},
): Promise<Rig> {
  const { queries } = options;
  const intake = new RecordingIntake();
  const audits: AuditEvent[] = [];
  const channel = createHl7Channel({
    host: '127.0.0.1',
    port: 0,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    limits: options.limits ?? {},
    ...(queries === undefined ? {} : { queries: () => Promise.resolve(queries) }),
    intake,
    sites: options.sites ?? (await demoSites()),
    audit: { record: async (event) => void audits.push(event) },
    log: quietLog,
    clock: () => new Date('2026-03-02T01:00:00Z'),
  });
  await channel.start();
  return { channel, intake, audits, port: channel.address().port };
}

/** A raw peer: sends bytes as told, collects what comes, splits it into frames. */
export class RawPeer {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])));
    socket.on('error', nothing);
    socket.on('close', () => (this.closed = true));
  }

  static async open(port: number): Promise<RawPeer> {
    const socket = connect(port, '127.0.0.1');
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawPeer(socket);
  }

  get frames(): string[] {
    return this.#received
      .toString('utf8')
      .split('\x1c\r')
      .slice(0, -1)
      .map((text) => text.replace(/^\x0b/, ''));
  }

  get frameBytes(): Buffer[] {
    const frames: Buffer[] = [];
    for (let at = 0, end = this.#received.indexOf(0x1c); end >= 0; end = this.#received.indexOf(0x1c, at)) {
      frames.push(this.#received.subarray(at + 1, end));
      at = end + 2;
    }
    return frames;
  }

  send(content: string | Buffer): void {
    this.socket.write(frame(Buffer.from(content)));
  }

  /** Waits until `count` frames came; at most `ms`. */
  async answers(count: number, ms = 3_000): Promise<string[]> {
    await until(() => this.frames.length >= count || this.closed, ms);
    return this.frames;
  }

  async end(ms = 3_000): Promise<void> {
    await until(() => this.closed, ms);
  }
}

export async function until(holds: () => boolean, ms = 3_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!holds() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
}

export const adt = (controlId: string, extra = ''): string =>
  [
    `MSH|^~\\&|RIS|H1|HUB|PROV|20260302090000||ADT^A04^ADT_A01|${controlId}|P|2.5.1|||${extra}`,
    'EVN|A04|20260302090000',
    'PID|1||10001^^^&2.999.156.1.1&ISO^PI||张三||19800315|M',
    'PV1|1|O',
  ].join('\r') + '\r';
