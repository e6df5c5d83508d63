/** Sealed stores over files and over a bucket, by either cipher: the common contract; and that no byte lies in clear. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openObjectStore, type OpenedObjectStore } from '../../hub/archive/object-store.ts';
import { SEAL_ALGORITHMS, type SealAlgorithm } from '../../hub/core/sealing.ts';
import { TestKeys } from '../support/data-keys.ts';
import { objectStoreContract, put } from './archive-object-store.ts';

interface Peer {
  run(): Promise<{ port: number }>;
  close(): Promise<void>;
}
type PeerClass = new (options: object) => Peer;

/** A reserved name that was given up meanwhile. */
function gone(error: unknown): Buffer {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
  throw error;
}

async function bytesUnder(root: string): Promise<Buffer> {
  const all: Buffer[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) all.push(await readFile(join(entry.parentPath, entry.name)).catch(gone));
  return Buffer.concat(all);
}

for (const cipher of [...SEAL_ALGORITHMS, null]) {
  const broken: string[] = [];
  const sealing = (by: SealAlgorithm | null): { sealing: object } & Parameters<typeof openObjectStore>[2] => ({
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    sealing: { keys: new TestKeys(), cipher: by, broken: (key, why) => broken.push(`${key} ${why}`) },
  });

  describe(`object store on files, ${cipher ?? 'in clear with keys at hand'}`, () => {
    let root = '';
    let store: OpenedObjectStore;
    before(async () => {
      root = await mkdtemp(join(tmpdir(), 'hutong-sealed-'));
      store = openObjectStore(`file:${root}`, root, sealing(cipher));
    });
    after(async () => {
      await store.close();
      await rm(root, { recursive: true, force: true });
    });

    objectStoreContract(() => store);

    it('reads into memory of the caller what it wrote', async () => {
      const bytes = randomBytes(2_500_000);
      await put(store, 'contract/into.bin', bytes);
      for (const [start, length] of [
        [0, 10],
        [65_530, 1_048_576],
        [2_499_990, 100],
        [2_500_000, 5],
        [3_000_000, 5],
      ] as const) {
        const into = Buffer.alloc(length);
        const got = await store.readInto?.('contract/into.bin', into, start);
        const expected = bytes.subarray(start, start + length);
        assert.equal(got, expected.length);
        assert.ok(into.subarray(0, got).equals(expected));
      }
      await assert.rejects(store.readInto?.('contract/absent', Buffer.alloc(5), 0) ?? Promise.resolve());
    });

    it('digests the object as it was before it was sealed', async () => {
      for (const size of [10, 65_536, 1_048_000, 1_048_576, 1_048_577]) {
        const bytes = randomBytes(size);
        const { writer, digest, filed } = await store.writeFresh('contract/digest', '.dcm');
        for (let at = 0; at < size; at += 70_001) await writer.write(bytes.subarray(at, at + 70_001));
        await writer.commit();
        const told = (await digest?.(7)) ?? null;
        // Where objects lie in clear, only what took a reserved name was kept to be hashed.
        if (cipher !== null) assert.equal(told === null, size > 1_048_576, String(size));
        if (told !== null) assert.equal(told, createHash('sha256').update(bytes.subarray(7)).digest('hex'));
        filed();
      }
    });

    if (cipher !== null)
      it('keeps nothing in clear, not even what is on its way', async () => {
        const marked = Buffer.alloc(3_000_000, 'Zhang^San=张^三 210102199001011239 ');
        const { writer } = await store.writeFresh('contract/clear', '.dcm');
        await writer.write(marked);
        await put(store, 'contract/small.bin', marked.subarray(0, 5_000));
        const bytes = await bytesUnder(root);
        assert.ok(bytes.length > 2_000_000);
        for (const word of ['Zhang^San', '张^三', '210102199001011239']) assert.equal(bytes.indexOf(word), -1);
        await writer.abort();
      });

    if (cipher !== null)
      it('refuses what lies in clear where it is told to, in place of a sealed object or beside none', async () => {
        const clear = openObjectStore(`file:${root}`, root, sealing(null));
        const strict = openObjectStore(`file:${root}`, root, {
          sealing: {
            keys: new TestKeys(),
            cipher,
            readsClear: false,
            broken: (key, why) => refused.push(`${key} ${why}`),
          },
        });
        const refused: string[] = [];
        await put(store, 'contract/own.bin', Buffer.from('sealed'));
        await put(clear, 'contract/swapped.bin', Buffer.from('swapped'));
        assert.equal((await store.readAll('contract/swapped.bin')).toString(), 'swapped', 'by default it is read');
        for (const read of [
          () => strict.readAll('contract/swapped.bin'),
          () => strict.read('contract/swapped.bin'),
          () => strict.size('contract/swapped.bin'),
          () => strict.readInto?.('contract/swapped.bin', Buffer.alloc(4), 0) ?? Promise.resolve(0),
        ])
          await assert.rejects(read, /lies in clear, where none may/);
        assert.deepEqual(refused, Array<string>(4).fill('contract/swapped.bin clear'));
        // Who puts one in clear beside the sealed one reaches nothing.
        await put(clear, 'contract/own.bin', Buffer.from('another'));
        assert.equal((await strict.readAll('contract/own.bin')).toString(), 'sealed');
        assert.equal(await strict.size('contract/absent.bin'), null);
        await put(strict, 'contract/swapped.bin', Buffer.from('sealed anew'));
        assert.equal((await strict.readAll('contract/swapped.bin')).toString(), 'sealed anew');
        for (const key of ['contract/own.bin', 'contract/swapped.bin']) await strict.remove(key);
        await strict.close();
        await clear.close();
      });

    it('told of no broken object', () => {
      assert.deepEqual(broken, []);
    });
  });

  describe(`object store on S3, ${cipher ?? 'in clear with keys at hand'}`, () => {
    let root = '';
    let peer: Peer;
    let store: OpenedObjectStore;
    before(async () => {
      root = await mkdtemp(join(tmpdir(), 'hutong-s3-sealed-'));
      const S3rver = createRequire(import.meta.url)('s3rver') as PeerClass;
      const configureBuckets = [{ name: 'images' }];
      peer = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: root, configureBuckets });
      const { port } = await peer.run();
      store = openObjectStore(
        `s3://images?endpoint=http://127.0.0.1:${String(port)}&prefix=hub`,
        root,
        sealing(cipher),
      );
    });
    after(async () => {
      await store.close();
      await peer.close();
      await rm(root, { recursive: true, force: true });
    });

    objectStoreContract(() => store);

    if (cipher !== null)
      it('sends nothing in clear', async () => {
        const marked = Buffer.alloc(9_000_000, 'Zhang^San=张^三 210102199001011239 ');
        await put(store, 'contract/clear.bin', marked);
        const bytes = await bytesUnder(root);
        assert.ok(bytes.length > 9_000_000);
        assert.equal(bytes.indexOf('Zhang^San'), -1);
      });
  });
}
