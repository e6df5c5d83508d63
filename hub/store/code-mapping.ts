/** Codes that no table maps, as messages showed them, and the mappings that people made above the sites' own tables. */
import {
  codeKey,
  type CodeDesk,
  type CodeMapping,
  type StandingMapping,
  type UnmappedCode,
} from '../core/code-mapping.ts';
import type { SiteId } from '../core/identifier.ts';
import { fail, ok, problem, type Result } from '../core/problem.ts';
import type { Connection, Database } from './database.ts';

interface MappingRow {
  id: string;
  site: SiteId;
  code_table: string;
  source: string;
  source_display: string;
  code: string;
  display: string;
  reason: string;
  made_at: Date;
  made_by: string;
  undone_at: Date | null;
  undone_by: string | null;
  undo_reason: string | null;
}

const STANDING = `select id, site, code_table, source, code, display from code_mapping where undone_at is null order by id`;

/**
 * What stands, read in the caller's transaction: one row tells whether it changed since the last time, so a mapping counts
 * for every message that is claimed after it, in every process.
 */
export function standingMappings(): (connection: Connection) => Promise<readonly StandingMapping[]> {
  let known: { readonly version: string; readonly mappings: readonly StandingMapping[] } = {
    version: '0',
    mappings: [],
  };
  return async (connection) => {
    const { rows } = await connection.query<{ version: string }>({
      name: 'mapping-version',
      text: 'select version from code_mapping_version',
    });
    const version = rows[0]?.version ?? '0';
    if (version !== known.version) known = { version, mappings: await readStanding(connection) };
    return known.mappings;
  };
}

export async function readStanding(connection: Connection): Promise<readonly StandingMapping[]> {
  const { rows } = await connection.query<MappingRow>(STANDING);
  return rows.map(({ id, site, code_table, source, code, display }) => ({
    mappingId: id,
    site,
    table: code_table,
    source,
    code,
    display: display === '' ? null : display,
  }));
}

/** Newest first by the last time they were seen; a code that is mapped now is none of them. */
export const UNMAPPED = `
select u.* from unmapped_code u
where ($1::text is null or u.site = $1) and ($2::text is null or u.code_table = $2)
  and ($3::timestamptz is null or (u.last_seen_at, u.site, u.code_table, u.key) < ($3, $4, $5, $6))
  and not exists (select from code_mapping m
    where m.site = u.site and m.code_table = u.code_table and m.key = u.key and m.undone_at is null)
order by u.last_seen_at desc, u.site desc, u.code_table desc, u.key desc limit $7`;

export function createCodeDesk(deps: { database: Database; clock: () => Date }): CodeDesk {
  const { database, clock } = deps;

  async function mapping(mappingId: string): Promise<CodeMapping | null> {
    if (!/^\d{1,14}$/.test(mappingId)) return null;
    const { rows } = await database.pool.query<MappingRow>('select * from code_mapping where id = $1', [mappingId]);
    return rows[0] === undefined ? null : mappingOf(rows[0]);
  }

  /** Changes and tells that something changed, at once. */
  const changing = (text: string, values: readonly unknown[]): Promise<MappingRow | undefined> =>
    database.transaction(async (connection) => {
      const { rows } = await connection.query<MappingRow>(text, [...values]);
      if (rows.length > 0) await connection.query('update code_mapping_version set version = version + 1');
      return rows[0];
    });

  return {
    mapping,
    async unmapped(filter, page) {
      const after = readPlace(page.after);
      const { rows } = await database.pool.query<UnmappedRow>(UNMAPPED, [
        filter.site ?? null,
        filter.table ?? null,
        ...after,
        page.limit + 1,
      ]);
      const items = rows.slice(0, page.limit);
      const last = items.at(-1);
      return { items: items.map(unmappedOf), next: rows.length > page.limit && last ? placeOf(last) : null };
    },
    async mappings(filter, page) {
      const after = /^\d{1,14}$/.test(page.after ?? '') ? page.after : null;
      const { rows } = await database.pool.query<MappingRow>(
        `select * from code_mapping where ($1::text is null or site = $1) and ($2::bigint is null or id < $2)
         order by id desc limit $3`,
        [filter.site ?? null, after, page.limit + 1],
      );
      const items = rows.slice(0, page.limit);
      return { items: items.map(mappingOf), next: rows.length > page.limit ? (items.at(-1)?.id ?? null) : null };
    },
    async add(wanted, by) {
      const row = await changing(
        `insert into code_mapping (site, code_table, key, source, source_display, code, display, reason, made_at, made_by, made_by_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (site, code_table, key) where undone_at is null do nothing returning *`,
        [
          wanted.site,
          wanted.table,
          codeKey(wanted.source),
          wanted.source,
          wanted.sourceDisplay ?? '',
          wanted.code,
          wanted.display ?? '',
          wanted.reason,
          clock(),
          by.name,
          by.id,
        ],
      );
      return row === undefined ? fail(STANDS) : ok(mappingOf(row));
    },
    async undo(mappingId, reason, by): Promise<Result<CodeMapping>> {
      const found = await mapping(mappingId);
      if (found === null) return fail(problem('not-found', 'id'));
      const row = await changing(
        `update code_mapping set undone_at = $2, undone_by = $3, undo_reason = $4 where id = $1 and undone_at is null returning *`,
        [mappingId, clock(), by.name, reason],
      );
      return row === undefined
        ? fail(problem('conflict', 'id', 'This mapping is undone already.'))
        : ok(mappingOf(row));
    },
  };
}

const STANDS = problem('conflict', 'source', 'A mapping of this code stands already; undo it first.');

interface UnmappedRow {
  site: SiteId;
  code_table: string;
  key: string;
  code: string;
  display: string;
  field: string;
  channel: string;
  seen: string;
  first_seen_at: Date;
  last_seen_at: Date;
  last_journal_id: string;
}

const unmappedOf = (row: UnmappedRow): UnmappedCode => ({
  site: row.site,
  table: row.code_table,
  code: row.code,
  display: row.display === '' ? null : row.display,
  field: row.field,
  channel: row.channel,
  seen: Number(row.seen),
  firstSeenAt: row.first_seen_at.toISOString(),
  lastSeenAt: row.last_seen_at.toISOString(),
  lastJournalId: row.last_journal_id,
});

const placeOf = (row: UnmappedRow): string =>
  Buffer.from(JSON.stringify([row.last_seen_at.toISOString(), row.site, row.code_table, row.key])).toString(
    'base64url',
  );

/** Where the page before ended; anything else begins anew. */
function readPlace(after: string | undefined): readonly (string | null)[] {
  const nowhere = [null, null, null, null];
  try {
    const place: unknown = JSON.parse(Buffer.from(after ?? '', 'base64url').toString('utf8'));
    const told = Array.isArray(place) && place.length === 4 && place.every((part) => typeof part === 'string');
    return told && !Number.isNaN(Date.parse(String(place[0]))) ? place : nowhere;
  } catch {
    return nowhere;
  }
}

const mappingOf = (row: MappingRow): CodeMapping => ({
  mappingId: row.id,
  site: row.site,
  table: row.code_table,
  source: row.source,
  sourceDisplay: row.source_display === '' ? null : row.source_display,
  code: row.code,
  display: row.display === '' ? null : row.display,
  reason: row.reason,
  madeAt: row.made_at.toISOString(),
  madeBy: row.made_by,
  undone:
    row.undone_at === null
      ? null
      : { at: row.undone_at.toISOString(), by: row.undone_by ?? '', reason: row.undo_reason ?? '' },
});
