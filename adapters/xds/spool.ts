/**
 * Takes an answer whole into files before anybody is told of it. Needed where answers of several peers are joined: their
 * joint envelope goes first and says what each gave, so none may break off afterwards and spoil what the others gave.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, problem } from '../../hub/core/problem.ts';
import type { Problem } from '../../hub/core/problem.ts';
import type { GivenByPeer } from '../../mappings/xds/cross-retrieve.ts';
import type { Retrieved, RetrievedDocument } from './peer.ts';

export interface Spooled {
  readonly retrieved: Retrieved;
  /** Why it is not whole: the answer lists only what came. */
  readonly broken: Problem | null;
}

/** Bytes of all answers that lie in one folder at the same time. */
export class SpoolRoom {
  readonly #most: number;
  #used = 0;

  constructor(most: number) {
    this.#most = most;
  }

  take(bytes: number): boolean {
    if (this.#used + bytes > this.#most) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}

export async function spool(retrieved: Retrieved, folder: string, room: SpoolRoom): Promise<Spooled> {
  const own = join(folder, randomUUID());
  await mkdir(own, { recursive: true, mode: 0o700 });
  const files: { given: GivenByPeer; path: string }[] = [];
  let held = 0;
  let broken: Problem | null = null;
  try {
    for await (const { given, body } of retrieved.documents) {
      const path = join(own, String(files.length));
      const file = await open(path, 'wx', 0o600);
      try {
        for await (const chunk of body) {
          if (!room.take(chunk.length))
            throw new Failure(problem('busy', undefined, 'The hub has no room for the answer.'));
          held += chunk.length;
          await file.appendFile(chunk);
        }
      } finally {
        await file.close();
      }
      files.push({ given, path });
    }
  } catch (error) {
    retrieved.close();
    if (!(error instanceof Failure)) {
      room.give(held);
      await rm(own, { recursive: true, force: true });
      throw error;
    }
    broken = error.problem;
  }
  let removed = false;
  const close = (): void => {
    if (removed) return;
    removed = true;
    room.give(held);
    // What cannot be removed goes with the folder at the next start.
    rm(own, { recursive: true, force: true }).catch(() => undefined);
  };
  const answer = { ...retrieved.answer, documents: files.map(({ given }) => given) };
  return { retrieved: { answer, documents: readBack(files), close }, broken };
}

async function* readBack(
  files: readonly { readonly given: GivenByPeer; readonly path: string }[],
): AsyncGenerator<RetrievedDocument> {
  for (const { given, path } of files) yield await Promise.resolve({ given, body: createReadStream(path) });
}
