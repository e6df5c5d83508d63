/**
 * Closes the ID numbers that a release of before wrote, once and before anything is read: a number that is asked for is sent
 * closed, and would not meet one in clear. Every column of text but those that are sealed whole, records that nobody may
 * change, and keys that others refer to.
 */
import { vaultOf, type Connection, type Database } from './database.ts';
import { PARTS } from './reseal-part.ts';

/** As core/id-number.ts has it, and a little more: what is read is looked at there. */
const FORM =
  '(^|[^A-Za-z0-9]|\\\\[bfnrt])([1-9][0-9]{5}(18|19|20)[0-9]{2}(0[1-9]|1[0-2])[0-3][0-9]{4}[0-9Xx]|' +
  '[1-9][0-9]{7}(0[1-9]|1[0-2])[0-3][0-9]{4}|[A-Z]{3}[0-9]{12}|[EG][0-9]{8}|E[A-Z][0-9]{7})($|[^A-Za-z0-9])';
const BATCH = 20_000;

interface Column {
  readonly table: string;
  readonly column: string;
  readonly type: string;
}

const COLUMNS = `
  select c.relname as table, a.attname as column, format_type(a.atttypid, null) as type
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    and a.atttypid = any ('{text, text[], jsonb}'::regtype[]) and a.attgenerated = ''
    and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname like '%is_final')
    and not exists (select from pg_constraint f where f.contype = 'f'
      and ((f.conrelid = c.oid and a.attnum = any (f.conkey)) or (f.confrelid = c.oid and a.attnum = any (f.confkey))))
  order by 1, 2`;

/** Sealed members stand beside facts of registrations and exams: those are looked through as well. */
const isWhole = (name: string): boolean =>
  name !== 'exam.facts' && name !== 'patient_record.facts' && name !== 'fhir_resource.tokens';

/** Gives how many values were closed. One transaction: tables refer to each other by these numbers. */
export function closeNumbers(database: Database): Promise<number> {
  return database.transaction(async (connection) => {
    const open = await connection.query(`select from reseal where part = 'numbers' and done_at is null for update`);
    if (open.rowCount === 0) return 0;
    const sealed = new Set(PARTS.map(({ name }) => name).filter(isWhole));
    const { rows } = await connection.query<Column>(COLUMNS);
    let closed = 0;
    for (const one of rows)
      if (!sealed.has(`${one.table}.${one.column}`) && one.table !== 'migration')
        closed += await closeColumn(connection, one);
    await connection.query(`update reseal set passed = $1, done_at = now() where part = 'numbers'`, [closed]);
    return closed;
  });
}

/** Values travel as bytes, which nothing opens or closes on their way. */
async function closeColumn(connection: Connection, { table, column, type }: Column): Promise<number> {
  const { numbers } = vaultOf(connection);
  const bytes = `convert_to("${column}"::text, 'UTF8')`;
  let closed = 0;
  let after: Buffer = Buffer.alloc(0);
  for (let ended = false; !ended;) {
    const { rows } = await connection.query<{ old: Buffer }>(
      `select distinct ${bytes} as old from "${table}" where "${column}"::text ~ $1 and ${bytes} > $2 order by 1 limit $3`,
      [FORM, after, BATCH],
    );
    const changed = rows
      .map(({ old }) => ({ old, closed: numbers.close(old.toString()) }))
      .filter(({ old, closed: text }) => old.toString() !== text);
    if (changed.length > 0) {
      const { rowCount } = await connection.query(
        `update "${table}" set "${column}" = convert_from(n.new, 'UTF8')::${type}
         from unnest($1::bytea[], $2::bytea[]) as n(old, new) where ${bytes} = n.old`,
        [changed.map(({ old }) => old), changed.map(({ closed: text }) => Buffer.from(text))],
      );
      closed += rowCount ?? 0;
    }
    after = rows.at(-1)?.old ?? after;
    ended = rows.length < BATCH;
  }
  return closed;
}
