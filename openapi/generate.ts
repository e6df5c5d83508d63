/**
 * Makes openapi/generated/hub.ts, the types of every operation, out of hub.yaml, and roles.md, who may do what; `npm run
 * check` sees that they agree.
 */
import { writeFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';
import { format } from 'prettier';
import { rolesPage } from './roles.ts';

const SOURCE = new URL('./hub.yaml', import.meta.url);
const ROLES_PAGE = new URL('./roles.md', import.meta.url);
const TARGET = new URL('./generated/hub.ts', import.meta.url);
const HEADER =
  '/** Generated from openapi/hub.yaml by openapi/generate.ts: change that file, then `npm run generate`. */\n';

/** File path -> the content it must have. */
export async function generated(): Promise<ReadonlyMap<string, string>> {
  const types = HEADER + astToString(await openapiTS(SOURCE, { alphabetize: false, immutable: true }));
  const text = await format(types, { parser: 'typescript', printWidth: 120, singleQuote: true, trailingComma: 'all' });
  const roles = await format(rolesPage(), { parser: 'markdown', proseWrap: 'preserve' });
  return new Map([
    [fileURLToPath(TARGET), text],
    [fileURLToPath(ROLES_PAGE), roles],
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of await generated()) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}
