/** What every object store must do, whatever it stands on; each implementation runs this one suite. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { it } from 'node:test';
import type { ObjectStore } from '../../hub/core/ports.ts';
import { Failure } from '../../hub/core/problem.ts';

export async function gather(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export async function put(store: ObjectStore, key: string, bytes: Uint8Array, chunk = 70_001): Promise<number> {
  const writer = await store.write(key);
  for (let at = 0; at < bytes.length; at += chunk) await writer.write(bytes.subarray(at, at + chunk));
  return (await writer.commit()).size;
}

const failsWith = (code: string) => (error: unknown) => error instanceof Failure && error.problem.code === code;

export function objectStoreContract(open: () => ObjectStore): void {
  it('gives back exactly the bytes written, at every size around its buffers', async () => {
    const store = open();
    for (const size of [0, 1, 131_071, 262_144, 262_145, 524_288, 1_048_577, 12_000_000]) {
      const bytes = randomBytes(size);
      const key = `contract/size-${String(size)}.dcm`;
      assert.equal(await put(store, key, bytes), size);
      assert.equal(await store.size(key), size);
      assert.ok((await store.readAll(key)).equals(bytes), `readAll of ${String(size)}`);
      assert.ok((await gather(await store.read(key))).equals(bytes), `read of ${String(size)}`);
    }
  });

  it('gives back what was written under keys of its own, at every size around its buffers', async () => {
    const store = open();
    const keys = new Set<string>();
    for (let round = 0; round < 3; round++) {
      for (const size of [0, 1, 524_288, 1_048_576, 1_048_577, 3_000_000]) {
        const bytes = randomBytes(size);
        const { key, writer } = await store.writeFresh('contract/fresh', '.dcm');
        assert.match(key, /^contract\/fresh\/[0-9a-f-]{36}\.dcm$/u);
        for (let at = 0; at < size; at += 70_001) await writer.write(bytes.subarray(at, at + 70_001));
        assert.deepEqual(await writer.commit(), { size });
        await writer.abort(); // after the end it takes nothing away
        assert.equal(await store.size(key), size);
        assert.ok((await store.readAll(key)).equals(bytes), `${String(size)} bytes`);
        keys.add(key);
      }
      const { key, writer } = await store.writeFresh('contract/fresh', '.dcm');
      await writer.write(randomBytes(700_000 * (round + 1)));
      await writer.abort();
      assert.equal(await store.size(key), null);
      await assert.rejects(writer.commit());
    }
    assert.equal(keys.size, 18);
  });

  it('does not keep the chunk: its memory may be reused at once', async () => {
    const store = open();
    const writer = await store.write('contract/reused.bin');
    const chunk = Buffer.alloc(50_000);
    for (let turn = 0; turn < 20; turn++) await writer.write(chunk.fill(turn));
    assert.deepEqual(await writer.commit(), { size: 1_000_000 });
    const back = await store.readAll('contract/reused.bin');
    for (let turn = 0; turn < 20; turn++) assert.equal(back[turn * 50_000 + 49_999], turn);
  });

  it('shows nothing before commit and nothing after abort', async () => {
    const store = open();
    const writer = await store.write('contract/hidden.bin');
    await writer.write(randomBytes(700_000));
    assert.equal(await store.size('contract/hidden.bin'), null);
    await assert.rejects(store.read('contract/hidden.bin'), failsWith('not-found'));
    await writer.abort();
    await writer.abort();
    assert.equal(await store.size('contract/hidden.bin'), null);
    await assert.rejects(writer.write(Buffer.from('x')));
    await assert.rejects(writer.commit());
  });

  it('reads ranges, clamped at the end of the object', async () => {
    const store = open();
    const bytes = randomBytes(3_000_000);
    await put(store, 'contract/range.bin', bytes);
    const ranges = [
      { start: 0, end: 132 },
      { start: 1_048_570, end: 2_100_000 },
      { start: 2_999_999 },
      { start: 5, end: 9_000_000 },
    ];
    for (const range of ranges) {
      const expected = bytes.subarray(range.start, range.end);
      assert.ok((await store.readAll('contract/range.bin', range)).equals(expected), JSON.stringify(range));
      assert.ok((await gather(await store.read('contract/range.bin', range))).equals(expected), JSON.stringify(range));
    }
    assert.equal((await store.readAll('contract/range.bin', { start: 7, end: 7 })).length, 0);
    assert.equal((await gather(await store.read('contract/range.bin', { start: 7, end: 7 }))).length, 0);
  });

  it('says not-found for what is not there, and removes without complaint', async () => {
    const store = open();
    await assert.rejects(store.read('contract/absent'), failsWith('not-found'));
    await assert.rejects(store.readAll('contract/absent'), failsWith('not-found'));
    assert.equal(await store.size('contract/absent'), null);
    await store.remove('contract/absent');
    await put(store, 'contract/removed', Buffer.from('x'));
    await store.remove('contract/removed');
    assert.equal(await store.size('contract/removed'), null);
  });

  it('lists what lies directly in a folder, whole objects only', async () => {
    const store = open();
    const listed = async (folder: string): Promise<string[]> => {
      const keys: string[] = [];
      for await (const key of store.list(folder)) keys.push(key);
      return keys.sort();
    };
    assert.deepEqual(await listed('contract/listed'), []);
    for (const key of ['a', 'b', 'below/c']) await put(store, `contract/listed/${key}`, Buffer.from(key));
    await put(store, 'contract/listed-not/d', Buffer.from('d'));
    const writer = await store.write('contract/listed/open');
    await writer.write(Buffer.from('x'));
    assert.deepEqual(await listed('contract/listed'), ['contract/listed/a', 'contract/listed/b']);
    await writer.abort();
    await store.remove('contract/listed/a');
    assert.deepEqual(await listed('contract/listed'), ['contract/listed/b']);
  });

  it('refuses keys that could leave its root or that the hub does not make', async () => {
    const store = open();
    const bad = [
      '',
      '/etc/passwd',
      '../x',
      'a/../b',
      'a//b',
      'a/',
      'A',
      'a b',
      'a\\b',
      'a\0b',
      '.hidden',
      'a/.b',
      'é',
      'a..b',
      `${'a/'.repeat(300)}b`,
    ];
    for (const key of bad) {
      await assert.rejects(store.write(key), /not an object key/, key);
      await assert.rejects(store.read(key), /not an object key/, key);
      await assert.rejects(store.readAll(key), /not an object key/, key);
      await assert.rejects(store.size(key), /not an object key/, key);
      await assert.rejects(store.remove(key), /not an object key/, key);
    }
  });

  it('closes a stream that its reader leaves', async () => {
    const store = open();
    await put(store, 'contract/left.bin', randomBytes(4_000_000));
    const stream = await store.read('contract/left.bin');
    for await (const chunk of stream) {
      assert.ok((chunk as Buffer).length > 0);
      break;
    }
    assert.equal(stream.destroyed, true);
  });

  it('takes many writers at once', async () => {
    const store = open();
    const bytes = randomBytes(300_000);
    const keys = Array.from({ length: 24 }, (_, at) => `contract/many/${String(at % 3)}/${String(at)}.dcm`);
    await Promise.all(keys.map((key) => put(store, key, bytes)));
    for (const key of keys) assert.ok((await store.readAll(key)).equals(bytes), key);
  });

  it('answers its check', async () => {
    await open().check();
  });
}
