/** What lies in a database or a dump of it, looked through for words that must not be there, however they are written. */
import { spawn } from 'node:child_process';
import iconv from 'iconv-lite';
import pg from 'pg';

/** Every way in which a word may lie in bytes: charsets, and hexadecimal or base64 of them at any offset. */
export function formsOf(word: string): readonly (readonly [form: string, bytes: Buffer])[] {
  const escaped = Array.from(word, (one) =>
    one.charCodeAt(0) < 128 ? one : `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  ).join('');
  const charsets = [
    ['UTF-8', Buffer.from(word)],
    ['GB18030', iconv.encode(word, 'gb18030')],
    ['UTF-16LE', iconv.encode(word, 'utf-16le')],
    ['UTF-16BE', iconv.encode(word, 'utf-16be')],
    ['JSON escapes', Buffer.from(escaped)],
  ] as const;
  return charsets.flatMap(([name, bytes]) => [
    [name, bytes] as const,
    [`hexadecimal of ${name}`, Buffer.from(bytes.toString('hex'))] as const,
    [`hexadecimal of ${name}, capital`, Buffer.from(bytes.toString('hex').toUpperCase())] as const,
    ...[0, 1, 2].map((offset) => [`base64 of ${name}`, base64At(bytes, offset)] as const),
  ]);
}

/** The digits that do not depend on what stands before and after. */
function base64At(bytes: Buffer, offset: number): Buffer {
  const text = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const from = offset === 0 ? 0 : offset + 1;
  const cut = (offset + bytes.length) % 3 === 0 ? 0 : 1;
  return Buffer.from(text.slice(from, text.length - cut));
}

export function leaksIn(what: string, bytes: Buffer, words: Readonly<Record<string, string>>): string[] {
  return Object.entries(words).flatMap(([name, word]) =>
    formsOf(word).flatMap(([form, needle]) => (bytes.includes(needle) ? [`${what}: ${name} in ${form}`] : [])),
  );
}

/** As pg takes a query of its own kind (`Submittable`): collects what COPY TO STDOUT sends. */
class CopyOut implements pg.Submittable {
  readonly #sql: string;
  readonly #parts: Buffer[] = [];
  readonly done: Promise<Buffer>;
  #resolve: (bytes: Buffer) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(sql: string) {
    this.#sql = sql;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }
  submit(connection: pg.Connection): void {
    connection.query(this.#sql);
  }
  handleCopyData({ chunk }: { chunk: Buffer }): void {
    this.#parts.push(Buffer.from(chunk));
  }
  handleCommandComplete(): void {
    /* what was copied is whole when the server is ready again */
  }
  handleReadyForQuery(): void {
    this.#resolve(Buffer.concat(this.#parts));
  }
  handleError(error: unknown): void {
    this.#reject(error);
  }
}

/** Every table as COPY writes it in binary: values as they lie there, and nothing is left out for want of a tool. */
export async function tablesOf(url: string): Promise<ReadonlyMap<string, Buffer>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
    );
    const tables = new Map<string, Buffer>();
    for (const { name } of rows) {
      const copy = new CopyOut(`copy (select * from ${name}) to stdout (format binary)`);
      client.query(copy);
      tables.set(name, await copy.done);
    }
    return tables;
  } finally {
    await client.end();
  }
}

/** null, with the reason, where there is no pg_dump that can read this server. */
export async function dumpOf(url: string): Promise<Buffer | string> {
  const child = spawn('pg_dump', ['--no-sync', url], { stdio: ['ignore', 'pipe', 'pipe'] });
  const parts: Buffer[] = [];
  let said = '';
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  child.stderr.on('data', (part: Buffer) => (said += part.toString()));
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => {
      resolve(null);
    });
    child.once('close', resolve);
  });
  if (code === 0) return Buffer.concat(parts);
  return code === null ? 'pg_dump is not here' : `pg_dump cannot read this server: ${said.slice(0, 200)}`;
}
