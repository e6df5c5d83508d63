/** `npm run check`: everything that is told without running the hub; one line for each, and in full what failed. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ROOMS = ['hub', 'adapters', 'mappings', 'openapi', 'fhir-profiles', 'test'];

/** A check is a program of node_modules/.bin and its arguments; each row runs at once, the rows after each other. */
const CHECKS: readonly (readonly (readonly [name: string, command: readonly string[]])[])[] = [
  [
    ['types', ['node_modules/typescript/bin/tsc', '-p', '.']],
    ['types of the portal', ['node_modules/typescript/bin/tsc', '-p', 'hub/portal']],
    ['types of the viewer', ['node_modules/typescript/bin/tsc', '-p', 'hub/viewer/client']],
    ['format', ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.']],
  ],
  [
    ['lint', ['node_modules/eslint/bin/eslint.js', '.']],
    [
      'walls',
      ['node_modules/dependency-cruiser/bin/dependency-cruise.mjs', '--config', '.dependency-cruiser.cjs', ...ROOMS],
    ],
  ],
  [
    ['dead code', ['node_modules/knip/bin/knip.js', '--no-progress']],
    ['generated files', ['--import', 'tsx', 'test/generate.ts', '--check']],
  ],
];

function run(name: string, command: readonly string[]): Promise<boolean> {
  const began = Date.now();
  return new Promise((done) => {
    const child = spawn(process.execPath, [...command], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-200_000);
      });
    child.once('close', (code) => {
      const seconds = ((Date.now() - began) / 1_000).toFixed(1);
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
      if (code !== 0) console.log(output.replace(/^/gm, '  | '));
      done(code === 0);
    });
  });
}

let failed = 0;
for (const row of CHECKS) {
  const results = await Promise.all(row.map(([name, command]) => run(name, command)));
  failed += results.filter((good) => !good).length;
}
console.log(failed === 0 ? 'all checks hold' : `${failed} of the checks failed`);
process.exitCode = failed === 0 ? 0 : 1;
