/**
 * Keys the hub draws for itself once and every process shares: of identifiers, of the provincial exam index, of what is
 * searched by, of notifications, and of what people sign on with. Sealed, so that a dump of the database has none of them.
 */
import { randomBytes } from 'node:crypto';
import { Derivation } from '../core/identifier.ts';
import type { Sealer } from '../core/sealing.ts';
import { vaultOf, type Connection, type Database } from './database.ts';
import { openBytes } from './sealed.ts';

type KeyName = 'identifier' | 'exam-index' | 'search' | 'notification' | 'sign-on' | 'consent';

export const derivation = async (database: Database, name: 'identifier' | 'exam-index'): Promise<Derivation> =>
  new Derivation(await hubKey(database, name));

export const hubKey = (database: Database, name: KeyName): Promise<Buffer> =>
  drawnKey(database.pool, name, vaultOf(database.pool).fields);

export const keyContext = (name: string): string => `hub_key.value ${name}`;

/** Safe with many starters at once: the first insert wins and all read that. One of before keys were sealed is sealed now. */
export async function drawnKey(connection: Connection, name: KeyName, fields: Sealer): Promise<Buffer> {
  await connection.query('insert into hub_key (name, value) values ($1, $2) on conflict do nothing', [
    name,
    fields.seal(randomBytes(32), keyContext(name)),
  ]);
  const result = await connection.query<{ value: Buffer }>('select value from hub_key where name = $1', [name]);
  const kept = result.rows[0]?.value;
  if (kept === undefined) throw new Error(`hub key ${name} is missing right after it was written`);
  const key = openBytes(fields, kept, keyContext(name));
  if (!fields.isSealed(kept))
    await connection.query('update hub_key set value = $2 where name = $1 and value = $3', [
      name,
      fields.seal(key, keyContext(name)),
      kept,
    ]);
  return key;
}
