/** The DICOM files that others wrote, reached through HUB_TEST_DATA, and the DCMTK tools that the codec is compared with. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const data = process.env['HUB_TEST_DATA'];
export const corpus = data === undefined ? null : join(data, 'dicom');

/** Why tests over the corpus are skipped; false where they run. */
export const noCorpus: string | false =
  corpus !== null && existsSync(join(corpus, 'INDEX.tsv')) ? false : 'HUB_TEST_DATA is not set';

export interface CorpusFile {
  readonly path: string;
  readonly transferSyntax: string;
  /** `dcmdump` read the file. */
  readonly dumps: boolean;
}

export function corpusFiles(): CorpusFile[] {
  const root = corpus ?? '';
  const [head = '', ...rows] = readFileSync(join(root, 'INDEX.tsv'), 'utf8').trim().split('\n');
  const columns = head.split('\t');
  const at = (name: string): number => columns.indexOf(name);
  return rows.map((row) => {
    const cells = row.split('\t');
    return {
      path: join(root, (cells[at('file')] ?? '').replace(/^dicom\//, '')),
      transferSyntax: /1\.2\.840\.10008[\d.]*/.exec(cells[at('transfer_syntax')] ?? '')?.[0] ?? '',
      dumps: cells[at('dcmdump_rc')] === '0',
    };
  });
}

export const corpusFile = (path: string): Buffer => readFileSync(join(corpus ?? '', path));

/** Whether a DCMTK tool is here. In CI an absent peer is a failure, not a reason to skip. */
export function lacks(tool: string): string | false {
  const found = spawnSync(tool, ['--version'], { timeout: 10_000 }).error === undefined;
  if (!found && process.env['CI'] !== undefined) throw new Error(`${tool} (DCMTK) is needed in CI`);
  return found ? false : `${tool} (DCMTK) is not installed`;
}

/** Runs a tool over files; true where it succeeded. */
export function run(tool: string, ...args: string[]): boolean {
  return spawnSync(tool, args, { timeout: 60_000 }).status === 0;
}
