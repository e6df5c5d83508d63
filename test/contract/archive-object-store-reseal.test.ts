/** Sealing on line what lies in clear or under another key: whole objects at every moment, over files and a bucket. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import { resealObjects, type Resealed, type Resealing } from '../../hub/archive/object-store-reseal.ts';
import { openMedium } from '../../hub/archive/object-store.ts';
import { SealedObjectStore } from '../../hub/archive/object-store-sealed.ts';
import { resealStore } from '../../hub/compose-objects.ts';
import { readConfig } from '../../hub/config.ts';
import type { SealAlgorithm } from '../../hub/core/sealing.ts';
import { TestKeys } from '../support/data-keys.ts';
import { quiet } from '../support/server.ts';
import { put } from './archive-object-store.ts';

interface Peer {
  run(): Promise<{ port: number }>;
  close(): Promise<void>;
}
type PeerClass = new (options: object) => Peer;
type Medium = ReturnType<typeof openMedium>;

/** A walk that says everything is old: the tests' objects are younger than an hour. */
const later = (): Date => new Date(Date.now() + 7_200_000);

function means(medium: Medium, keys: TestKeys, cipher: SealAlgorithm = 'aes-256-gcm'): Resealing {
  const sealed = new SealedObjectStore(medium, { keys, cipher, broken: () => undefined });
  return { sealed, medium, keys, cipher, clock: later };
}

async function walked(of: Resealing, after = ''): Promise<Record<string, Resealed>> {
  const done: Record<string, Resealed> = {};
  for await (const each of resealObjects(of, after)) done[each.name] = each.done;
  return done;
}

async function names(medium: Medium): Promise<string[]> {
  const all: string[] = [];
  for await (const { key } of medium.walk('')) all.push(key);
  return all;
}

function resealing(open: () => Medium): void {
  it('seals what lies in clear, then moves it to another key and to another algorithm', async () => {
    const medium = open();
    const keys = new TestKeys();
    const objects = new Map<string, Buffer>();
    for (const size of [1, 65_536, 65_537, 2_500_000]) {
      const key = `reseal/${String(size)}/object.dcm`;
      objects.set(key, randomBytes(size));
      await put(medium, key, objects.get(key) ?? Buffer.alloc(0));
    }
    const clear = [...objects.keys()].sort();
    const below = clear.map((key) => `${key}.sealed`);
    const all = (what: Resealed, of: readonly string[]): Record<string, Resealed> =>
      Object.fromEntries(of.map((name) => [name, what]));
    assert.deepEqual(await walked(means(medium, keys)), all('sealed', clear));
    assert.deepEqual(await names(medium), below);
    assert.deepEqual(await walked(means(medium, keys)), all('current', below));
    keys.use(2);
    assert.deepEqual(await walked(means(medium, keys)), all('moved', below));
    keys.forget(1);
    const sm4 = means(medium, keys, 'sm4-ctr-hmac-sm3');
    assert.deepEqual(await walked(sm4), all('moved', below));
    for (const [key, bytes] of objects) {
      assert.equal((await sm4.sealed.sealedBy(key)).keyId, 2);
      assert.ok((await sm4.sealed.readAll(key)).equals(bytes), key);
      await sm4.sealed.remove(key);
    }
    assert.deepEqual(await names(medium), []);
  });

  it('goes on where it ended, and leaves what is young', async () => {
    const medium = open();
    const keys = new TestKeys();
    const order = ['go/a', 'go/b/1', 'go/b/2', 'go/c'];
    for (const key of order) await put(medium, key, Buffer.from(key));
    const young = { ...means(medium, keys), clock: () => new Date() };
    assert.deepEqual([...new Set(Object.values(await walked(young)))], ['young']);
    for await (const { name } of resealObjects(means(medium, keys))) if (name === 'go/b/1') break;
    const rest = Object.entries(await walked(means(medium, keys), 'go/b/1')).filter(([, done]) => done !== 'current');
    assert.deepEqual(rest, [
      ['go/b/2', 'sealed'],
      ['go/c', 'sealed'],
    ]);
    assert.deepEqual(
      await names(medium),
      order.map((name) => `${name}.sealed`),
    );
    for (const key of order) await means(medium, keys).sealed.remove(key);
  });
}

