/** A database and its object store belong together; a hub with the wrong pair does not start. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openObjectStore } from '../../hub/archive/object-store.ts';
import type { Database } from '../../hub/store/database.ts';
import { claimObjectStore } from '../../hub/store/store-identity.ts';
import { freshDatabase } from '../support/database.ts';

let database: Database;
let folder = '';
before(async () => {
  ({ database } = await freshDatabase());
  folder = await mkdtemp(join(tmpdir(), 'hutong-identity-'));
});
after(() => rm(folder, { recursive: true }));

test('many starters with one store agree; another store is refused by name of the variable', async () => {
  const first = openObjectStore(`file:${folder}/a`, folder);
  await Promise.all(Array.from({ length: 6 }, () => claimObjectStore(database, first)));
  await claimObjectStore(database, first);
  const other = openObjectStore(`file:${folder}/b`, folder);
  await assert.rejects(
    claimObjectStore(database, other),
    /^Error: HUB_OBJECT_STORE takes the store that this database knows/,
  );
  await Promise.all([first.close(), other.close()]);
});
