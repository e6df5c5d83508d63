/**
 * `npm run keys -- status | rotate | reseal | reseal-objects | rewrap`: what an operator does about keys, beside a running hub (openapi/keys.md).
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openKeys, type Keys } from './compose-keys.ts';
import { resealStore, type ObjectGround, type ResealCounts } from './compose-objects.ts';
import type { Config } from './config.ts';
import type { Log } from './core/ports.ts';
import { createSeal } from './security/seal.ts';
import { openDatabase, type Database } from './store/database.ts';
import { hubKey } from './store/hub-key.ts';
import { openPostgres } from './store/postgres.ts';
import { closeNumbers } from './store/close-numbers.ts';
import { reseal, resealStatus } from './store/reseal.ts';
import type { TextSeals } from './store/reseal-part.ts';

const USAGE = `usage: npm run keys -- status | rotate | reseal | reseal-objects | rewrap
  status  the master key, the data keys and how far sealing anew has come
  rotate  a new data key by HUB_SEAL_ALGORITHM, which seals from a minute later on
  reseal  seals every row by the current data key, while the hub runs; goes on where it was broken off
  reseal-objects  the same with images and documents: what lies in clear, and what another key or algorithm sealed
  rewrap  wraps the data keys under the master key that is set; HUB_OLD_MASTER_KEY(_FILE) or HUB_OLD_KMS_KEY unwraps them`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** The code to end with: 1 where it failed, 2 where nobody knows what was asked. */
export async function keysCommand(words: readonly string[], config: Config, log: Log): Promise<number> {
  const [name = '', ...rest] = words;
  const command = COMMANDS.get(name);
  if (command === undefined || rest.length > 0) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const dir = join(config.dataDir, 'postgres');
  const server = await openPostgres({ databaseUrl: config.databaseUrl, dir, what: `keys ${name}`, log });
  let keys: Keys | undefined;
  let database: Database | undefined;
  try {
    keys = await openKeys(config, server.url, log);
    database = openDatabase(server.url, { max: 2, name: 'keys', vault: keys.vault });
    await command(keys, database, { config, log });
    return 0;
  } catch (error) {
    process.stderr.write(`keys ${name}: ${error instanceof Error ? error.message : 'it failed'}\n`);
    return 1;
  } finally {
    await database?.close();
    await keys?.close();
    await server.close();
  }
}

type Command = (keys: Keys, database: Database, around: Omit<ObjectGround, 'ring'>) => Promise<void>;

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['status', status],
  [
    'rotate',
    async ({ ring }) => {
      await ring.rotate();
      const made = ring.status().keys.at(-1);
      say(
        `data key ${String(made?.id)} (${made?.algorithm ?? ''}) seals from ${made?.currentFrom.toISOString() ?? ''} on`,
      );
      say('what earlier keys sealed stays readable; npm run keys -- reseal seals it by this one');
    },
  ],
  ['reseal', resealAll],
  ['reseal-objects', resealObjects],
  [
    'rewrap',
    async ({ ring }) => {
      const moved = await ring.rewrap();
      say(`${String(moved)} data keys were wrapped anew: all are under ${ring.status().masterKey} now`);
    },
  ],
]);

async function status({ ring }: Keys, database: Database): Promise<void> {
  const { masterKey, state, keys } = ring.status();
  say(`master key ${masterKey}`);
  for (const key of keys) {
    const words = [key.algorithm, `wrapped by ${key.wrappedBy}`, `since ${key.currentFrom.toISOString()}`];
    say(`data key ${String(key.id)}  ${words.join(', ')}${key.current ? ', current' : ''}`);
  }
  say(
    state === 'mixed' ? 'rows of an earlier release may lie in clear: npm run keys -- reseal' : 'no row lies in clear',
  );
  for (const { part, passed, target, done } of await resealStatus(database))
    say(`reseal ${part}: ${done ? 'done' : 'begun'}, ${String(passed)} rows, data key ${String(target)}`);
}

/** Other processes may seal by the key before for as long as they need to read of the new one. */
const SETTLE_MS = 15_000;

/** The key that was made last, once every process seals by it. */
async function newestKey({ ring }: Keys): Promise<number> {
  const newest = ring.status().keys.at(-1);
  const waitMs = (newest?.currentFrom.getTime() ?? 0) + (newest?.id === 1 ? 0 : SETTLE_MS) - Date.now();
  if (waitMs > 0) {
    say(`data key ${String(newest?.id)} seals in ${String(Math.ceil(waitMs / 1_000))} s; waiting`);
    await pause(waitMs);
  }
  return newest?.id ?? 0;
}

async function resealObjects(keys: Keys, _database: Database, around: Omit<ObjectGround, 'ring'>): Promise<void> {
  await newestKey(keys);
  const words = ({ sealed, moved, current, young, broken }: ResealCounts): string =>
    `${String(sealed)} sealed, ${String(moved)} moved to the key of today, ${String(current)} were so already, ` +
    `${String(young)} too young, ${String(broken)} broken`;
  let told = Date.now();
  const counts = await resealStore({ ...around, ring: keys.ring }, (so) => {
    if (Date.now() - told < 2_000) return;
    told = Date.now();
    say(words(so));
  });
  if (counts === null)
    throw new Error('objects are not sealed here: HUB_OBJECT_CIPHER is none, or not set and no master key is given');
  say(words(counts));
  if (counts.young > 0) say('objects of the last hour may still be written to: run it again later for those');
  if (counts.broken > 0)
    throw new Error(
      'broken objects are not as they were sealed, or their data key is not at hand; they stay as they are',
    );
}

async function resealAll(keys: Keys, database: Database): Promise<void> {
  const { ring } = keys;
  const target = await newestKey(keys);
  let told = Date.now();
  await closeNumbers(database);
  await reseal({
    database,
    seals: await textSeals(database, ring),
    target,
    tell: ({ part, passed, sealed, done }) => {
      if (!done && Date.now() - told < 2_000) return;
      told = Date.now();
      say(`${part}: ${String(passed)} rows, ${String(sealed)} sealed anew${done ? ', done' : ''}`);
    },
  });
  const { state } = ring.status();
  // The word for it as well is sealed by the key of today.
  await ring.markSealed();
  if (state === 'sealed') return;
  say('every row is sealed: one in clear is refused from now on; vacuum full the tables to drop what they held before');
}

const textSeals = async (database: Database, { fields }: Keys['ring']): Promise<TextSeals> => ({
  totp: createSeal(fields, 'totp', await hubKey(database, 'sign-on')),
  consumer: createSeal(fields, 'consumer', await hubKey(database, 'notification')),
  consent: createSeal(fields, 'consent', await hubKey(database, 'consent')),
});
