/** Opens the object store that `HUB_OBJECT_STORE` names: files under a folder, or a bucket of an S3-compatible service. */
import { isAbsolute, join, resolve } from 'node:path';
import type { ObjectStore } from '../core/ports.ts';
import { FileObjectStore } from './object-store-file.ts';
import type { S3Place } from './object-store-s3.ts';
import { S3ObjectStore } from './object-store-s3.ts';
import { SealedObjectStore, type Sealing } from './object-store-sealed.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export type OpenedObjectStore = ObjectStore & { close(): Promise<void> };

export interface ObjectStoreOptions {
  /** Stand in where the URL has none. */
  readonly credentials?: S3Credentials;
  /** The process as it is known after a restart: what it stored last is found again under it. */
  readonly owner?: string;
  /** Absent: nothing is sealed, and nothing sealed is found. */
  readonly sealing?: Sealing;
}

/** Throws with one line that says what the variable takes. */
export function openObjectStore(
  url: string | undefined,
  dataDir: string,
  options: ObjectStoreOptions = {},
): OpenedObjectStore {
  const medium = openMedium(url, dataDir, options);
  return options.sealing === undefined ? medium : new SealedObjectStore(medium, options.sealing);
}

/** What lies below: names and bytes as they are on the disk or in the bucket. */
export function openMedium(
  url: string | undefined,
  dataDir: string,
  { credentials, owner }: ObjectStoreOptions = {},
): FileObjectStore | S3ObjectStore {
  if (url === undefined || url === '') return new FileObjectStore(resolve(dataDir, 'objects'), owner);
  if (url.startsWith('file:')) {
    const path = decodeURIComponent(url.slice('file:'.length).replace(/^\/\/(?=\/)/, ''));
    if (path === '') throw notOne();
    return new FileObjectStore(isAbsolute(path) ? path : join(process.cwd(), path), owner);
  }
  if (url.startsWith('s3://')) return new S3ObjectStore(placeOf(url, credentials));
  throw notOne();
}

const notOne = (): Error =>
  new Error('takes file:/path or s3://bucket?endpoint=https://host&region=name&prefix=folder');

function placeOf(text: string, given: S3Credentials | undefined): S3Place {
  const url = URL.parse(text);
  if (url === null || !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname)) throw notOne();
  const parameter = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const folder = (parameter('prefix') ?? url.pathname).replace(/^\/+|\/+$/g, '');
  if (folder !== '' && !/^[A-Za-z0-9._/-]+$/.test(folder)) throw notOne();
  const endpoint = parameter('endpoint');
  if (endpoint !== undefined && !/^https?:\/\//.test(endpoint)) throw notOne();
  const accessKeyId = parameter('accessKeyId') ?? given?.accessKeyId;
  const secretAccessKey = parameter('secretAccessKey') ?? given?.secretAccessKey;
  return {
    bucket: url.hostname,
    prefix: folder === '' ? '' : `${folder}/`,
    region: parameter('region') ?? 'us-east-1',
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId === undefined ? {} : { accessKeyId }),
    ...(secretAccessKey === undefined ? {} : { secretAccessKey }),
  };
}
