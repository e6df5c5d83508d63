/** The FHIR guides of IHE as published packages, read where the test data lies; nothing of them is kept here. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { FhirBody } from '../../hub/core/fhir.ts';
import { addDefinitions } from './fhir-validation.ts';

const data = process.env.HUB_TEST_DATA ?? '';
const schemas = process.env.HUB_TEST_SCHEMA ?? (data === '' ? '' : join(data, '../schema'));
const folder = join(schemas, 'fhir-ig');

export const noGuides: string | false =
  schemas !== '' && existsSync(folder)
    ? false
    : 'HUB_TEST_SCHEMA is unset and no schema folder stands beside HUB_TEST_DATA';
/** Messages of other implementers. */
export const samples = (name: string): string => join(data, 'ihe', name);
export const noSamples: string | false =
  data !== '' && existsSync(samples('MHD')) ? noGuides : 'HUB_TEST_DATA is unset';

export interface GuideFile {
  /** `package/example/Bundle-x.json` */
  readonly path: string;
  readonly resource: FhirBody;
}

/** JSON resources of a package, by the beginning of its name: `ihe.iti.mhd`. */
export function guide(name: string): readonly GuideFile[] {
  const file = readdirSync(folder).find((one) => one.startsWith(name) && one.endsWith('.tgz'));
  if (file === undefined) throw new Error(`there is no package ${name}`);
  return entries(gunzipSync(readFileSync(join(folder, file))))
    .filter(({ path }) => /^package\/(example\/)?[A-Z][^\/]*\.json$/.test(path))
    .map(({ path, bytes }) => ({ path, resource: JSON.parse(bytes.toString('utf8')) as FhirBody }))
    .filter(({ resource }) => typeof resource.resourceType === 'string');
}

/** POSIX ustar: a head of 512 bytes, then the file, padded to 512. */
function entries(tar: Buffer): { path: string; bytes: Buffer }[] {
  const found: { path: string; bytes: Buffer }[] = [];
  const field = (at: number, length: number): string => tar.toString('latin1', at, at + length).replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const size = parseInt(field(at + 124, 12).trim(), 8);
    const prefix = field(at + 345, 155);
    if (field(at + 156, 1) !== '5')
      found.push({
        path: prefix === '' ? field(at, 100) : `${prefix}/${field(at, 100)}`,
        bytes: tar.subarray(at + 512, at + 512 + size),
      });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
}

let known = false;
/** Makes the profiles and extensions of MHD, PDQm and PIXm known to `faultsOf`. */
export function useGuides(): void {
  if (known || noGuides !== false) return;
  known = true;
  for (const name of ['hl7.fhir.uv.extensions.r4', 'ihe.iti.mhd', 'ihe.iti.pdqm', 'ihe.iti.pixm'])
    addDefinitions(
      guide(name)
        .filter(({ path }) => !path.includes('/example/'))
        .map(({ resource }) => resource),
    );
}
