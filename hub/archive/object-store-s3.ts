/**
 * The object store on an S3-compatible service. Small objects are one PUT, large ones a multipart upload with two parts in
 * flight; both become visible at once and only when the service says they are kept.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FreshObject, ObjectStore, ObjectWriter } from '../core/ports.ts';
import { Failure, problem } from '../core/problem.ts';
import type { ByteRange, Lying } from './object-store-key.ts';
import {
  checkedKey,
  checkedRange,
  GATHER_LIMIT,
  isObjectKey,
  notThere,
  storeUnavailable,
  tooLargeToGather,
} from './object-store-key.ts';

export interface S3Place {
  readonly bucket: string;
  /** Before every key, with its trailing slash; empty for none. */
  readonly prefix: string;
  readonly region: string;
  /** Of a service that is not AWS. */
  readonly endpoint?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
}

/** S3 takes at most 10,000 parts: at 8 MiB that is 78 GiB an object. */
const PART_BYTES = 8 * 1024 * 1024;
const IN_FLIGHT = 2;

export class S3ObjectStore implements ObjectStore {
  readonly #client: S3Client;
  readonly #place: S3Place;

  constructor(place: S3Place) {
    this.#place = place;
    const { region, endpoint, accessKeyId, secretAccessKey } = place;
    this.#client = new S3Client({
      region,
      // Services other than AWS are reached by path, and many know no trailing checksums.
      forcePathStyle: endpoint !== undefined,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(accessKeyId === undefined || secretAccessKey === undefined
        ? {}
        : { credentials: { accessKeyId, secretAccessKey } }),
    });
  }

  async write(key: string): Promise<ObjectWriter> {
    return new S3Writer(this.#client, this.#at(key));
  }

  async writeFresh(folder: string, suffix: string): Promise<FreshObject> {
    const key = `${folder}/${randomUUID()}${suffix}`;
    return { key, writer: await this.write(key), listed: false, filed: () => undefined };
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    const opened = await this.#get(key, range);
    return Readable.from(opened === null ? [] : flowing(opened.body), { objectMode: false });
  }

  async readAll(key: string, range?: ByteRange): Promise<Buffer> {
    const opened = await this.#get(key, range);
    if (opened === null) return Buffer.alloc(0);
    if (opened.length > GATHER_LIMIT) {
      opened.body.destroy();
      throw tooLargeToGather();
    }
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of opened.body) chunks.push(chunk as Buffer);
    } catch (error) {
      throw serviceFailure(error);
    }
    const bytes = Buffer.concat(chunks);
    if (bytes.length !== opened.length) throw storeUnavailable('An object ended before its size.', null);
    return bytes;
  }

  async *list(folder: string): AsyncGenerator<string> {
    const { Bucket, Key } = this.#at(folder);
    const within = `${Key}/`;
    try {
      for (let after: string | undefined; ;) {
        const page = await this.#client.send(
          new ListObjectsV2Command({
            Bucket,
            Prefix: within,
            Delimiter: '/',
            ...(after === undefined ? {} : { ContinuationToken: after }),
          }),
        );
        for (const { Key: found = '' } of page.Contents ?? [])
          if (found !== within) yield found.slice(this.#place.prefix.length);
        after = page.NextContinuationToken;
        if (after === undefined) return;
      }
    } catch (error) {
      throw serviceFailure(error);
    }
  }

  /** All that lies after `after`, in the order of their keys. */
  async *walk(after: string): AsyncGenerator<Lying> {
    const { bucket: Bucket, prefix: Prefix } = this.#place;
    try {
      for (let start: object = after === '' ? {} : { StartAfter: Prefix + after }; ;) {
        const page = await this.#client.send(new ListObjectsV2Command({ Bucket, Prefix, ...start }));
        for (const { Key = '', Size: size = 0, LastModified: changedAt = new Date() } of page.Contents ?? []) {
          const key = Key.slice(Prefix.length);
          if (isObjectKey(key)) yield { key, size, changedAt };
        }
        if (page.NextContinuationToken === undefined) return;
        start = { ContinuationToken: page.NextContinuationToken };
      }
    } catch (error) {
      throw serviceFailure(error);
    }
  }

  async size(key: string): Promise<number | null> {
    const place = this.#at(key);
    try {
      return (await this.#client.send(new HeadObjectCommand(place))).ContentLength ?? null;
    } catch (error) {
      const failure = serviceFailure(error);
      if (failure.problem.code === 'not-found') return null;
      throw failure;
    }
  }

  async remove(key: string): Promise<void> {
    const place = this.#at(key);
    try {
      await this.#client.send(new DeleteObjectCommand(place));
    } catch (error) {
      const failure = serviceFailure(error);
      if (failure.problem.code !== 'not-found') throw failure;
    }
  }

  async check(): Promise<void> {
    try {
      await this.#client.send(new HeadBucketCommand({ Bucket: this.#place.bucket }));
    } catch (error) {
      const failure = serviceFailure(error);
      if (failure.problem.code === 'not-found')
        throw storeUnavailable('The bucket of the object store does not exist.', error);
      throw failure;
    }
  }

  close(): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#place.bucket, Key: this.#place.prefix + checkedKey(key) };
  }

  /** null: the range holds nothing (RFC 9110 §14.1.2 has no range for that). */
  async #get(key: string, range: ByteRange | undefined): Promise<{ body: Readable; length: number } | null> {
    const place = this.#at(key);
    const wanted = checkedRange(range);
    if (wanted?.end === wanted?.start && wanted !== undefined) {
      if ((await this.size(key)) === null) throw notThere();
      return null;
    }
    const last = wanted?.end === undefined ? '' : String(wanted.end - 1);
    try {
      const answer = await this.#client.send(
        new GetObjectCommand({ ...place, ...(wanted ? { Range: `bytes=${String(wanted.start)}-${last}` } : {}) }),
      );
      if (!(answer.Body instanceof Readable)) throw storeUnavailable('The object store answered without a body.', null);
      return { body: answer.Body, length: answer.ContentLength ?? 0 };
    } catch (error) {
      if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 416) return null;
      throw serviceFailure(error);
    }
  }
}

