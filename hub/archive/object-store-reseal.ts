/**
 * Seals on line what lies in clear, and anew what another data key or algorithm sealed: object by object, each whole and
 * durable under its new name before the old one goes. Ends anywhere and goes on from there; what is done already is told
 * by its header alone.
 */
import { createHash } from 'node:crypto';
import type { ObjectStore, ObjectWriter } from '../core/ports.ts';
import { Failure } from '../core/problem.ts';
import type { DataKeys, SealAlgorithm } from '../core/sealing.ts';
import { BrokenObject, isSealedName, keyOf, sealedName, type SealedObjectStore } from './object-store-sealed.ts';
import type { Lying } from './object-store-key.ts';

/**
 * What is younger is left alone: its writer may hold it open, and bytes that reach a file after it was read are lost with
 * the file. No object is on its way for so long.
 */
const QUIET_MS = 3_600_000;

export interface Resealing {
  /** The store that seals, and the medium below it. */
  readonly sealed: SealedObjectStore;
  readonly medium: ObjectStore & { walk(after: string): AsyncIterable<Lying> };
  readonly keys: DataKeys;
  readonly cipher: SealAlgorithm;
  readonly clock: () => Date;
  readonly quietMs?: number;
}

/** `current`: nothing to do. `young`: left for the next walk. `gone`: removed meanwhile. `broken`: not as it was sealed. */
export type Resealed = 'sealed' | 'moved' | 'current' | 'young' | 'gone' | 'broken';

/** Every object after the name `after`, with what was done; the walk goes on when the caller asks for the next. */
export async function* resealObjects(
  means: Resealing,
  after = '',
): AsyncGenerator<{ readonly name: string; readonly done: Resealed }> {
  for await (const lying of means.medium.walk(after)) {
    // An empty name may be one that a process has reserved and will write to.
    if (lying.size > 0) yield { name: lying.key, done: await resealed(means, lying) };
  }
}

async function resealed(means: Resealing, { key: name, changedAt }: Lying): Promise<Resealed> {
  const { sealed, keys, cipher, clock, quietMs = QUIET_MS } = means;
  const key = keyOf(name);
  try {
    if (isSealedName(name)) {
      const by = await sealed.sealedBy(key);
      if (by.keyId === keys.current().id && by.algorithm === cipher) return 'current';
    }
    if (clock().getTime() - changedAt.getTime() < quietMs) return 'young';
    return isSealedName(name) ? await sealAnew(means, key) : await sealClear(means, key);
  } catch (error) {
    if (error instanceof BrokenObject) return 'broken';
    if (error instanceof Failure && error.problem.code === 'not-found') return 'gone';
    throw error;
  }
}

/** What it reads is authenticated, and one rename puts the new in place of the old. */
async function sealAnew({ sealed, medium, cipher }: Resealing, key: string): Promise<Resealed> {
  const writer = await sealed.writeSealed(key, cipher);
  const copied = await copy(await sealed.read(key), writer, () => medium.size(sealedName(key)));
  return copied === null ? 'gone' : 'moved';
}

/** The object in clear goes when the sealed one was read back and is the same. */
async function sealClear({ sealed, medium, cipher }: Resealing, key: string): Promise<Resealed> {
  const writer = await sealed.writeSealed(key, cipher);
  const copied = await copy(await medium.read(key), writer, () => medium.size(key));
  if (copied === null) return 'gone';
  const back = createHash('sha256');
  try {
    for await (const chunk of await sealed.read(key)) back.update(chunk as Buffer);
  } catch (error) {
    if (error instanceof BrokenObject) await medium.remove(sealedName(key));
    throw error;
  }
  if (back.digest('hex') !== copied) {
    await medium.remove(sealedName(key));
    return 'broken';
  }
  await medium.remove(key);
  return 'sealed';
}

/** SHA-256 of what was copied; null where the object was removed meanwhile, which must not bring it back. */
async function copy(
  source: AsyncIterable<unknown>,
  writer: ObjectWriter,
  size: () => Promise<number | null>,
): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of source) {
      hash.update(chunk as Buffer);
      await writer.write(chunk as Buffer);
    }
    if ((await size()) === null) {
      await writer.abort();
      return null;
    }
    await writer.commit();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return hash.digest('hex');
}
