/** Opens the object store as it is configured, sealed by the keys of this process; and seals anew what lies in it. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resealObjects, type Resealed } from './archive/object-store-reseal.ts';
import { openMedium, openObjectStore, type OpenedObjectStore } from './archive/object-store.ts';
import { SealedObjectStore, type Sealing } from './archive/object-store-sealed.ts';
import { objectStoreUrl, type Config } from './config.ts';
import type { Log } from './core/ports.ts';
import type { Keyring } from './security/keyring.ts';
import { ownerName } from './store/data-dir.ts';

export interface ObjectGround {
  readonly config: Config;
  readonly ring: Pick<Keyring, 'keysFor'>;
  readonly log: Log;
}

export interface ComposedObjects {
  readonly objects: OpenedObjectStore;
  /** By name, what a process counts: `hub_objects` are those that it found broken since its start. */
  readonly figures: Map<string, () => Readonly<Record<string, number>>>;
}

/** `roles`: what the process is known by after a restart; none where it stores under no names of its own. */
export async function composeObjects(
  { config, ring, log }: ObjectGround,
  roles: readonly string[] = [],
): Promise<ComposedObjects> {
  const counts = { changed: 0, key: 0, clear: 0 };
  const sealing: Sealing = {
    keys: ring.keysFor('objects'),
    cipher: config.keys.objectCipher,
    readsClear: config.keys.readsClearObjects,
    broken: (object, why) => {
      counts[why]++;
      log.error({ object, why }, 'an object is not as it was sealed, or may not be read as it lies: it is not served');
    },
  };
  const owner = roles.length === 0 ? {} : { owner: await ownerName(config.dataDir, roles) };
  const objects = openObjectStore(objectStoreUrl(config), config.dataDir, { sealing, ...owner });
  const figures = (): Readonly<Record<string, number>> =>
    Object.fromEntries(Object.entries(counts).map(([why, count]) => [`broken_${why}`, count]));
  return { objects, figures: new Map([['hub_objects', figures]]) };
}

export type ResealCounts = Readonly<Record<Resealed, number>>;

interface Mark {
  readonly keyId: number;
  readonly cipher: string;
  readonly after: string;
}

const MARK_EVERY = 100;

/**
 * Seals what lies in clear and what another key or algorithm sealed, beside running hubs. Broken off, it goes on where it
 * was: the mark lies in the data directory, and without it the walk begins anew and passes what is done. Once at a time.
 * null: HUB_OBJECT_CIPHER is none.
 */
export async function resealStore(
  { config, ring, log }: ObjectGround,
  tell: (counts: ResealCounts) => void,
): Promise<ResealCounts | null> {
  const cipher = config.keys.objectCipher;
  if (cipher === null) return null;
  const keys = ring.keysFor('objects');
  const medium = openMedium(objectStoreUrl(config), config.dataDir);
  const broken: Sealing['broken'] = (object, why) => {
    log.error({ object, why }, 'an object is not as it was sealed, or its data key is not at hand: it stays as it is');
  };
  const sealed = new SealedObjectStore(medium, { keys, cipher, broken });
  const place = join(config.dataDir, 'reseal-objects.json');
  const goal = { keyId: keys.current().id, cipher };
  const counts = { sealed: 0, moved: 0, current: 0, young: 0, gone: 0, broken: 0 };
  let passed = 0;
  try {
    const means = { sealed, medium, keys, cipher, clock: () => new Date() };
    for await (const { name, done } of resealObjects(means, await markOf(place, goal))) {
      counts[done]++;
      if (++passed % MARK_EVERY > 0) continue;
      // Young ones are left behind: only a walk from the beginning finds them.
      if (counts.young === 0) await writeMark(place, { ...goal, after: name });
      tell(counts);
    }
    await rm(place, { force: true });
    return counts;
  } finally {
    await medium.close();
  }
}

/** Where a walk to the same key ended; empty where there was none. */
async function markOf(place: string, goal: Omit<Mark, 'after'>): Promise<string> {
  try {
    const mark = JSON.parse(await readFile(place, 'utf8')) as Partial<Mark>;
    return mark.keyId === goal.keyId && mark.cipher === goal.cipher ? (mark.after ?? '') : '';
  } catch {
    return ''; // none, or cut off: the walk passes what is done
  }
}

async function writeMark(place: string, mark: Mark): Promise<void> {
  await writeFile(`${place}.new`, JSON.stringify(mark));
  await rename(`${place}.new`, place);
}
