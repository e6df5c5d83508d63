/** The S3 store against a local S3 service: the common contract, and what only a service can do wrong. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openObjectStore } from '../../hub/archive/object-store.ts';
import type { OpenedObjectStore } from '../../hub/archive/object-store.ts';
import { Failure } from '../../hub/core/problem.ts';
import { objectStoreContract } from './archive-object-store.ts';

interface Peer {
  run(): Promise<{ port: number }>;
  close(): Promise<void>;
}
type PeerClass = new (options: object) => Peer;

describe('object store on S3', () => {
  let root = '';
  let peer: Peer;
  let store: OpenedObjectStore;
  let port = 0;
  const open = (bucket: string, at = port): OpenedObjectStore =>
    openObjectStore(`s3://${bucket}?endpoint=http://127.0.0.1:${String(at)}&prefix=hub`, root, {
      credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    });
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'hutong-s3-'));
    const S3rver = createRequire(import.meta.url)('s3rver') as PeerClass;
    peer = new S3rver({
      address: '127.0.0.1',
      port: 0,
      silent: true,
      directory: root,
      configureBuckets: [{ name: 'images' }],
    });
    ({ port } = await peer.run());
    store = open('images');
  });
  after(async () => {
    await store.close();
    await peer.close();
    await rm(root, { recursive: true, force: true });
  });

  objectStoreContract(() => store);

  it('tells a bucket that is not there, and a service that does not answer, as unavailable', async () => {
    const unavailable = (error: unknown): boolean => error instanceof Failure && error.problem.code === 'unavailable';
    const missing = open('no-such-bucket');
    await assert.rejects(missing.check(), unavailable);
    await missing.close();
    const silent = open('images', 9);
    const writer = await silent.write('a/b');
    await writer.write(Buffer.from('x'));
    await assert.rejects(writer.commit(), unavailable);
    await silent.close();
  });

  it('refuses a place it cannot read, in words that name what it takes', () => {
    for (const url of [
      'ftp://x',
      's3://',
      's3://Bad_Bucket',
      's3://ok-bucket?endpoint=127.0.0.1',
      's3://ok-bucket?prefix=%00',
      'file:',
    ]) {
      assert.throws(() => openObjectStore(url, root), /takes file:\/path or s3:/, url);
    }
  });
});
