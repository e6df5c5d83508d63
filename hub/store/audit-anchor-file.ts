/**
 * Copies of anchors outside the database: a service that takes them, and a folder with one file a day, a line an anchor, each synced. Where the folder lies
 * on another machine, or on a medium that is written once, who rewrites the database cannot rewrite them.
 */
import { open, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readStatement, type Anchor, type AnchorCopies } from '../core/audit-anchor.ts';
import { makeFolder } from './data-dir.ts';
import type { Database } from './database.ts';

const FILE = /^anchors-\d{4}-\d\d-\d\d\.ndjson$/;

export function createAnchorFolder(folder: string): AnchorCopies & { all(): AsyncIterable<Anchor> } {
  const files = async (): Promise<string[]> => {
    await makeFolder(folder);
    return (await readdir(folder)).filter((name) => FILE.test(name)).sort();
  };

  async function anchorsIn(name: string): Promise<readonly Anchor[]> {
    const text = await readFile(join(folder, name), 'utf8');
    // A line that a crash cut short was never taken for written: it comes again.
    return text.split('\n').flatMap((line) => lineOf(line) ?? []);
  }

  return {
    name: `folder ${folder}`,
    async newest() {
      const names = await files();
      for (const name of names.reverse()) {
        const last = (await anchorsIn(name)).at(-1);
        if (last !== undefined) return last.number;
      }
      return 0;
    },
    async put(anchor) {
      const day = readStatement(anchor.statement)?.at.slice(0, 10) ?? '0000-00-00';
      const path = join(folder, `anchors-${day}.ndjson`);
      await makeFolder(folder);
      const file = await open(path, 'a', 0o640);
      try {
        const { size } = await file.stat();
        const whole = size === 0 || (await endsWithNewline(path));
        await file.write(`${whole ? '' : '\n'}${JSON.stringify(anchor)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
    },
    async *all() {
      for (const name of await files()) yield* await anchorsIn(name);
    },
  };
}

function lineOf(line: string): Anchor | null {
  try {
    const { number, statement, signature } = JSON.parse(line) as Partial<Anchor>;
    if (typeof number !== 'number' || typeof statement !== 'string' || typeof signature !== 'string') return null;
    return { number, statement, signature };
  } catch {
    return null;
  }
}

async function endsWithNewline(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: size - 1 });
    return buffer.toString() === '\n';
  } finally {
    await file.close();
  }
}

/** A place that takes anchors and gives none back: how far it got stands in the database. */
export function createAnchorPost(
  database: Database,
  destination: { readonly name: string; readonly post: (anchor: Anchor) => Promise<void> },
): AnchorCopies {
  const { name, post } = destination;
  return {
    name,
    async newest() {
      const { rows } = await database.pool.query<{ number: string }>(
        'select number::text from audit_anchor_sent where destination = $1',
        [name],
      );
      return Number(rows[0]?.number ?? 0);
    },
    async put(anchor) {
      await post(anchor);
      await database.pool.query(
        `insert into audit_anchor_sent (destination, number) values ($1, $2)
         on conflict (destination) do update set number = excluded.number`,
        [name, anchor.number],
      );
    },
  };
}