/** An answer's body does not end its connection when its reader leaves early: this does. */
async function* flowing(body: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) yield chunk as Buffer;
  } catch (error) {
    throw serviceFailure(error);
  } finally {
    body.destroy();
  }
}

interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

class S3Writer implements ObjectWriter {
  readonly #client: S3Client;
  readonly #place: Place;
  #chunks: Buffer[] = [];
  #gathered = 0;
  #size = 0;
  #upload: Promise<string> | null = null;
  readonly #parts: Promise<{ ETag: string | undefined; PartNumber: number }>[] = [];
  #state: 'open' | 'committed' | 'closed' = 'open';

  constructor(client: S3Client, place: Place) {
    this.#client = client;
    this.#place = place;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#state !== 'open') throw new Error('write after the end of an object');
    for (let at = 0; at < chunk.length;) {
      const length = Math.min(chunk.length - at, PART_BYTES - this.#gathered);
      this.#chunks.push(Buffer.from(chunk.subarray(at, at + length)));
      this.#gathered += length;
      this.#size += length;
      at += length;
      if (this.#gathered === PART_BYTES) await this.#sendPart();
    }
  }

  async commit(): Promise<{ readonly size: number }> {
    if (this.#state !== 'open') throw new Error('commit after the end of an object');
    try {
      if (this.#upload === null) {
        await this.#client.send(new PutObjectCommand({ ...this.#place, Body: this.#taken() }));
      } else {
        if (this.#gathered > 0) await this.#sendPart();
        const Parts = await Promise.all(this.#parts);
        const UploadId = await this.#upload;
        await this.#client.send(
          new CompleteMultipartUploadCommand({ ...this.#place, UploadId, MultipartUpload: { Parts } }),
        );
      }
      this.#state = 'committed';
      return { size: this.#size };
    } catch (error) {
      await this.abort();
      throw serviceFailure(error);
    }
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    this.#chunks = [];
    await Promise.allSettled(this.#parts);
    const UploadId = await this.#upload?.catch(() => undefined); // never begun: nothing to take back
    if (UploadId === undefined) return;
    try {
      await this.#client.send(new AbortMultipartUploadCommand({ ...this.#place, UploadId }));
    } catch (error) {
      // Left parts are invisible and fall to the bucket's own rule for unfinished uploads.
      if (!(error instanceof Error)) throw error;
    }
  }

  #taken(): Buffer {
    const body = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#gathered = 0;
    return body;
  }

  async #sendPart(): Promise<void> {
    const Body = this.#taken();
    this.#upload ??= this.#begin();
    const PartNumber = this.#parts.length + 1;
    const part = this.#upload.then(async (UploadId) => {
      const { ETag } = await this.#client.send(new UploadPartCommand({ ...this.#place, UploadId, PartNumber, Body }));
      return { ETag, PartNumber };
    });
    part.catch(() => undefined); // awaited in its turn
    this.#parts.push(part);
    try {
      await this.#parts[this.#parts.length - IN_FLIGHT];
    } catch (error) {
      throw serviceFailure(error);
    }
  }

  async #begin(): Promise<string> {
    const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand(this.#place));
    if (UploadId === undefined)
      throw new Failure(problem('unavailable', undefined, 'The object store began no upload.'));
    return UploadId;
  }
}

function serviceFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof S3ServiceException) {
    if (['NoSuchKey', 'NotFound'].includes(error.name) || error.$metadata.httpStatusCode === 404)
      return notThere(error);
    const status = String(error.$metadata.httpStatusCode ?? '');
    return storeUnavailable(`The object store answered ${error.name} (${status}).`, error);
  }
  return storeUnavailable('The object store cannot be reached.', error);
}
