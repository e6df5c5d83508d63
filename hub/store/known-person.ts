/** Whom an account asked for by an exact identifier lately: it may be told that a way to their records exists. */
import type { KnownPersons } from '../core/access-ports.ts';
import type { HubId } from '../core/identifier.ts';
import type { Database } from './database.ts';

const KNOWN_HOURS = 12;

export function createKnownPersons(database: Database): KnownPersons {
  const { pool } = database;
  return {
    async note(accountId, persons, at) {
      await pool.query({
        name: 'known-note',
        text: `insert into known_person (account_id, person_id, at) select $1, unnest($2::uuid[]), $3
          on conflict (account_id, person_id) do update set at = excluded.at`,
        values: [accountId, persons, at],
      });
      await pool.query(`delete from known_person where at < $1::timestamptz - interval '2 days'`, [at]);
    },
    async knownTo(accountId, persons, at) {
      const { rows } = await pool.query<{ person_id: HubId }>({
        name: 'known-to',
        text: `select person_id from known_person where account_id = $1 and person_id = any ($2::uuid[])
          and at > $3::timestamptz - make_interval(hours => $4)`,
        values: [accountId, persons, at, KNOWN_HOURS],
      });
      return new Set(rows.map((row) => row.person_id));
    },
  };
}
