/**
 * Which build of OHIF is served, what of it, and what is changed in it. The package is pinned by its hash and every change
 * by how often it must fit and by the hash of what comes out: another build cannot slip in unseen.
 */
import { createHash } from 'node:crypto';

export const PACKAGE = '@ohif/app';
export const VERSION = '3.13.2';
/** SHA-512 of the package as it is published, in the form of a lock file. */
export const INTEGRITY =
  'sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA==';
/**
 * Where the hub serves the files; prebuilt they expect the origin's root, which is the portal's. The number is raised with
 * every change below, since browsers keep what they have of this path for good.
 */
export const MOUNT = `/viewer/${VERSION}-1/`;

/** Modes and extensions that no hospital here works with, each the name of a line of `pluginImports.js`. */
const LEFT_OUT = [
  'pluginImports_extensions.push("@ohif/extension-ultrasound-pleura-bline");',
  ...['basic', 'segmentation', 'tmtv', 'microscopy', 'preclinical-4d', 'ultrasound-pleura-bline'].map(
    (mode) => `pluginImports_modes.push("@ohif/mode-${mode}");`,
  ),
];

interface Patch {
  readonly from: string;
  readonly to: string;
}

/**
 * A Chinese name is the ideographic one, written without a comma between its parts; the published code shows the
 * alphabetic one alone (PS3.5 §6.2.1.1). Shown so, and stored as it is.
 */
const NAMES: readonly Patch[] = [
  {
    from: 'let nameToUse = name.Alphabetic ?? name;',
    to: `let nameToUse = name.Ideographic || (name.Alphabetic ?? name);
  if (typeof nameToUse === 'string' && /\\p{Script=Han}/u.test(nameToUse)) return nameToUse.replace(/\\^/g, '').trim();`,
  },
  {
    from: `if (element.Value[0].Alphabetic) {
    return element.Value[0].Alphabetic;`,
    to: `if (element.Value[0].Ideographic || element.Value[0].Alphabetic) {
    return element.Value[0].Ideographic || element.Value[0].Alphabetic;`,
  },
];

const PUBLIC_PATH: Patch = { from: '__webpack_require__.p = "/";', to: `__webpack_require__.p = "${MOUNT}";` };

/** By file of `dist`: each `from` stands in it once; `sha256` is of the file after the changes. */
const PATCHES: Readonly<Record<string, { readonly patches: readonly Patch[]; readonly sha256: string }>> = {
  'app.bundle.0f6159c501addfe9.js': {
    patches: [PUBLIC_PATH, ...NAMES, ...LEFT_OUT.map((from) => ({ from, to: '' }))],
    sha256: '0596e07670653b1d8703a8f9c9e4902f2e4ceda719dcb45fa0c0fd24e3060b4c',
  },
  'app.bundle.css': { patches: [], sha256: 'ec8d5b2940cccb42c74af9b686ca984fbdb7411cebbe428d11e9ea1b4ff7ac19' },
  '136.bundle.b948da0438a0a660.js': {
    patches: [PUBLIC_PATH],
    sha256: '017d665c0a556111172c852c88f97c2a7c9f34a9c9791ef2b8207f41582d513c',
  },
  '2299.bundle.2375af8b16a1702e.js': {
    patches: [PUBLIC_PATH],
    sha256: '4cf06862524ea0e2d3b4306ea38bcc4ccf723dec9e9476a5103ddaee321cf26b',
  },
  '8097.bundle.8ae6404ba94890a0.js': {
    patches: [PUBLIC_PATH],
    sha256: '34ca23016f602b52c5a7ceff529242914d1897cd22363be80e11c7b687de7cec',
  },
  'compute.bundle.0fc3a3ee85296cf2.js': {
    patches: [PUBLIC_PATH],
    sha256: '2527f938a504d2b89bba42ea826874b87ffbb721434fd208b026fd8323a3d460',
  },
  'histogram-worker.bundle.ec5f0cf05ce3909c.js': {
    patches: [PUBLIC_PATH],
    sha256: 'a6e0b4912af33b9e1b45ac68abcd400678d52c3faa645c34f546e260bdbd5737',
  },
  'interpolation.bundle.fa54018d8628f8c0.js': {
    patches: [PUBLIC_PATH],
    sha256: '76e33c93e380c88c772f7a1f1e2a0ab510b3b477880d6a1cd660c449388384bf',
  },
  'polySeg.bundle.2c5892e4c5a6bdd5.js': {
    patches: [PUBLIC_PATH],
    sha256: '007d6318b6cd6866395aed7421b266bcb3bc2e63446e981935c4c2e22eb71e36',
  },
};

/** Files of `dist` that are served: code, styles, codecs, the font, and pictures of volume presets. */
export const isServed = (name: string): boolean =>
  !name.startsWith('dicom-microscopy-viewer/') &&
  (/^[^/]+\.bundle(\.[0-9a-f]+)?\.(js|css)$/.test(name) ||
    /^\d+\.css$/.test(name) ||
    /^[0-9a-f]+\.(wasm|woff2)$/.test(name) ||
    /^assets\/images\/[\w-]+\.png$/.test(name) ||
    name === 'assets/favicon.ico');

/** A file as it is served; throws where it is not the one that the changes were written for. */
export function patched(name: string, bytes: Buffer): Buffer {
  const known = PATCHES[name];
  if (known === undefined) return bytes;
  let text = bytes.toString('utf8');
  for (const { from, to } of known.patches) {
    if (text.split(from).length !== 2) throw new Error(`${name} is not the file that the changes were written for`);
    text = text.replace(from, () => to);
  }
  if (name.endsWith('.css')) text = text.replaceAll('url(/', `url(${MOUNT}`);
  const made = Buffer.from(text);
  const sha256 = createHash('sha256').update(made).digest('hex');
  if (sha256 !== known.sha256) throw new Error(`${name} is not what it must be after the changes: ${sha256}`);
  return made;
}
