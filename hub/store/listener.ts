/** Which processes listen where: each says so again and again, so that every process can tell what is up. */
import type { Database } from './database.ts';

export interface Listening {
  readonly channel: string;
  readonly address: string;
  readonly listening: boolean;
  readonly connections: number;
  readonly received: number;
  readonly refused: number;
}

/** Rows of processes that are long gone go as well. */
export async function tellListening(
  database: Database,
  process: string,
  channels: readonly Listening[],
  now: Date,
): Promise<void> {
  await database.pool.query({
    name: 'tell-listening',
    text: `with gone as (delete from listener where seen_at < $3::timestamptz - interval '1 day')
      insert into listener (process, channel, address, listening, connections, received, refused, seen_at)
      select $1, channel, address, listening, connections, received, refused, $3
      from jsonb_to_recordset($2::jsonb) as r(channel text, address text, listening boolean, connections int, received bigint, refused bigint)
      on conflict (process, channel) do update set address = excluded.address, listening = excluded.listening,
        connections = excluded.connections, received = excluded.received, refused = excluded.refused, seen_at = excluded.seen_at`,
    values: [process, JSON.stringify(channels), now],
  });
}

/** It stops: nobody shall wait for it to fall silent. */
export async function forgetListening(database: Database, process: string): Promise<void> {
  await database.pool.query('delete from listener where process = $1', [process]);
}
