/** The schema of a database as text, read from the catalog: what hub/store/schema.sql keeps as the golden state. */
import type pg from 'pg';

/** Partitions come and go with the calendar and are left out; so is what extensions and the queue bring. */
const OURS = `n.nspname = 'public' and not exists (
  select from pg_depend d where d.objid = x.oid and d.deptype = 'e')`;

const PARTS: readonly (readonly [title: string, sql: string])[] = [
  ['extensions', `select extname as name, '' as body from pg_extension where extname <> 'plpgsql'`],
  [
    'types',
    `select x.typname as name, (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder)
       from pg_enum where enumtypid = x.oid) as body
     from pg_type x join pg_namespace n on n.oid = x.typnamespace where x.typtype = 'e' and ${OURS}`,
  ],
  [
    'sequences',
    `select x.relname as name, '' as body from pg_class x join pg_namespace n on n.oid = x.relnamespace
     where x.relkind = 'S' and ${OURS}`,
  ],
  [
    'tables',
    `select x.relname as name, (
         select string_agg(format('  %I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
           case when a.attnotnull then ' not null' else '' end,
           case when a.attidentity <> '' then ' identity' when a.attgenerated <> '' then ' generated (' || pg_get_expr(e.adbin, e.adrelid) || ')'
                else coalesce(' default ' || pg_get_expr(e.adbin, e.adrelid), '') end), E'\\n' order by a.attnum)
         from pg_attribute a left join pg_attrdef e on e.adrelid = a.attrelid and e.adnum = a.attnum
         where a.attrelid = x.oid and a.attnum > 0 and not a.attisdropped)
       || coalesce(E'\\n  partition by ' || pg_get_partkeydef(x.oid), '') as body
     from pg_class x join pg_namespace n on n.oid = x.relnamespace
     where x.relkind in ('r', 'p') and not x.relispartition and ${OURS}`,
  ],
  [
    'constraints',
    `select r.relname || '.' || x.conname as name, pg_get_constraintdef(x.oid) as body
     from pg_constraint x join pg_namespace n on n.oid = x.connamespace join pg_class r on r.oid = x.conrelid
     where x.contype <> 'n' and not r.relispartition and ${OURS}`,
  ],
  [
    'indexes',
    `select x.relname as name, pg_get_indexdef(x.oid) as body
     from pg_class x join pg_namespace n on n.oid = x.relnamespace join pg_index i on i.indexrelid = x.oid
     where x.relkind in ('i', 'I') and not x.relispartition and ${OURS}`,
  ],
  [
    'views',
    `select x.relname as name, pg_get_viewdef(x.oid, true) as body
     from pg_class x join pg_namespace n on n.oid = x.relnamespace where x.relkind in ('v', 'm') and ${OURS}`,
  ],
  [
    'functions',
    `select x.proname || '(' || pg_get_function_identity_arguments(x.oid) || ')' as name, pg_get_functiondef(x.oid) as body
     from pg_proc x join pg_namespace n on n.oid = x.pronamespace where x.prokind in ('f', 'p') and ${OURS}`,
  ],
  [
    'triggers',
    `select r.relname || '.' || x.tgname as name, pg_get_triggerdef(x.oid) as body
     from pg_trigger x join pg_class r on r.oid = x.tgrelid join pg_namespace n on n.oid = r.relnamespace
     where not x.tgisinternal and not r.relispartition and ${OURS}`,
  ],
];

const HEAD = `-- The schema that all migrations together make. Generated: change a migration, then \`npm run generate\`.
-- Read this to know the tables; hub/store/sql tells how they came to be.
`;

export async function describeSchema(pool: pg.Pool): Promise<string> {
  let text = HEAD;
  for (const [title, sql] of PARTS) {
    const { rows } = await pool.query<{ name: string; body: string | null }>(`${sql} order by 1`);
    if (rows.length === 0) continue;
    text += `\n-- ${title}\n`;
    for (const { name, body } of rows) text += `${name}${block(body ?? '')}\n`;
  }
  return text;
}

function block(body: string): string {
  if (body === '') return '';
  return body.includes('\n') || body.startsWith('  ') ? `\n${body}` : ` ${body}`;
}
