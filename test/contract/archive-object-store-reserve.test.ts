/** The reserve of names under the file store: used when ready, renewed, and never taken for an object or the reverse. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open as openFile, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { blocksFor, writeTrailer } from '../../hub/archive/object-store-trailer.ts';
import { FileObjectStore } from '../../hub/archive/object-store-file.ts';
import { Failure } from '../../hub/core/problem.ts';

const FOLDER = 'dicom/2026/01/02';
const LONG_AGO = new Date(Date.now() - 3 * 24 * 3600 * 1000);

describe('reserve of the object store on files', () => {
  let root = '';
  let store: FileObjectStore;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'hutong-reserve-'));
    store = new FileObjectStore(root, 'me-first', 64);
  });
  afterEach(async () => {
    await store.close();
    await rm(root, { recursive: true, force: true });
  });

  async function put(bytes: Uint8Array, folder = FOLDER): Promise<string> {
    const { key, writer, filed } = await store.writeFresh(folder, '.dcm');
    await writer.write(bytes);
    await writer.commit();
    filed();
    return key;
  }

  async function unfiled(of: FileObjectStore): Promise<string[]> {
    const keys: string[] = [];
    for await (const key of of.unfiled()) keys.push(key);
    return keys.sort();
  }

  const lists = (): Promise<string[]> => readdir(join(root, '.reserve'));
  const names = (folder = FOLDER): Promise<string[]> => readdir(join(root, folder));

  async function until(reached: () => Promise<boolean>): Promise<void> {
    for (let turn = 0; turn < 500; turn++) {
      if (await reached()) return;
      await pause(10);
    }
    assert.fail('not reached in time');
  }

  /** A first object makes a reserve; resolves when it is there. */
  async function reserved(): Promise<string> {
    const key = await put(randomBytes(1000));
    await until(async () => (await names().catch(() => [])).length === 65);
    await pause(500); // the sync of the folder comes last
    return key;
  }

  it('takes names that were made beforehand, renews them, and leaves none behind when closed', async () => {
    await reserved();
    const before = new Set(await names());
    const objects = new Map<string, Buffer>();
    let early = 0;
    for (let n = 0; n < 200; n++) {
      const bytes = randomBytes(1 + n * 1000);
      const key = await put(bytes);
      if (before.has(key.slice(FOLDER.length + 1))) early++;
      objects.set(key, bytes);
    }
    assert.equal(early, 64, 'every name of the first batch was used');
    await store.close();
    for (const [key, bytes] of objects) assert.ok((await store.readAll(key)).equals(bytes), key);
    assert.equal((await names()).length, 201);
    assert.deepEqual(await lists(), []);
    assert.deepEqual(await readdir(join(root, '.incoming')), []);
  });

  it('gives the names of a day up when the next begins', async () => {
    await reserved();
    await put(randomBytes(10), 'dicom/2026/01/03');
    await until(async () => (await names()).length === 1);
  });

  it('writes an object that outgrows its buffer over its reserved name, whole or not at all', async () => {
    await reserved();
    let taken = await store.writeFresh(FOLDER, '.dcm');
    // The names are on disk a moment before the store hands them out; until then it writes without a reserve.
    for (let tries = 0; tries < 100 && !existsSync(join(root, taken.key)); tries++) {
      await taken.writer.abort();
      await pause(20);
      taken = await store.writeFresh(FOLDER, '.dcm');
    }
    const { key, writer } = taken;
    await writer.write(randomBytes(2_500_000));
    assert.equal((await stat(join(root, key))).size, 0, 'a crash now leaves an empty name, which is swept');
    await writer.commit();
    assert.equal(await store.size(key), 2_500_000);
  });

  it('finds after a kill what was stored and not filed, and clears what was reserved and not used', async () => {
    // Killed: the store is never closed, and its lists and empty files stay.
    const killed = new FileObjectStore(root, 'one-listen', 64);
    const fresh = async (bytes: Uint8Array, file: boolean): Promise<string> => {
      const { key, writer, filed } = await killed.writeFresh(FOLDER, '.dcm');
      await writer.write(bytes);
      await writer.commit();
      if (file) filed();
      return key;
    };
    const before = await fresh(randomBytes(500), true);
    await until(async () => (await names()).length === 65);
    await pause(500);
    const small = randomBytes(700_001);
    const kept = [await fresh(small, false), await fresh(randomBytes(2_000_000), false)];
    const filed = await fresh(randomBytes(10), true);
    const [list] = await lists();
    assert.ok(list !== undefined);
    assert.equal((await readFile(join(root, '.reserve', list), 'utf8')).split('\n').length, 64);

    const other = new FileObjectStore(root, 'two-listen', 64);
    assert.deepEqual(await unfiled(other), [], 'a list this young may be that of a living process');
    assert.equal((await names()).length, 65);

    const next = new FileObjectStore(root, 'one-listen', 64);
    // The list does not tell what was filed: who asks must know. It goes when all was seen.
    assert.deepEqual(await unfiled(next), [...kept, filed].sort());
    assert.deepEqual((await names()).map((name) => `${FOLDER}/${name}`).sort(), [before, ...kept, filed].sort());
    assert.ok((await next.readAll(kept[0] ?? '')).equals(small));
    assert.deepEqual(await unfiled(next), []);
    assert.deepEqual(await lists(), []);
    for (const each of [next, other, killed]) await each.close();
  });

  it('takes over what another process left long ago', async () => {
    await reserved();
    const { key, writer } = await store.writeFresh(FOLDER, '.dcm');
    await writer.write(randomBytes(10));
    await writer.commit();
    for (const list of await lists()) await utimes(join(root, '.reserve', list), LONG_AGO, LONG_AGO);
    const next = new FileObjectStore(root, 'next', 64);
    assert.deepEqual(await unfiled(next), [key]);
    await next.close();
  });

  it('cuts to its size what was stored in whole blocks and killed before it was cut', async () => {
    const sizes = [1, 4_071, 4_072, 4_073, 4_096, 500_000];
    const folder = join(root, FOLDER);
    await mkdir(folder, { recursive: true });
    await mkdir(join(root, '.reserve'));
    const keys = sizes.map((size) => `${FOLDER}/0-${String(size)}.dcm`);
    const objects = sizes.map((size) => randomBytes(size));
    for (const [n, bytes] of objects.entries()) {
      const blocks = Buffer.alloc(blocksFor(bytes.length));
      bytes.copy(blocks);
      writeTrailer(blocks, bytes.length, blocks.length);
      await writeFile(join(root, keys[n] ?? ''), blocks);
    }
    await writeFile(join(root, '.reserve', 'me.1'), keys.join('\n'));
    const next = new FileObjectStore(root, 'me', 64);
    assert.equal((await unfiled(next)).length, sizes.length);
    for (const [n, bytes] of objects.entries()) assert.ok((await next.readAll(keys[n] ?? '')).equals(bytes));
    await next.close();
  });

  it('keeps an empty object whose process was killed: it is on no list', async () => {
    await reserved();
    const { key, writer } = await store.writeFresh(FOLDER, '.dcm');
    assert.deepEqual(await writer.commit(), { size: 0 });
    assert.deepEqual(await lists(), []);
    assert.equal(await store.size(key), 0);
  });

  it('clears a list that was cut off or holds no keys, and nothing outside of the root', async () => {
    const outside = join(root, '..', 'reserve-outside.txt');
    await writeFile(outside, '');
    await mkdir(join(root, '.reserve'));
    const list = join(root, '.reserve', 'cut');
    await writeFile(list, '../reserve-outside.txt\n\0\0\n/etc/hostname\ndicom/none/half-a-na');
    await utimes(list, LONG_AGO, LONG_AGO);
    assert.deepEqual(await unfiled(store), []);
    assert.deepEqual(await lists(), []);
    assert.equal((await stat(outside)).size, 0);
    await rm(outside);
  });

  it('tells a full disk as unavailable, and keeps nothing under the reserved name', async (t) => {
    await reserved();
    const { key, writer } = await store.writeFresh(FOLDER, '.dcm');
    await writer.write(randomBytes(10));
    const handle = await openFile('/dev/null', 'r');
    const prototype = Object.getPrototypeOf(handle) as { write(): Promise<void> };
    await handle.close();
    t.mock.method(prototype, 'write', () =>
      Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })),
    );
    await assert.rejects(
      writer.commit(),
      (error: unknown) => error instanceof Failure && error.problem.code === 'unavailable',
    );
    t.mock.restoreAll();
    assert.equal(await store.size(key), null);
  });
});
