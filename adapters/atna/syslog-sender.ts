/**
 * Sends audit messages to an audit record repository: syslog over TLS (RFC 5425, IHE ITI-20). Syslog has no answer, so
 * each batch goes over a connection of its own that is closed in order: a receiver must return the close_notify (RFC 5425
 * §4.4), and only then is it sure that its end has read everything before it. What is not sure is sent again.
 */
import { isIP } from 'node:net';
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import type { AuditRepository, SyslogMessage } from '../../hub/core/audit.ts';
import { frame } from '../../mappings/atna/index.ts';

export interface SyslogPeer {
  readonly host: string;
  readonly port: number;
  /** PEM. `ca`: who signs the repository's certificate, null: whom the system trusts. */
  readonly ca: Buffer | null;
  /** Who the hub is; null: the repository asks for no certificate. */
  readonly identity: { readonly cert: Buffer; readonly key: Buffer } | null;
  /** Longest wait for the connection, for room to write, and for the end. */
  readonly timeoutMs: number;
}

/** Throws where the PEM cannot be used: that is for the start to tell. */
export function createSyslogSender(
  peer: SyslogPeer,
  sender: { readonly host: string; readonly processId: string },
): AuditRepository {
  const secureContext = createSecureContext({
    minVersion: 'TLSv1.2',
    ...(peer.ca === null ? {} : { ca: peer.ca }),
    ...(peer.identity ?? {}),
  });
  const open = (): TLSSocket =>
    connect({
      host: peer.host,
      port: peer.port,
      secureContext,
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
      ...(isIP(peer.host) === 0 ? { servername: peer.host } : {}),
    });
  return {
    send: (messages, signal) =>
      new Promise<void>((resolve, reject) => {
        const socket = open();
        const state = { finished: false, ended: false };
        const began = performance.now();
        const abort = (): void => void socket.destroy(new Error('stopped'));
        signal.addEventListener('abort', abort, { once: true });
        if (signal.aborted) abort();
        socket.setTimeout(peer.timeoutMs, () => socket.destroy(new Error('the repository does not answer in time')));
        // More than one may come: a reset after our own giving up.
        socket.on('error', reject);
        socket.once('secureConnect', () => {
          const settle = Math.min(MOST_SETTLE_MS, Math.max(LEAST_SETTLE_MS, 2 * (performance.now() - began)));
          const write = async (): Promise<void> => {
            await verdict(socket, settle);
            await writeAll(socket, messages, sender, state);
          };
          write().catch((error: unknown) => {
            socket.destroy(error instanceof Error ? error : new Error('writing failed'));
          });
        });
        // A repository says nothing; what it says all the same is read away, or its end would never be seen.
        socket.resume();
        socket.once('end', () => {
          // An end before ours is no answer to it: what was on its way may be lost.
          state.ended = state.finished;
        });
        socket.once('close', () => {
          signal.removeEventListener('abort', abort);
          if (state.ended) resolve();
          else reject(new Error('the repository ended the connection'));
        });
      }),
  };
}

const LEAST_SETTLE_MS = 50;
const MOST_SETTLE_MS = 1_000;

/**
 * In TLS 1.3 the handshake is over for the sender before the receiver has judged its certificate, and a receiver that
 * ends the connection without an alert looks like one that took everything: so its verdict, some round trips, comes first.
 */
const verdict = (socket: TLSSocket, ms: number): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      clearTimeout(timer);
      for (const event of ['end', 'close'] as const) socket.off(event, go);
      resolve();
    };
    const timer = setTimeout(go, ms);
    for (const event of ['end', 'close'] as const) socket.once(event, go);
  });

async function writeAll(
  socket: TLSSocket,
  messages: readonly SyslogMessage[],
  sender: { readonly host: string; readonly processId: string },
  state: { finished: boolean },
): Promise<void> {
  for (const message of messages) {
    if (socket.destroyed || socket.readableEnded) throw new Error('the repository ended the connection');
    if (!socket.write(frame(message, sender))) await room(socket);
  }
  socket.end(() => {
    state.finished = true;
  });
}

/** Until the socket takes more, or is gone. */
const room = (socket: TLSSocket): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      socket.off('drain', go);
      socket.off('close', go);
      resolve();
    };
    socket.once('drain', go);
    socket.once('close', go);
  });
