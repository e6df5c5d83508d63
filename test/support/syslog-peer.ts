/** An audit record repository for tests: a TLS server that reads the frames of RFC 5425 octet by octet, and certificates. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';

export interface Pair {
  readonly key: Buffer;
  readonly cert: Buffer;
  readonly files: { readonly key: string; readonly cert: string };
}

export interface Certificates {
  pair(name: string, altName?: string): Pair;
  remove(): void;
}

export function certificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'hutong-atna-'));
  return {
    pair(name, altName = 'IP:127.0.0.1') {
      const files = { key: join(folder, `${name}.key`), cert: join(folder, `${name}.pem`) };
      const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
      const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${altName}`];
      execFileSync('openssl', [...made, ...subject, '-keyout', files.key, '-out', files.cert], { stdio: 'ignore' });
      return { key: readFileSync(files.key), cert: readFileSync(files.cert), files };
    },
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function withoutOpenssl(): string | false {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return false;
  } catch (error) {
    if (process.env.CI) throw error;
    return 'openssl is not installed';
  }
}

export interface Received {
  readonly priority: number;
  readonly at: string;
  readonly fields: readonly string[];
  readonly sequenceId: number;
  readonly xml: string;
}

export interface SyslogServer {
  readonly port: number;
  /** Whole messages so far, in the order in which they came. */
  readonly received: Received[];
  /** What was on the connections that is no frame. */
  readonly wrong: string[];
  connections(): number;
  close(): Promise<void>;
}

export interface SyslogServerOptions {
  readonly port?: number;
  readonly clientCa?: Buffer;
  /** Called for each chunk before it is read: a hostile repository does something else with the connection. */
  readonly onData?: (socket: TLSSocket, chunk: Buffer) => void;
}

export async function syslogServer(pair: Pair, options: SyslogServerOptions = {}): Promise<SyslogServer> {
  const received: Received[] = [];
  const wrong: string[] = [];
  const open = new Set<TLSSocket>();
  let connections = 0;
  const { clientCa } = options;
  const asking = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const server = createServer({ key: pair.key, cert: pair.cert, ...asking }, (socket) => {
    connections += 1;
    open.add(socket);
    let left = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open.delete(socket);
      if (left.length > 0) wrong.push(left.toString().slice(0, 40));
    });
    socket.on('data', (chunk: Buffer) => {
      options.onData?.(socket, chunk);
      left = Buffer.concat([left, chunk]);
      for (let next = cut(left); next !== null; next = cut(left)) {
        left = Buffer.from(left.subarray(next.end));
        const message = read(next.line);
        if (message === null) wrong.push(next.line.toString().slice(0, 80));
        else received.push(message);
      }
    });
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received,
    wrong,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** RFC 5425 §4.3: `MSG-LEN SP SYSLOG-MSG`, MSG-LEN without leading zeros, in octets. */
function cut(bytes: Buffer): { line: Buffer; end: number } | null {
  const head = /^([1-9]\d{0,7}) /.exec(bytes.subarray(0, 9).toString('latin1'));
  if (head === null) return null;
  const start = head[0].length;
  const end = start + Number(head[1]);
  return bytes.length < end ? null : { line: bytes.subarray(start, end), end };
}

/** RFC 5424 §6 as strictly as its grammar. */
function read(line: Buffer): Received | null {
  const text = line.toString('utf8');
  const parts =
    /^<(\d{1,3})>1 (\S{1,32}) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) \[meta sequenceId="(\d{1,10})"\] \ufeff(<[^]*)$/.exec(
      text,
    );
  if (parts === null || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(parts[2] ?? '')) return null;
  return {
    priority: Number(parts[1]),
    at: parts[2] ?? '',
    fields: parts.slice(3, 7),
    sequenceId: Number(parts[7]),
    xml: parts[8] ?? '',
  };
}
