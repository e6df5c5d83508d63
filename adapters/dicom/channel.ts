/** The DICOM listener as a channel: takes connections within bounds, plain or TLS, and stops without cutting a message. */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import type { Channel, ChannelHealth } from '../channel.ts';
import { DIMSE_LIMITS } from './limits.ts';
import type { DimseLimits } from './limits.ts';
import { Provider } from './provider.ts';
import type { ProviderPorts } from './provider.ts';

export interface DimseTls {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
  /** Authorities of client certificates; without them a certificate counts only by its fingerprint in a site's data. */
  readonly ca?: string | Buffer;
}

export interface DimseOptions extends Omit<ProviderPorts, 'limits'> {
  readonly host: string;
  readonly port: number;
  readonly tls?: DimseTls;
  readonly limits?: Partial<DimseLimits>;
}

export interface DimseChannel extends Channel {
  /** Where it listens, once started. */
  address(): AddressInfo;
}

export function createDimseChannel(options: DimseOptions): DimseChannel {
  return new Listener(options);
}

/** Associations above a peer's cap that are answered "temporarily congested" (PS3.8 §9.3.4) and not just cut off. */
const TOLD_PER_PEER = 16;

class Listener implements DimseChannel {
  readonly name = 'dicom';
  readonly #options: DimseOptions;
  readonly #ports: ProviderPorts;
  readonly #server: Server;
  readonly #providers = new Set<Provider>();
  readonly #sockets = new Set<Socket>();
  readonly #perPeer = new Map<string, number>();
  readonly #openPerPeer = new Map<string, number>();
  #received = 0;
  #refused = 0;

  constructor(options: DimseOptions) {
    this.#options = options;
    this.#ports = { ...options, limits: { ...DIMSE_LIMITS, ...options.limits } };
    this.#server = options.tls ? createTlsServer(tlsOptions(options.tls)) : createServer();
    // One more than the cap of associations may connect, to be told so; what is beyond that is not even heard.
    this.#server.maxConnections = this.#ports.limits.associations + 32;
    this.#server.on('connection', (socket: Socket) => this.#opened(socket));
    this.#server.on(options.tls ? 'secureConnection' : 'connection', (socket: Socket) => this.#connected(socket));
    this.#server.on('tlsClientError', (error: Error) => {
      this.#refused++;
      options.log.info({ reason: error.message }, 'TLS handshake failed');
    });
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (cause) => this.#options.log.error({ cause }, 'the DICOM listener failed'));
        resolve();
      });
    });
  }

  async stop(drainMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const drained = Promise.all([...this.#providers].map((provider) => provider.drain()));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMs);
    });
    await Promise.race([drained, late]);
    clearTimeout(timer);
    for (const provider of this.#providers) provider.close('the hub stops');
    for (const socket of this.#sockets) socket.destroySoon();
    await closed;
  }

  health(): ChannelHealth {
    return {
      listening: this.#server.listening,
      connections: this.#providers.size,
      received: this.#received,
      refused: this.#refused,
    };
  }

  address(): AddressInfo {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the DICOM listener is not started');
    return address;
  }

  /** TCP, before TLS: what never says a word must not stay, and one peer must not take the places of all. */
  #opened(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const already = this.#openPerPeer.get(address) ?? 0;
    socket.on('error', () => socket.destroy());
    if (already >= this.#ports.limits.associationsPerPeer + TOLD_PER_PEER) {
      this.#refused++;
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    this.#openPerPeer.set(address, already + 1);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      less(this.#openPerPeer, address);
    });
  }

  #connected(socket: Socket): void {
    if (socket.destroyed) return;
    const address = socket.remoteAddress ?? '';
    const { associations, associationsPerPeer } = this.#ports.limits;
    const already = this.#perPeer.get(address) ?? 0;
    this.#perPeer.set(address, already + 1);
    const crowded = this.#providers.size >= associations || already >= associationsPerPeer;
    const provider: Provider = new Provider(socket, this.#ports, {
      allowed: () => !crowded,
      counted: (outcome) => {
        if (outcome === 'received') this.#received++;
        else this.#refused++;
      },
      over: () => this.#ended(address, provider),
    });
    this.#providers.add(provider);
  }

  #ended(address: string, provider: Provider): void {
    this.#providers.delete(provider);
    less(this.#perPeer, address);
  }
}

function less(counts: Map<string, number>, address: string): void {
  const left = (counts.get(address) ?? 1) - 1;
  if (left > 0) counts.set(address, left);
  else counts.delete(address);
}

function tlsOptions(tls: DimseTls): TlsOptions {
  return {
    key: tls.key,
    cert: tls.cert,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    // BCP 195 (PS3.15 Annex B.9): no version below 1.2. A certificate is asked for; whose it is decides the site's data.
    minVersion: 'TLSv1.2',
    requestCert: true,
    rejectUnauthorized: tls.ca !== undefined,
    handshakeTimeout: 15_000,
  };
}
