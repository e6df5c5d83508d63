/**
 * Keys the hub draws for itself once and every process shares: of identifiers, of the provincial exam index, of
 * notifications, and of what people sign on with.
 */
import { randomBytes } from 'node:crypto';
import { Derivation } from '../core/identifier.ts';
import type { Database } from './database.ts';

type KeyName = 'identifier' | 'exam-index' | 'notification' | 'sign-on';

export const derivation = async (database: Database, name: 'identifier' | 'exam-index'): Promise<Derivation> =>
  new Derivation(await hubKey(database, name));

/** Safe with many starters at once: the first insert wins and all read that. */
export async function hubKey(database: Database, name: KeyName): Promise<Buffer> {
  await database.pool.query('insert into hub_key (name, value) values ($1, $2) on conflict do nothing', [
    name,
    randomBytes(32),
  ]);
  const result = await database.pool.query<{ value: Buffer }>('select value from hub_key where name = $1', [name]);
  const key = result.rows[0];
  if (key === undefined) throw new Error(`hub key ${name} is missing right after it was written`);
  return key.value;
}
