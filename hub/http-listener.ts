/** An HTTP server on its port: tells where it listens, and closes by letting running answers finish. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HttpListener {
  readonly port: number;
  /** Takes nothing new, lets answers in hand finish for at most `drainMs`, then closes what is left. */
  close(drainMs: number): Promise<void>;
}

export async function listenHttp(server: Server, host: string, port: number): Promise<HttpListener> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: Error & { code?: string }) => {
      const taken = error.code === 'EADDRINUSE';
      const text = taken ? 'another program listens there; set another HUB_HTTP_PORT' : error.message;
      reject(new Error(`cannot listen on ${host}:${String(port)}: ${text}`));
    });
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: (drainMs) =>
      new Promise((resolve) => {
        const late = setTimeout(() => {
          server.closeAllConnections();
        }, drainMs);
        server.close(() => {
          clearTimeout(late);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}
