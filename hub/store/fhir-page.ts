/** Results of several pages: kept as ids for the caller that searched, until they expire. */
import { randomBytes } from 'node:crypto';
import type { SavedPages } from '../core/fhir.ts';
import type { Sealer } from '../core/sealing.ts';
import { openText, sealText } from './sealed.ts';

type Query = <Row extends object>(text: string, values: readonly unknown[]) => Promise<Row[]>;

/** The search as it was asked stands in it, numbers and names with it. */
export const pagesContext = (callerId: string): string => `fhir_page.state ${callerId}`;

/** Also removes some that expired, so that the table stays small without a job of its own. */
export async function savePages(query: Query, fields: Sealer, pages: SavedPages, lifetimeMs: number): Promise<string> {
  const handle = randomBytes(16).toString('hex');
  await query(
    `with expired as (
       delete from fhir_page where handle in (
         select handle from fhir_page where expires_at < now() order by expires_at limit 20 for update skip locked))
     insert into fhir_page (handle, caller_id, expires_at, type, ids, state)
     values ($1, $2, now() + $3 * interval '1 millisecond', $4, $5, $6)`,
    [
      handle,
      pages.callerId,
      lifetimeMs,
      pages.type,
      pages.ids,
      sealText(fields, pages.state, pagesContext(pages.callerId)),
    ],
  );
  return handle;
}

export async function readPages(
  query: Query,
  fields: Sealer,
  handle: string,
  callerId: string,
): Promise<SavedPages | null> {
  const [row] = await query<{ type: string; ids: string[]; state: string }>(
    'select type, ids, state from fhir_page where handle = $1 and caller_id = $2 and expires_at > now()',
    [handle, callerId],
  );
  return row ? { callerId, ...row, state: openText(fields, row.state, pagesContext(callerId)) } : null;
}

export async function latestPages(query: Query, fields: Sealer, callerId: string): Promise<SavedPages | null> {
  const [row] = await query<{ type: string; ids: string[]; state: string }>(
    `select type, ids, state from fhir_page where caller_id = $1 and expires_at > now()
     order by expires_at desc limit 1`,
    [callerId],
  );
  return row ? { callerId, ...row, state: openText(fields, row.state, pagesContext(callerId)) } : null;
}

export async function forgetPages(query: Query, callerId: string): Promise<void> {
  await query('delete from fhir_page where caller_id = $1', [callerId]);
}
