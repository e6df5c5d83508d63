/** A sealed object gives back any range of what was written in any pieces; whatever is done to its file is told. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { openObjectStore, type OpenedObjectStore } from '../../hub/archive/object-store.ts';
import { CHUNK_BYTES, HEADER_BYTES, SEALED_CHUNK_BYTES } from '../../hub/archive/object-cipher.ts';
import { Failure } from '../../hub/core/problem.ts';
import { SEAL_ALGORITHMS } from '../../hub/core/sealing.ts';
import { gather, put } from '../contract/archive-object-store.ts';
import { TestKeys } from '../support/data-keys.ts';

const told = (error: unknown): boolean =>
  error instanceof Failure && error.problem.code === 'unavailable' && error.problem.text.includes('sealed');

const edges = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 16 * CHUNK_BYTES, 16 * CHUNK_BYTES + 1];
const sizes = fc.oneof(fc.constantFrom(...edges), fc.integer({ min: 0, max: 3_000_000 }));

for (const cipher of SEAL_ALGORITHMS) {
  describe(`sealed objects, ${cipher}`, () => {
    let root = '';
    let store: OpenedObjectStore;
    let broken: string[] = [];
    const keys = new TestKeys();
    const open = (): OpenedObjectStore =>
      openObjectStore(`file:${root}`, root, {
        sealing: { keys, cipher, broken: (key, why) => broken.push(`${key} ${why}`) },
      });
    before(async () => {
      root = await mkdtemp(join(tmpdir(), 'hutong-sealed-'));
      store = open();
    });
    after(async () => {
      await store.close();
      await rm(root, { recursive: true, force: true });
    });
    const fileOf = (key: string): string => join(root, `${key}.sealed`);

    it('gives back any range of any size that came in any pieces', async () => {
      let turn = 0;
      await fc.assert(
        fc.asyncProperty(
          sizes,
          fc.integer({ min: 1, max: 200_000 }),
          fc.array(fc.tuple(sizes, sizes), { minLength: 1, maxLength: 4 }),
          fc.boolean(),
          async (size, piece, ranges, fresh) => {
            const key = `property/${String(turn++)}`;
            const bytes = randomBytes(size);
            assert.equal(await put(store, key, bytes, piece), size);
            const from = fresh ? open() : store; // with and without a header that is kept
            assert.equal(await from.size(key), size);
            for (const [a, b] of ranges) {
              const range = { start: Math.min(a, b), end: Math.max(a, b) };
              const expected = bytes.subarray(range.start, range.end);
              assert.ok((await from.readAll(key, range)).equals(expected));
              assert.ok((await gather(await from.read(key, range))).equals(expected));
              const into = Buffer.alloc(range.end - range.start);
              assert.equal(await from.readInto?.(key, into, range.start), expected.length);
              assert.ok(into.subarray(0, expected.length).equals(expected));
            }
            if (fresh) await from.close();
            await store.remove(key);
          },
        ),
        { numRuns: cipher === 'aes-256-gcm' ? 60 : 15 },
      );
      assert.deepEqual(broken, []);
    });

    /** Every way to read the object tells; also of a store that kept the header of before. */
    async function isTold(key: string): Promise<void> {
      broken = [];
      const anew = open();
      for (const from of [store, anew]) {
        await assert.rejects(from.readAll(key), told);
        await assert.rejects(
          from.read(key).then((stream) => gather(stream)),
          told,
        );
        await assert.rejects(from.readInto?.(key, Buffer.alloc(400_000), 0) ?? Promise.resolve(), told);
      }
      await anew.close();
      assert.deepEqual(broken, Array<string>(6).fill(`${key} changed`));
    }

    async function made(key: string, size: number): Promise<Buffer> {
      await put(store, key, randomBytes(size));
      await store.readAll(key);
      return readFile(fileOf(key));
    }

    it('tells any flipped bit', async () => {
      const file = await made('flip/one', 150_000);
      const places = fc.integer({ min: 0, max: file.length * 8 - 1 });
      await fc.assert(
        fc.asyncProperty(places, async (bit) => {
          const bytes = Buffer.from(file);
          bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
          await writeFile(fileOf('flip/one'), bytes);
          const anew = open();
          await assert.rejects(anew.readAll('flip/one'), told);
          await anew.close();
        }),
        { numRuns: 60, examples: [[0], [16 * 8], [20 * 8 + 7], [HEADER_BYTES * 8], [file.length * 8 - 1]] },
      );
      await writeFile(fileOf('flip/one'), Buffer.from(file).fill(file.readUInt8(100_000) ^ 1, 100_000, 100_001));
      await isTold('flip/one');
      assert.ok((await store.readAll('flip/one', { start: 0, end: CHUNK_BYTES })).length > 0, 'chunks before it stand');
    });

    it('tells an object that was cut, wherever', async () => {
      const file = await made('cut/one', 3 * CHUNK_BYTES);
      const ends = [1, 2].map((chunks) => HEADER_BYTES + chunks * SEALED_CHUNK_BYTES);
      for (const length of [...ends, 0, 10, HEADER_BYTES, HEADER_BYTES + 16, HEADER_BYTES + 20, file.length - 1]) {
        await writeFile(fileOf('cut/one'), file);
        await store.readAll('cut/one');
        await truncate(fileOf('cut/one'), length);
        await isTold('cut/one');
      }
    });

    it('tells chunks in another order, repeated, or of another object', async () => {
      const file = await made('order/one', 3 * CHUNK_BYTES + 5);
      const other = await made('order/other', 3 * CHUNK_BYTES + 5);
      const chunk = (of: Buffer, at: number): Buffer =>
        of.subarray(HEADER_BYTES + at * SEALED_CHUNK_BYTES, HEADER_BYTES + (at + 1) * SEALED_CHUNK_BYTES);
      const head = file.subarray(0, HEADER_BYTES);
      for (const chunks of [
        [chunk(file, 1), chunk(file, 0), chunk(file, 2), chunk(file, 3)],
        [chunk(file, 0), chunk(file, 0), chunk(file, 2), chunk(file, 3)],
        [chunk(file, 0), chunk(other, 1), chunk(file, 2), chunk(file, 3)],
        [chunk(file, 0), chunk(file, 1), chunk(file, 2), chunk(file, 2), chunk(file, 3)],
      ]) {
        await writeFile(fileOf('order/one'), Buffer.concat([head, ...chunks]));
        await isTold('order/one');
      }
    });

    it('tells an object under the name of another, and an empty one in place of another', async () => {
      await made('swap/one', 100_000);
      await made('swap/two', 100_000);
      await made('swap/empty', 0);
      await copyFile(fileOf('swap/two'), fileOf('swap/one'));
      await isTold('swap/one');
      await rename(fileOf('swap/empty'), fileOf('swap/two'));
      assert.equal((await stat(fileOf('swap/two'))).size, HEADER_BYTES + 16);
      await isTold('swap/two');
    });

    it('tells an object whose data key is not at hand', async () => {
      await made('key/one', 100);
      const elsewhere = new TestKeys([2]);
      elsewhere.use(2);
      const heard: string[] = [];
      const stranger = openObjectStore(`file:${root}`, root, {
        sealing: { keys: elsewhere, cipher, broken: (key, why) => heard.push(`${key} ${why}`) },
      });
      await assert.rejects(stranger.readAll('key/one'), told);
      assert.deepEqual(heard, ['key/one key']);
      await stranger.close();
    });

    it('never writes the same object the same way twice', async () => {
      const bytes = randomBytes(70_000);
      const files: string[] = [];
      for (const key of ['twice/one', 'twice/two', 'twice/one']) {
        await put(store, key, bytes);
        const file = await readFile(fileOf(key));
        files.push(createHash('sha256').update(file.subarray(HEADER_BYTES)).digest('hex'));
        assert.ok((await store.readAll(key)).equals(bytes), 'also where a header of before is kept');
      }
      assert.equal(new Set(files).size, 3);
    });
  });
}
