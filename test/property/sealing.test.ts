/** Sealed values under random bytes, contexts and both algorithms: what was sealed opens there and nowhere else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MasterKeyFault, SEAL_ALGORITHMS, SealBroken } from '../../hub/core/sealing.ts';
import { fieldCipher } from '../../hub/security/field-cipher.ts';
import { memoryDataKeys, testKeyring, testWrapper } from '../support/keyring.ts';

const bytes = fc.uint8Array({ maxLength: 300 });
const context = fc.string({ maxLength: 60 });

describe('sealed values', () => {
  it('are those of the XAES-256-GCM specification (C2SP, appendix)', () => {
    const vectors = [
      [1, '', 'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271'],
      [3, 'c2sp.org/XAES-256-GCM', '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d'],
    ] as const;
    for (const [fill, aad, sealed] of vectors) {
      const nonce = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWX');
      const cipher = fieldCipher('aes-256-gcm', Buffer.alloc(32, fill));
      const plain = cipher.decrypt(Buffer.concat([nonce, Buffer.from(sealed, 'hex')]), Buffer.from(aad));
      assert.equal(plain?.toString(), 'XAES-256-GCM');
    }
  });

  for (const algorithm of SEAL_ALGORITHMS) {
    it(`open where they were sealed for, whole, and nowhere else (${algorithm})`, async () => {
      const ring = await testKeyring(memoryDataKeys(), { algorithm });
      const other = await testKeyring(memoryDataKeys(), { algorithm });
      fc.assert(
        fc.property(
          bytes,
          context,
          context,
          fc.nat(),
          fc.integer({ min: 1, max: 255 }),
          (plain, at, elsewhere, where, flip) => {
            const sealed = ring.fields.seal(plain, at);
            assert.ok(ring.fields.isSealed(sealed) && ring.fields.isCurrent(sealed));
            assert.deepEqual(ring.fields.open(sealed, at), Buffer.from(plain));
            assert.notDeepEqual(ring.fields.seal(plain, at), sealed, 'the same twice would tell that two are equal');
            if (at !== elsewhere) assert.throws(() => ring.fields.open(sealed, elsewhere), SealBroken);
            assert.throws(() => other.fields.open(sealed, at), SealBroken);
            const bent = Buffer.from(sealed);
            bent[where % bent.length] = (bent[where % bent.length] ?? 0) ^ flip;
            assert.ok(!ring.fields.isSealed(bent) || throwsBroken(() => ring.fields.open(bent, at)));
            assert.throws(() => ring.fields.open(sealed.subarray(0, where % sealed.length), at), SealBroken);
          },
        ),
        { numRuns: 300 },
      );
      ring.close();
      other.close();
    });
  }
});

function throwsBroken(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch (error) {
    return error instanceof SealBroken;
  }
}

describe('a keyring', () => {
  it('opens what earlier keys sealed, of either algorithm, and seals by the newest', async () => {
    const store = memoryDataKeys();
    const ring = await testKeyring(store);
    const first = ring.fields.seal(Buffer.from('one'), 'a');
    const other = await testKeyring(store, { algorithm: 'sm4-ctr-hmac-sm3' });
    await other.rotate(0);
    await ring.refresh();
    const second = ring.fields.seal(Buffer.from('two'), 'b');
    assert.ok(!ring.fields.isCurrent(first) && ring.fields.isCurrent(second));
    assert.equal(second.readUInt8(3), 2, 'SM4');
    assert.equal(other.fields.open(first, 'a').toString(), 'one');
    assert.equal(other.fields.open(second, 'b').toString(), 'two');
    ring.close();
    other.close();
  });

  it('seals by a new key only when every process had the time to read it', async () => {
    const ring = await testKeyring();
    await ring.rotate();
    assert.deepEqual(
      ring.status().keys.map(({ current }) => current),
      [true, false],
    );
    ring.close();
  });

  it('refuses another master key and changes nothing, and moves to it by a rewrap', async () => {
    const store = memoryDataKeys();
    const ring = await testKeyring(store);
    const sealed = ring.fields.seal(Buffer.from('kept'), 'a');
    const before = [...store.rows];
    const next = testWrapper('the next');
    await assert.rejects(testKeyring(store, { wrappers: [next] }), (error) => {
      assert.ok(error instanceof MasterKeyFault);
      assert.match(error.message, /^the master key at hand is local:[0-9a-f]{16}, but this database is sealed under/);
      assert.ok(!error.message.includes('\n'));
      return true;
    });
    assert.deepEqual(store.rows, before);
    const moving = await testKeyring(store, { wrappers: [next, testWrapper()] });
    assert.equal(await moving.rewrap(), 1);
    const moved = await testKeyring(store, { wrappers: [next] });
    assert.equal(moved.fields.open(sealed, 'a').toString(), 'kept');
    await assert.rejects(testKeyring(store), MasterKeyFault);
    for (const one of [ring, moving, moved]) one.close();
  });

  it('gives each purpose keys of its own', async () => {
    const ring = await testKeyring();
    const [objects, others] = [ring.keysFor('objects'), ring.keysFor('others')];
    assert.equal(objects.current().id, 1);
    assert.ok(objects.byId(1)?.key.equals(objects.current().key));
    assert.ok(!objects.current().key.equals(others.current().key));
    assert.equal(objects.byId(2), null);
    ring.close();
  });

  it('tells a database that held rows in clear before, once, and then that all are sealed', async () => {
    const store = memoryDataKeys(true);
    const ring = await testKeyring(store);
    assert.ok(ring.fields.acceptsClear);
    await ring.markSealed();
    const again = await testKeyring(store);
    assert.ok(!again.fields.acceptsClear);
    for (const one of [ring, again]) one.close();
  });
});
