/** The MLLP listener: plain, TLS or mutual TLS, bounded in connections, one `Connection` each. */
import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { AuditTrail } from '../../hub/core/audit.ts';
import type { Intake } from '../../hub/core/envelope.ts';
import type { PatientsSeen } from '../../hub/core/patient-query.ts';
import type { Log } from '../../hub/core/ports.ts';
import type { Sites } from '../../hub/core/site.ts';
import type { Channel, ChannelHealth } from '../channel.ts';
import { Connection, type ConnectionLimits } from './connection.ts';
import type { Door } from './door.ts';

export interface Hl7TlsOptions {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
  /** Given: clients must show a certificate that one of these issued (mutual TLS). */
  readonly clientCa?: string | Buffer;
}

export interface Hl7Limits extends ConnectionLimits {
  readonly connections: number;
  readonly connectionsPerPeer: number;
  readonly handshakeMs: number;
}

const HL7_LIMITS: Hl7Limits = {
  messageBytes: 20 * 1024 * 1024,
  idleMs: 30 * 60_000,
  partialMs: 60_000,
  inFlight: 16,
  garbageBytes: 64 * 1024,
  heldBytes: 128 * 1024 * 1024,
  strangerMessages: 20,
  connections: 1_000,
  connectionsPerPeer: 200,
  handshakeMs: 10_000,
};

export interface Hl7ChannelOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: Hl7TlsOptions;
  readonly limits?: Partial<Hl7Limits>;
  readonly intake: Intake;
  readonly sites: Sites;
  readonly audit: AuditTrail;
  readonly queries?: PatientsSeen;
  readonly log: Log;
  readonly clock: () => Date;
}

export type Hl7Channel = Channel & { address(): { readonly host: string; readonly port: number } };

/** Twenty characters, the most MSH-10 holds up to 2.6: a random start for each process, then a count. */
function controlIds(): () => string {
  const start = randomBytes(6).toString('hex').toUpperCase().slice(0, 11);
  let count = 0;
  return () => `H${start}${(count++).toString(36).toUpperCase().padStart(8, '0').slice(-8)}`;
}

export function createHl7Channel(options: Hl7ChannelOptions): Hl7Channel {
  const limits: Hl7Limits = { ...HL7_LIMITS, ...options.limits };
  const { intake, sites, audit, queries, log, clock } = options;
  const asked = queries === undefined ? {} : { queries };
  const door: Door = { intake, sites, audit, ...asked, log, clock, nextControlId: controlIds() };
  const counters = { received: 0, refused: 0, held: 0 };
  const open = new Map<Socket, Connection | null>();
  const perPeer = new Map<string, number>();

  /** Counts raw sockets, before any handshake: a flood of half-open TLS sessions is bounded too. */
  const admit = (socket: Socket): void => {
    const peer = socket.remoteAddress ?? '';
    const here = perPeer.get(peer) ?? 0;
    if (open.size >= limits.connections || here >= limits.connectionsPerPeer || peer === '') {
      log.warn({ peer }, 'MLLP connection refused: too many');
      socket.destroy();
      return;
    }
    open.set(socket, null);
    perPeer.set(peer, here + 1);
    socket.on('error', (error: Error) => log.debug({ peer, reason: error.message }, 'MLLP socket failed'));
    socket.on('close', () => {
      open.delete(socket);
      const left = (perPeer.get(peer) ?? 1) - 1;
      if (left > 0) perPeer.set(peer, left);
      else perPeer.delete(peer);
    });
  };

  const serve = (raw: Socket, socket: Socket, fingerprint: string): void => {
    if (!open.has(raw)) return;
    const address = raw.remoteAddress ?? socket.remoteAddress ?? '';
    open.set(raw, new Connection(socket, { address, fingerprint }, door, limits, counters));
  };

  const server = listenerOf(options.tls, limits, admit, serve, log);
  let listening = false;

  return {
    name: 'hl7v2',
    async start() {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(options.port, options.host, () => {
          server.off('error', reject);
          resolve();
        });
      });
      server.on('error', (error) => log.error({ err: error }, 'the MLLP listener failed'));
      listening = true;
      log.info({ port: (server.address() as AddressInfo).port }, 'MLLP listens');
    },
    async stop(drainMs) {
      if (!listening) return;
      listening = false;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const [socket, connection] of open) {
        if (connection === null) socket.destroy();
        else connection.drain();
      }
      const timer = setTimeout(() => {
        for (const socket of open.keys()) socket.destroy();
      }, drainMs);
      await closed;
      clearTimeout(timer);
    },
    health: (): ChannelHealth => {
      const { received, refused } = counters;
      return { listening, connections: open.size, received, refused };
    },
    address: () => {
      const { address, port } = server.address() as AddressInfo;
      return { host: address, port };
    },
  };
}

type Admit = (socket: Socket) => void;
type Serve = (raw: Socket, socket: Socket, fingerprint: string) => void;

function listenerOf(tls: Hl7TlsOptions | undefined, limits: Hl7Limits, admit: Admit, serve: Serve, log: Log): Server {
  if (tls === undefined) {
    return createServer({ allowHalfOpen: true }, (socket) => {
      admit(socket);
      serve(socket, socket, '');
    });
  }
  const mutual = tls.clientCa === undefined ? {} : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true };
  const server = createTlsServer({
    ...{
      key: tls.key,
      cert: tls.cert,
      minVersion: 'TLSv1.2',
      handshakeTimeout: limits.handshakeMs,
      allowHalfOpen: true,
    },
    ...mutual,
  });
  const keyOf = (socket: Socket): string => `${socket.remoteAddress ?? ''}|${String(socket.remotePort)}`;
  const byEnd = new Map<string, Socket>();
  server.on('connection', (raw: Socket) => {
    admit(raw);
    const key = keyOf(raw);
    byEnd.set(key, raw);
    raw.on('close', () => byEnd.delete(key));
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    const raw = byEnd.get(keyOf(socket)) ?? socket;
    const fingerprint = socket.authorized ? socket.getPeerCertificate().fingerprint256 : '';
    serve(raw, socket, fingerprint);
  });
  server.on('tlsClientError', (error: Error) => log.debug({ reason: error.message }, 'an MLLP TLS handshake failed'));
  return server;
}
