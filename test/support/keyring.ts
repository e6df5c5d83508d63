/** Keyrings for tests: a master key that every test process shares, and a table of data keys without a database. */
import { createHash } from 'node:crypto';
import type { DataKeyStore, KeyWrapper, SealAlgorithm, WrappedKey } from '../../hub/core/sealing.ts';
import { openKeys, type Keys } from '../../hub/compose-keys.ts';
import { readConfig } from '../../hub/config.ts';
import { openKeyring, type Keyring } from '../../hub/security/keyring.ts';
import { localWrapper } from '../../hub/security/master-key.ts';
import { openDatabase, type Database } from '../../hub/store/database.ts';
import { quiet } from './server.ts';

/** As HUB_MASTER_KEY takes it. */
export const TEST_MASTER_KEY = createHash('sha256').update('master key of the tests').digest('base64');

export const testWrapper = (seed = 'master key of the tests'): KeyWrapper =>
  localWrapper(createHash('sha256').update(seed).digest('base64'), 'HUB_MASTER_KEY');

export function memoryDataKeys(clearRows = false): DataKeyStore & { readonly rows: WrappedKey[] } {
  const rows: WrappedKey[] = [];
  let state: Uint8Array | null = null;
  return {
    rows,
    list: () => Promise.resolve([...rows]),
    async begin(key, make) {
      if (rows.length > 0) return;
      const made = await make(1, clearRows);
      rows.push({ id: 1, ...key, wrapped: made.wrapped, createdAt: new Date() });
      state = made.state;
    },
    async add(key, wrap) {
      const id = (rows.at(-1)?.id ?? 0) + 1;
      rows.push({ id, ...key, wrapped: await wrap(id), createdAt: new Date() });
    },
    rewrap(id, wrapped, wrappedBy) {
      const at = rows.findIndex((row) => row.id === id);
      const row = rows[at];
      if (row !== undefined) rows[at] = { ...row, wrapped, wrappedBy };
      return Promise.resolve();
    },
    state: () => Promise.resolve(state),
    saveState(sealed) {
      state = sealed;
      return Promise.resolve();
    },
  };
}

export function testKeyring(
  store: DataKeyStore = memoryDataKeys(),
  {
    algorithm = 'aes-256-gcm',
    wrappers = [testWrapper()],
  }: {
    readonly algorithm?: SealAlgorithm;
    readonly wrappers?: readonly [KeyWrapper, ...KeyWrapper[]];
  } = {},
): Promise<Keyring> {
  const failed = (error: unknown): void => {
    throw error instanceof Error ? error : new Error('a refresh of the keyring failed');
  };
  return openKeyring({ store, wrappers, algorithm, clock: () => new Date(), failed });
}

/** The keys of a database of the tests, as a hub opens them. */
export const openTestKeys = (url: string, env: Readonly<Record<string, string>> = {}): Promise<Keys> =>
  openKeys(readConfig({ HUB_MASTER_KEY: TEST_MASTER_KEY, ...env }), url, quiet);

/** Another pool on a database of the tests, which seals as the first does. */
export async function alsoOpen(url: string, max = 2): Promise<Database> {
  const keys = await openTestKeys(url);
  await keys.close();
  return openDatabase(url, { max, name: 'test', vault: keys.vault });
}

/** For who seals without a database. */
export const TEST_FIELDS = (await testKeyring()).fields;
