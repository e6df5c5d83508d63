/** The PostgreSQL server of the tests: an embedded one under var/test-pg that parallel test processes share. */
import { fileURLToPath } from 'node:url';
import type { Log } from '../../hub/core/ports.ts';
import type { EmbeddedPostgres } from '../../hub/store/embedded-postgres.ts';
import { openEmbeddedPostgres } from '../../hub/store/embedded-postgres.ts';

export const TEST_SERVER_DIR = fileURLToPath(new URL('../../var/test-pg', import.meta.url));

export const quiet: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => quiet,
};

/** Raises or joins the shared server; `close` leaves it, and the last one out stops it. */
export function testServer(): Promise<EmbeddedPostgres> {
  return openEmbeddedPostgres({ dir: TEST_SERVER_DIR, log: quiet, durable: false, what: 'tests' });
}
