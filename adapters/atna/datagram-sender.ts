/**
 * Sends audit messages as UDP datagrams (RFC 5426, IHE ITI-20). Nothing tells whether one arrived: a message leaves the
 * spool when the network took it, so each is delivered at most once. For networks of their own only: nothing is encrypted.
 */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { AuditRepository } from '../../hub/core/audit.ts';
import { datagram } from '../../mappings/atna/index.ts';

/** RFC 5426 §3.2: what IPv4 carries. A larger message cannot go this way at all, and must not stop those behind it. */
const LARGEST = 65_507;

export const createDatagramSender = (
  peer: { readonly host: string; readonly port: number },
  sender: { readonly host: string; readonly processId: string },
): AuditRepository => ({
  async send(messages, signal) {
    const socket = createSocket(isIPv6(peer.host) ? 'udp6' : 'udp4');
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.connect(peer.port, peer.host, () => {
          resolve();
        });
      });
      for (const message of messages) {
        signal.throwIfAborted();
        const bytes = datagram(message, sender);
        if (bytes.length > LARGEST) continue;
        await new Promise<void>((resolve, reject) => {
          socket.send(bytes, (error) => {
            if (error) reject(error);
            else resolve();
          });
        });
      }
    } finally {
      socket.close();
    }
  },
});
