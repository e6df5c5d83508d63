/** Used assertions on PostgreSQL: the primary key decides between two that come at once, in whatever processes. */
import type { AssertionLedger } from '../core/assertion.ts';
import type { Database } from './database.ts';

/** Clocks of the processes may differ by minutes; a row is kept so much longer than it is needed. */
const KEEP = '1 hour';
/** Each use also clears some of what has expired, so the table stays as small as the assertions that still hold. */
const PRUNED = 100;

const USE = `
with expired as (
  select key from assertion_use where until < now() - interval '${KEEP}' and key <> $1
  order by until limit ${String(PRUNED)} for update skip locked
), gone as (
  delete from assertion_use using expired where assertion_use.key = expired.key
)
insert into assertion_use (key, until) values ($1, $2) on conflict (key) do nothing`;

export function createAssertionLedger(database: Database): AssertionLedger {
  return {
    async firstUse(key, until) {
      const { rowCount } = await database.pool.query({ name: 'assertion-use', text: USE, values: [key, until] });
      return rowCount === 1;
    },
  };
}
