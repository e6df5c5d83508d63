/** Tells the outbox, in the transaction of the decision, whose numbers may have changed for whom; and keeps what was told. */
import type { HubId } from '../core/identifier.ts';
import type { LinkMemory } from '../core/link-notice.ts';
import { vaultOf, type Connection, type Database } from './database.ts';
import { openText, sealText } from './sealed.ts';

/** Messages about one person come in bursts, and a link of several registrations in one. */
const GATHER_MS = 1_000;

/**
 * `moved`: registrations went from one of these persons to another, so that each is news even where one number is left.
 * Whoever has one registration, and was never told of, is nobody's cross-reference.
 */
export async function announceLinks(
  connection: Connection,
  { persons, moved }: { readonly persons: readonly HubId[]; readonly moved: boolean },
  subscribers: readonly string[],
  now: Date,
): Promise<void> {
  if (persons.length === 0 || subscribers.length === 0) return;
  if (moved)
    await connection.query({
      name: 'links-moved',
      text: `insert into link_told (subscriber, person_id)
        select s, p from unnest($1::text[]) s, unnest($2::uuid[]) p order by 1, 2 on conflict do nothing`,
      values: [subscribers, persons],
    });
  await connection.query({
    name: 'links-announce',
    text: `insert into outbox (topic, key, due_at, created_at)
      select 'tell-links', p::text || ' ' || s, $3::timestamptz, $4 from unnest($1::text[]) s, unnest($2::uuid[]) p
      where exists (select from link_told t where t.subscriber = s and t.person_id = p)
        or (select count(*) from (select from patient_record r where r.person_id = p limit 2) two) = 2
      order by p, s
      on conflict (topic, key) where done_at is null do update set due_at = least(outbox.due_at, excluded.due_at)`,
    values: [subscribers, persons, new Date(now.getTime() + GATHER_MS), now],
  });
}

export const toldContext = (subscriber: string, personId: string): string =>
  `link_told.numbers ${subscriber} ${personId}`;

export function createLinkMemory({ database, clock }: { database: Database; clock: () => Date }): LinkMemory {
  const { fields } = vaultOf(database.pool);
  return {
    async last(subscriber, personId) {
      const { rows } = await database.pool.query<{ numbers: string[]; notices: number }>(
        'select numbers, notices from link_told where subscriber = $1 and person_id = $2',
        [subscriber, personId],
      );
      const [row] = rows;
      if (row === undefined) return null;
      const at = toldContext(subscriber, personId);
      return { ...row, numbers: row.numbers.map((number) => openText(fields, number, at)) };
    },
    async tell(subscriber, personId, numbers) {
      await database.pool.query(
        `insert into link_told (subscriber, person_id, numbers, notices, told_at) values ($1, $2, $3, 1, $4)
         on conflict (subscriber, person_id) do update
           set numbers = excluded.numbers, notices = link_told.notices + 1, told_at = excluded.told_at`,
        [
          subscriber,
          personId,
          numbers.map((number) => sealText(fields, number, toldContext(subscriber, personId))),
          clock(),
        ],
      );
    },
  };
}
