/** The file store: the common contract, and what only files can do wrong (left-overs, a full disk, a lost folder). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open as openFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { FileObjectStore } from '../../hub/archive/object-store-file.ts';
import { Failure } from '../../hub/core/problem.ts';
import { objectStoreContract, put } from './archive-object-store.ts';

describe('object store on files', () => {
  let root = '';
  let store: FileObjectStore;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'hutong-objects-'));
    store = new FileObjectStore(root);
  });
  after(async () => {
    await store.close();
    await rm(root, { recursive: true, force: true });
  });

  objectStoreContract(() => store);

  it('leaves no temporary file after commit, abort or failure', async () => {
    await put(store, 'left/over.bin', randomBytes(600_000));
    const writer = await store.write('left/aborted.bin');
    await writer.write(randomBytes(600_000));
    await writer.abort();
    assert.deepEqual(await readdir(join(root, '.incoming')), []);
  });

  it('clears what a killed process left, but not what a living one writes', async () => {
    const [old, young] = [join(root, '.incoming', 'old'), join(root, '.incoming', 'young')];
    await writeFile(old, 'x');
    await writeFile(young, 'x');
    const longAgo = new Date(Date.now() - 3 * 24 * 3600 * 1000);
    await utimes(old, longAgo, longAgo);
    const second = new FileObjectStore(root);
    await second.check();
    await second.close();
    assert.deepEqual(await readdir(join(root, '.incoming')), ['young']);
    await rm(young);
  });

  it('tells a full disk as unavailable, and keeps nothing of the object', async (t) => {
    // A disk cannot be filled in a test run as root: the operating system's answer is put in its place.
    const full = new FileObjectStore(root);
    const writer = await full.write('full/object.bin');
    const handle = await openFile('/dev/null', 'r');
    const prototype = Object.getPrototypeOf(handle) as { datasync(): Promise<void> };
    await handle.close();
    t.mock.method(prototype, 'datasync', () =>
      Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })),
    );
    await writer.write(randomBytes(10));
    await assert.rejects(
      writer.commit(),
      (error: unknown) =>
        error instanceof Failure && error.problem.code === 'unavailable' && error.problem.text.includes('no space'),
    );
    t.mock.restoreAll();
    assert.equal(await full.size('full/object.bin'), null);
    assert.deepEqual(await readdir(join(root, '.incoming')), []);
    await full.close();
  });
});
