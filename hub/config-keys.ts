/** HUB_MASTER_KEY*, HUB_KMS_* and HUB_SEAL_ALGORITHM: under which master key what lies at rest is sealed, and how. */
import { resolve } from 'node:path';
import { SEAL_ALGORITHMS, type SealAlgorithm } from './core/sealing.ts';

export type MasterKeyConfig =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'kms';
      readonly url: string;
      /** Which of its keys. */
      readonly key: string;
      readonly token: string | null;
      readonly ca: string | null;
      readonly identity: { readonly cert: string; readonly key: string } | null;
    };

export interface KeysConfig {
  /** null: a file that the hub makes in its data directory. */
  readonly master: MasterKeyConfig | null;
  /** Of before a rewrap: unwraps, and wraps nothing. */
  readonly former: MasterKeyConfig | null;
  /** Of the file that is made where no master key is set. */
  readonly ownPath: string;
  readonly algorithm: 'aes-256-gcm' | 'sm4-ctr-hmac-sm3';
  /**
   * With what images and documents are sealed; null: they are stored in clear, and sealed ones stay readable. By default
   * where a master key is given: one that the hub made beside its data would guard nothing for a third of the speed.
   */
  readonly objectCipher: SealAlgorithm | null;
  /** Whether an object that lies in clear is read; not where somebody could have put it in place of a sealed one. */
  readonly readsClearObjects: boolean;
}

/** As much of the reader of the environment as is needed here. */
interface Reads {
  text(name: string): string | null;
  fail(name: string, takes: string): never;
  url(name: string, protocols: readonly string[], takes: string): string | null;
}

const isHere = (hostname: string): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(hostname);

function readKms(read: Reads, url: string, key: string): MasterKeyConfig {
  const { protocol, hostname, username } = new URL(url);
  if ((protocol === 'http:' && !isHere(hostname)) || username !== '')
    read.fail('HUB_KMS_URL', 'https://host[:port]/path without a user; http: to this machine only');
  const [ca, cert, own] = ['HUB_KMS_CA', 'HUB_KMS_CERT', 'HUB_KMS_CLIENT_KEY'].map((name) => read.text(name));
  if ((cert === null) !== (own === null))
    read.fail('HUB_KMS_CERT', 'the path of a PEM certificate together with HUB_KMS_CLIENT_KEY');
  return Object.freeze({
    kind: 'kms',
    url: url.replace(/\/$/, ''),
    key,
    token: read.text('HUB_KMS_TOKEN'),
    ca: ca ? resolve(ca) : null,
    identity: cert && own ? { cert: resolve(cert), key: resolve(own) } : null,
  });
}

export function readKeys(read: Reads, dataDir: string): KeysConfig {
  const kms = read.url('HUB_KMS_URL', ['https:', 'http:'], 'https://host[:port]/path of a key management service');
  const of = (file: string, text: string, kmsKey: string | null): MasterKeyConfig | null => {
    const [path, word] = [read.text(file), read.text(text)];
    const asked = kms === null || kmsKey === null ? null : readKms(read, kms, kmsKey);
    const given = [path, word, asked].filter((one) => one !== null);
    if (given.length > 1) read.fail(file, `the path of a master key where neither ${text} nor a KMS is set`);
    if (path !== null) return { kind: 'file', path: resolve(path) };
    return word === null ? asked : { kind: 'text', text: word };
  };
  const algorithm = read.text('HUB_SEAL_ALGORITHM') ?? 'aes-256-gcm';
  if (algorithm !== 'aes-256-gcm' && algorithm !== 'sm4-ctr-hmac-sm3')
    return read.fail('HUB_SEAL_ALGORITHM', 'aes-256-gcm or sm4-ctr-hmac-sm3 (default aes-256-gcm)');
  const master = of('HUB_MASTER_KEY_FILE', 'HUB_MASTER_KEY', read.text('HUB_KMS_KEY') ?? 'hutong');
  const word = read.text('HUB_OBJECT_CIPHER') ?? (master === null ? 'none' : algorithm);
  const objectCipher = word === 'none' ? null : SEAL_ALGORITHMS.find((one) => one === word);
  if (objectCipher === undefined)
    return read.fail(
      'HUB_OBJECT_CIPHER',
      `none or ${SEAL_ALGORITHMS.join(' or ')} (default as HUB_SEAL_ALGORITHM, none without a master key)`,
    );
  const clear = read.text('HUB_CLEAR_OBJECTS') ?? 'read';
  if ((clear !== 'read' && clear !== 'refuse') || (clear === 'refuse' && objectCipher === null))
    return read.fail('HUB_CLEAR_OBJECTS', 'read (default), or refuse where new objects are sealed (HUB_OBJECT_CIPHER)');
  return Object.freeze({
    master,
    former: of('HUB_OLD_MASTER_KEY_FILE', 'HUB_OLD_MASTER_KEY', read.text('HUB_OLD_KMS_KEY')),
    ownPath: resolve(dataDir, 'keys', 'master.key'),
    algorithm,
    objectCipher,
    readsClearObjects: clear === 'read',
  });
}
