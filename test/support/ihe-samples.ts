/**
 * The samples of other implementers ($HUB_TEST_DATA/ihe), each under the verdict that the tables beside this file claim
 * for it. Every test of samples takes a folder's files here, so that a file nobody judged fails the test.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLAIMS, type Claim } from './ihe-claims.ts';

const root = join(process.env.HUB_TEST_DATA ?? '/nowhere', 'ihe');

export const noIheSamples: string | false = existsSync(root) ? false : 'HUB_TEST_DATA is unset or has no ihe';

export interface Sample extends Pick<Claim, 'verdict' | 'why'> {
  /** Path inside the folder. */
  readonly name: string;
  readonly path: string;
  readonly bytes: () => Buffer;
  readonly text: () => string;
}

/** Folders of samples; files beside them say where the samples come from. */
export const sampleFolders = (): readonly string[] =>
  readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

/** All files of a folder; without test data none. */
export function iheSamples(folder: string): readonly Sample[] {
  if (noIheSamples !== false) return [];
  const claims = CLAIMS[folder]?.claims ?? [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => {
      const name = path.slice(join(root, folder).length + 1);
      const mine = claims.filter(({ files }) => files.test(name));
      assert.equal(mine.length, 1, `${folder}/${name} needs one claim, and has ${String(mine.length)}`);
      const { verdict, why } = mine[0] ?? assert.fail();
      return { name, path, verdict, why, bytes: () => readFileSync(path), text: () => readFileSync(path, 'utf8') };
    });
}
