/**
 * One database knows one object store. A hub that is started with another folder or bucket than the one its index speaks
 * of would acknowledge images that no other process can read: it is refused at the start.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ObjectStore } from '../core/ports.ts';
import type { Database } from './database.ts';

const OBJECT = 'identity/object-store';
const NAME = 'object-store';

/** Throws with one line that names the variable when database and object store do not belong together. */
export async function claimObjectStore(database: Database, objects: ObjectStore): Promise<void> {
  const drawn = await database.pool.query('insert into hub_key (name, value) values ($1, $2) on conflict do nothing', [
    NAME,
    randomBytes(16),
  ]);
  const known = await database.pool.query<{ value: Buffer }>('select value from hub_key where name = $1', [NAME]);
  const identity = known.rows[0]?.value.toString('hex') ?? '';
  if (drawn.rowCount === 1 && (await objects.size(OBJECT)) === null) return writeIdentity(objects, identity);
  // Of many that start at once, the one that drew the identity writes it; the others wait for that moment.
  for (let tries = 0; tries < 20 && (await objects.size(OBJECT)) === null; tries++) await pause(100);
  const there = (await objects.size(OBJECT)) === null ? '' : (await objects.readAll(OBJECT)).toString('utf8');
  if (there !== identity)
    throw new Error(
      'HUB_OBJECT_STORE takes the store that this database knows: another one, or an empty one, is configured',
    );
}

async function writeIdentity(objects: ObjectStore, identity: string): Promise<void> {
  const writer = await objects.write(OBJECT);
  await writer.write(Buffer.from(identity));
  await writer.commit();
}