describe('resealing objects in files', () => {
  let root = '';
  let medium: Medium;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'hutong-reseal-'));
    medium = openMedium(`file:${root}`, root, { owner: 'me' });
  });
  after(async () => {
    await medium.close();
    await rm(root, { recursive: true, force: true });
  });

  resealing(() => medium);

  // Over files alone: the bucket of these tests does not replace an object at once, as a real one does.
  it('reads every object at every moment of the walk, also by who kept its old header', async () => {
    const keys = new TestKeys();
    const reader = means(medium, keys).sealed;
    const objects = new Map<string, Buffer>();
    for (let n = 0; n < 12; n++) {
      const key = `online/${String(n)}.dcm`;
      objects.set(key, randomBytes(200_000 + n));
      await put(n % 2 === 0 ? medium : reader, key, objects.get(key) ?? Buffer.alloc(0));
      assert.equal((await reader.readAll(key)).length, 200_000 + n);
    }
    keys.use(2);
    const walk = { ended: false };
    let reads = 0;
    const reading = (async () => {
      while (!walk.ended || reads < 24)
        for (const [key, bytes] of objects) {
          assert.ok((await reader.readAll(key)).equals(bytes), key);
          assert.equal(await reader.size(key), bytes.length);
          reads++;
        }
    })();
    const done = Object.values(await walked(means(medium, keys)));
    walk.ended = true;
    await reading;
    assert.deepEqual([...new Set(done)].sort(), ['moved', 'sealed']);
    for (const key of objects.keys()) await reader.remove(key);
  });

  it('walks in the order of the keys, as a bucket does', async () => {
    const order = ['walk/a-b', 'walk/a.c', 'walk/a/1', 'walk/a/2', 'walk/a0', 'walk/b'];
    for (const key of order.toReversed()) await put(medium, key, Buffer.from(key));
    assert.deepEqual(await names(medium), order);
    for (const [at, after] of order.entries()) {
      const rest: string[] = [];
      for await (const { key } of medium.walk(after)) rest.push(key);
      assert.deepEqual(rest, order.slice(at + 1));
    }
    for (const key of order) await medium.remove(key);
  });

  it('goes on after a crash between the two names, and never takes what a process has reserved', async () => {
    const keys = new TestKeys();
    const bytes = randomBytes(100_000);
    await put(medium, 'crash/one', bytes);
    await put(means(medium, keys).sealed, 'crash/one', bytes);
    await writeFile(join(root, 'crash', 'reserved.dcm'), '');
    assert.deepEqual(await walked(means(medium, keys)), { 'crash/one': 'sealed', 'crash/one.sealed': 'current' });
    assert.deepEqual((await readdir(join(root, 'crash'))).sort(), ['one.sealed', 'reserved.dcm']);
    assert.ok((await means(medium, keys).sealed.readAll('crash/one')).equals(bytes));
  });

  it('leaves what is broken as it is, and says so', async () => {
    const keys = new TestKeys();
    const { sealed } = means(medium, keys);
    for (const key of ['broken/cut', 'broken/key', 'broken/noise']) await put(sealed, key, randomBytes(100_000));
    await truncate(join(root, 'broken', 'cut.sealed'), 90_000);
    await writeFile(join(root, 'broken', 'noise.sealed'), randomBytes(3000));
    keys.use(2);
    const before = await readFile(join(root, 'broken', 'cut.sealed'));
    const done = await walked(means(medium, keys), 'broken/');
    assert.equal(done['broken/cut.sealed'], 'broken');
    assert.equal(done['broken/noise.sealed'], 'broken');
    assert.equal(done['broken/key.sealed'], 'moved');
    assert.ok((await readFile(join(root, 'broken', 'cut.sealed'))).equals(before));
    assert.deepEqual(await readdir(join(root, '.incoming')), []);
  });

  it('seals an object that its process has not cut to its size yet', async () => {
    const keys = new TestKeys();
    const bytes = randomBytes(50_000);
    let taken = await medium.writeFresh('uncut', '.dcm');
    for (let tries = 0; tries < 100 && !taken.listed; tries++) {
      await taken.writer.abort();
      await new Promise((resolve) => setTimeout(resolve, 20));
      taken = await medium.writeFresh('uncut', '.dcm');
    }
    await taken.writer.write(bytes);
    await taken.writer.commit();
    // Another process sees it as it lies.
    const other = openMedium(`file:${root}`, root, { owner: 'other' });
    assert.equal(await other.size(taken.key), 50_000);
    assert.ok((await other.readAll(taken.key)).equals(bytes));
    await utimes(join(root, taken.key), new Date(0), new Date(0));
    assert.equal((await walked(means(other, keys), 'uncut/'))[taken.key], 'sealed');
    taken.filed();
    await medium.size(taken.key); // cuts what it holds open
    assert.ok((await means(other, keys).sealed.readAll(taken.key)).equals(bytes));
    await other.close();
  });
});

test('the command goes on where it was broken off, and begins anew for another key', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'hutong-reseal-store-'));
  const config = readConfig({ HUB_DATA_DIR: dataDir, HUB_OBJECT_CIPHER: 'aes-256-gcm' });
  const root = join(dataDir, 'objects');
  const medium = openMedium(undefined, dataDir);
  for (let n = 100; n < 220; n++) {
    await put(medium, `n/${String(n)}`, randomBytes(100));
    await utimes(join(root, 'n', String(n)), 0, 0);
  }
  const keys = new TestKeys();
  const ground = { config, ring: { keysFor: () => keys }, log: quiet };
  const breakOff = (): never => {
    throw new Error('broken off');
  };
  await assert.rejects(resealStore(ground, breakOff), /broken off/);
  const none = { sealed: 0, moved: 0, current: 0, young: 0, gone: 0, broken: 0 };
  // The walk goes on behind the last name, of which there is a sealed one now.
  assert.deepEqual(await resealStore(ground, () => undefined), { ...none, sealed: 20, current: 1 });
  assert.deepEqual(await resealStore(ground, () => undefined), { ...none, current: 120 });
  keys.use(2);
  assert.deepEqual(await resealStore(ground, () => undefined), { ...none, young: 120 });
  const inClear = readConfig({ HUB_DATA_DIR: dataDir, HUB_OBJECT_CIPHER: 'none' });
  assert.equal(await resealStore({ ...ground, config: inClear }, () => undefined), null);
  await medium.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe('resealing objects in a bucket', () => {
  let root = '';
  let peer: Peer;
  let medium: Medium;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'hutong-s3-reseal-'));
    const S3rver = createRequire(import.meta.url)('s3rver') as PeerClass;
    const configureBuckets = [{ name: 'images' }];
    peer = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: root, configureBuckets });
    const { port } = await peer.run();
    medium = openMedium(`s3://images?endpoint=http://127.0.0.1:${String(port)}&prefix=hub`, root, {
      credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    });
  });
  after(async () => {
    await medium.close();
    await peer.close();
    await rm(root, { recursive: true, force: true });
  });

  resealing(() => medium);
});
