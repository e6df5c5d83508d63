/**
 * Where access in an emergency is written down while the audit cannot be (disk full, database away): a file whose room was
 * taken beforehand, so that it can be written when nothing else can. What stands there goes into the chain once that can
 * be written again, with the time at which it was.
 */
import { randomUUID } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AuditEvent } from '../core/audit.ts';
import { monthOf, type Draft, type LaneWriter } from './audit-lane.ts';
import { makeFolder } from './data-dir.ts';
import type { Sealer } from '../core/sealing.ts';
import type { Database } from './database.ts';
import { openText, sealJson } from './sealed.ts';

export interface AuditReserve {
  /** Resolves true when it is durable, false where there is no room left. */
  put(at: Date, event: AuditEvent): Promise<boolean>;
  /** How many wait. */
  waiting(): number;
  /** Writes what waits into the chain and forgets it; what an earlier drain wrote before it died is not written again. */
  drain(database: Database, lanes: LaneWriter): Promise<number>;
  close(): Promise<void>;
}

interface Entry {
  readonly key: string;
  readonly at: string;
  readonly event: AuditEvent;
}

const ROOM = 1024 * 1024;
const BATCH = 500;

/** Lines are sealed as rows are: they tell whom somebody looked at. */
const CONTEXT = 'audit reserve';

export async function openAuditReserve(path: string, fields: Sealer, room = ROOM): Promise<AuditReserve> {
  await makeFolder(dirname(path));
  const file = await openFile(path, room);
  const text = (await readWhole(file, room)).toString('utf8');
  // A line that a crash cut short was never taken for durable.
  const lines = text.slice(0, text.lastIndexOf('\n', text.indexOf('\0')) + 1);
  const entries: Entry[] = lines.split('\n').flatMap((line) => (line === '' ? [] : [entryOf(fields, line)]));
  let end = Buffer.byteLength(lines);
  let last: Promise<unknown> = Promise.resolve();

  function alone<T>(work: () => Promise<T>): Promise<T> {
    const done = last.then(work, work);
    last = done.catch(() => undefined);
    return done;
  }

  async function put(at: Date, event: AuditEvent): Promise<boolean> {
    const entry: Entry = { key: randomUUID(), at: at.toISOString(), event };
    const line = Buffer.from(`${sealJson(fields, entry, CONTEXT)}\n`);
    if (end + line.length >= room) return false;
    await file.write(line, 0, line.length, end);
    await file.datasync();
    end += line.length;
    entries.push(entry);
    return true;
  }

  async function drain(database: Database, lanes: LaneWriter): Promise<number> {
    const drained = entries.length;
    if (drained === 0) return 0;
    const known = await writtenOf(database, entries);
    const drafts = entries
      .filter(({ key }) => !known.has(key))
      .map(({ key, at, event }) => ({
        at: new Date(at),
        event: { ...event, detail: { ...event.detail, reserved: key } },
      }))
      .sort((a, b) => a.at.getTime() - b.at.getTime());
    for (const part of parts(drafts)) await lanes.append(part);
    await file.write(Buffer.alloc(end), 0, end, 0);
    await file.datasync();
    entries.length = 0;
    end = 0;
    return drained;
  }

  return {
    put: (at, event) => alone(() => put(at, event)),
    waiting: () => entries.length,
    drain: (database, lanes) => alone(() => drain(database, lanes)),
    close: () => alone(() => file.close()),
  };
}

/** A release before wrote lines in clear; they are gone with the first drain. */
const entryOf = (fields: Sealer, line: string): Entry =>
  JSON.parse(line.startsWith('{') ? line : openText(fields, line, CONTEXT)) as Entry;

/** Of this file alone: it holds whom somebody looked at. */
async function openFile(path: string, room: number): Promise<FileHandle> {
  const file = await open(path, 'r+').catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    return open(path, 'wx+', 0o600);
  });
  const { size } = await file.stat();
  if (size < room) {
    await file.write(Buffer.alloc(room - size), 0, room - size, size);
    await file.sync();
  }
  return file;
}

async function readWhole(file: FileHandle, room: number): Promise<Buffer> {
  const { buffer } = await file.read(Buffer.alloc(room), 0, room, 0);
  return buffer;
}

async function writtenOf(database: Database, entries: readonly Entry[]): Promise<ReadonlySet<string>> {
  const { rows } = await database.pool.query<{ key: string }>(
    `select detail ->> 'reserved' as key from audit
     where at = any($1::timestamptz[]) and detail ->> 'reserved' = any($2::text[])`,
    [entries.map(({ at }) => at), entries.map(({ key }) => key)],
  );
  return new Set(rows.map(({ key }) => key));
}

/** Of one month each, and not more than a statement takes. */
function parts(drafts: readonly Draft[]): readonly (readonly Draft[])[] {
  const all: Draft[][] = [];
  for (const draft of drafts) {
    const open = all.at(-1);
    if (open?.[0] === undefined || open.length === BATCH || monthOf(open[0].at) !== monthOf(draft.at))
      all.push([draft]);
    else open.push(draft);
  }
  return all;
}
