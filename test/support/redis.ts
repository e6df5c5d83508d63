/** A Redis server of its own for a test, on a free port, without files; null where none is installed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface RedisServer {
  readonly url: string;
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** In CI an absent server is a failure, since what is skipped there is proved nowhere. */
export async function startRedis(): Promise<RedisServer | null> {
  const port = await freePort();
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'ignore'], cwd: '/' });
  const up = await new Promise<boolean>((done) => {
    server.once('error', () => done(false));
    server.once('exit', () => done(false));
    server.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('Ready to accept connections')) done(true);
    });
  });
  if (!up) {
    if (process.env.CI !== undefined) throw new Error('redis-server is not installed');
    return null;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      server.kill('SIGKILL');
      await once(server, 'exit');
    },
  };
}
