/** DCMTK as the peer of DIMSE tests: runs its tools, bounded in time, with Nagle off (else each answer waits 40 ms). */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const have = existsSync('/usr/bin/storescu');
if (!have && process.env.CI) throw new Error('DCMTK must be installed where CI is set');
/** For `skip:` of a test. */
export const withoutDcmtk = have ? false : 'DCMTK is not installed';

const env = { ...process.env, TCP_NODELAY: '1' };

export interface Ran {
  readonly code: number;
  readonly output: string;
}

export function dcmtk(tool: string, ...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(tool, args, { env, timeout: 60_000, maxBuffer: 64 << 20, encoding: 'latin1' }, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
      resolve({ code, output: stdout + stderr });
    });
  });
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Starts a tool that listens on `port` and waits until it does. */
export async function listening(port: number, tool: string, ...args: string[]): Promise<{ stop(): Promise<void> }> {
  const child = spawn(tool, args, { env, stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 100 || child.exitCode !== null) throw new Error(`${tool} does not listen`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    async stop() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
