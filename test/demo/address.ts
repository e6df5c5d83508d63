/** Where a hub of the demo listens, ports that nobody has, and the wait until a hub is up. */
import { createServer } from 'node:net';

export interface HubAddress {
  readonly base: string;
  readonly host: string;
  readonly mllpPort: number;
  readonly dimsePort: number;
  readonly aeTitle: string;
  readonly repositoryOid: string;
  /** `urn:oid:…` of its community. */
  readonly home: string;
  /** Its affinity domain: the authority of its patient ids. */
  readonly domain: string;
  readonly adminToken: string;
  readonly dataDir: string;
}

/** The port, or any other where it is taken; 0: any. */
export function freePort(port: number): Promise<number> {
  return new Promise((settle, reject) => {
    const server = createServer();
    server.once('error', () => {
      if (port === 0) reject(new Error('no port is free'));
      else freePort(0).then(settle, reject);
    });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        settle(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  });
}

/** `ended` says that there is nobody left to wait for. */
export async function ready(base: string, ended: () => boolean = () => false): Promise<void> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    const up = await fetch(`${base}/readyz`).then(
      (response) => response.status === 200,
      () => false,
    );
    if (up) return;
    if (ended()) throw new Error(`the hub at ${base} ended before it was ready`);
    if (Date.now() > deadline) throw new Error(`the hub did not become ready at ${base}/readyz within 90 seconds`);
    await new Promise((settle) => setTimeout(settle, 100));
  }
}
