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
/** Where the hub serves it; the prebuilt assets expect the origin's root, which is the portal's. */
const MOUNT = '/viewer/';

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

const PUBLIC_PATH: Patch = { from: '__webpack_require__.p = "/";', to: `__webpack_require__.p = "${MOUNT}";` };

/** By file of `dist`: each `from` stands in it once; `sha256` is of the file after the changes. */
const PATCHES: Readonly<Record<string, { readonly patches: readonly Patch[]; readonly sha256: string }>> = {
  'app.bundle.0f6159c501addfe9.js': {
    patches: [PUBLIC_PATH, ...LEFT_OUT.map((from) => ({ from, to: '' }))],
    sha256: '7e3309fa6d2397300704a901d5c48fbe18ab97b70f8f1eb3e5f972bcc9e3d3bb',
  },
  'app.bundle.css': { patches: [], sha256: 'd07728d4e78ac597c22a68271e0ac6330a3c3a63091a4bbeffc6fe5e0007c635' },
  '136.bundle.b948da0438a0a660.js': { patches: [PUBLIC_PATH], sha256: '7f92832e2aa6cc3a3bc49fefc59637bd9fcd4687432b028afb18b9ba6a2dc1b0' },
  '2299.bundle.2375af8b16a1702e.js': { patches: [PUBLIC_PATH], sha256: '546725bc4c74317ca45d814b8987a8e602582da779f672a090329ba6945e0482' },
  '8097.bundle.8ae6404ba94890a0.js': { patches: [PUBLIC_PATH], sha256: 'e1abd07d575d2f40730faaded7d7f2e657eebfca5df39be64b00478515aafa4a' },
  'compute.bundle.0fc3a3ee85296cf2.js': { patches: [PUBLIC_PATH], sha256: '1ad516851e22fe48a4e97fc4440f4705ecbe23525fa0c18a87cece049a7a0098' },
  'histogram-worker.bundle.ec5f0cf05ce3909c.js': { patches: [PUBLIC_PATH], sha256: 'ace68a28a201aee9983ec6903930251ba28edd34582202b84b062ebcd24f2f94' },
  'interpolation.bundle.fa54018d8628f8c0.js': { patches: [PUBLIC_PATH], sha256: '41590a956fdd6004e6638a0edb3ec5095cabb8f76c0c7354dd1dedd4200ecd0c' },
  'polySeg.bundle.2c5892e4c5a6bdd5.js': { patches: [PUBLIC_PATH], sha256: '26073fecd70bbfe9a437e24b20a786a65ea4ac22f01a8f0922a391b327829bfc' },
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
