/** Wires the master key, the keyring and what the store seals by: for every process, its apply thread and its commands. */
import { createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import type { Config } from './config.ts';
import type { MasterKeyConfig } from './config-keys.ts';
import type { Log } from './core/ports.ts';
import { codeOf } from './core/problem.ts';
import { MasterKeyFault, type DataKeyStore, type KeyWrapper, type Vault } from './core/sealing.ts';
import { kmsWrapper } from './security/kms.ts';
import { openKeyring, type Keyring } from './security/keyring.ts';
import { numberSeal } from './security/number-seal.ts';
import { fileWrapper, localWrapper, makeKeyFile } from './security/master-key.ts';
import { createDataKeyStore } from './store/data-key.ts';
import { openDatabase } from './store/database.ts';
import { drawnKey } from './store/hub-key.ts';

export interface Keys {
  readonly vault: Vault;
  readonly ring: Keyring;
  close(): Promise<void>;
}

function wrapperOf(master: MasterKeyConfig, old: 'OLD_' | ''): KeyWrapper {
  switch (master.kind) {
    case 'file':
      return fileWrapper(master.path, `HUB_${old}MASTER_KEY_FILE`);
    case 'text':
      return localWrapper(master.text, `HUB_${old}MASTER_KEY`);
    case 'kms':
      return kmsWrapper(master);
  }
}

const BESIDE =
  'the master key lies in the data directory, beside what it seals: for real use move it away, set HUB_MASTER_KEY_FILE, ' +
  'HUB_MASTER_KEY or HUB_KMS_URL, and back it up apart from the database (openapi/keys.md)';

/** Where none is set: the hub's own file, made for a database that nothing was sealed in yet, and for no other. */
async function ownWrapper(
  config: Pick<Config, 'keys' | 'databaseUrl'>,
  store: DataKeyStore,
  log: Log,
): Promise<KeyWrapper> {
  const path = config.keys.ownPath;
  if (!existsSync(path)) {
    const [key] = await store.list();
    if (key !== undefined)
      throw new MasterKeyFault(
        `HUB_MASTER_KEY_FILE, HUB_MASTER_KEY and HUB_KMS_URL are not set and ${path} is not there, but this database is ` +
          `sealed under ${key.wrappedBy}: set one of them to that key; nothing was changed`,
      );
    if (makeKeyFile(path)) log.warn({ path }, BESIDE);
  } else if (config.databaseUrl !== null && isMainThread) log.warn({ path }, BESIDE);
  return fileWrapper(path, 'HUB_MASTER_KEY_FILE');
}

/** Rejects with a MasterKeyFault, one line, where the master key is missing, wrong or away: then nothing may start. */
export async function openKeys(
  config: Pick<Config, 'keys' | 'databaseUrl'>,
  databaseUrl: string,
  log: Log,
): Promise<Keys> {
  const database = openDatabase(databaseUrl, { max: 1, name: 'keys' });
  try {
    const store = createDataKeyStore(database);
    const { master, former, algorithm } = config.keys;
    const own = master === null ? await ownWrapper(config, store, log) : wrapperOf(master, '');
    const ring = await openKeyring({
      store,
      wrappers: [own, ...(former === null ? [] : [wrapperOf(former, 'OLD_')])],
      algorithm,
      clock: () => new Date(),
      failed: (error) => {
        log.warn({ code: codeOf(error) }, 'the table of keys was not read again; the keys at hand go on');
      },
    });
    return {
      vault: vaultWith(ring, await drawnKey(database.pool, 'search', ring.fields)),
      ring,
      close: () => {
        ring.close();
        return database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

export const vaultWith = ({ fields }: Pick<Keyring, 'fields'>, searchKey: Uint8Array): Vault => ({
  fields,
  numbers: numberSeal(searchKey),
  hash: (kind, value) => createHmac('sha256', searchKey).update(`${kind}\0`).update(value).digest(),
});
