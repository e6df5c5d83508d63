/** Validation against the published XDS schemas by xmllint; they stand beside the test data, never in the project. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const data = process.env.HUB_TEST_DATA ?? '';
const schemas = process.env.HUB_TEST_SCHEMA ?? (data === '' ? '' : join(data, '../schema'));
const driver = join(schemas, 'soap-xds-all.xsd');

/** Why nothing can be validated here; false: it can. */
export const noSchemas: string | false =
  schemas === '' || !existsSync(driver)
    ? 'HUB_TEST_SCHEMA is unset and no schema folder stands beside HUB_TEST_DATA'
    : spawnSync('xmllint', ['--version']).error
      ? 'xmllint is not installed'
      : false;

/** Empty where the envelope (or a bare body element) is valid. An xop:Include is no base64Binary: it is blanked. */
export function invalid(message: string | Buffer, schema = driver): string {
  const infoset = message.toString().replace(/<xop:Include\b[^>]*\/>/g, '');
  const run = spawnSync('xmllint', ['--nonet', '--noout', '--schema', schema, '-'], {
    input: infoset,
    encoding: 'utf8',
  });
  return run.status === 0 ? '' : run.stderr;
}

export const schemaFile = (name: string): string => join(schemas, name);
