/**
 * Institutions and consortia as rows: read as one map for decisions, and made for the sites that the configuration names.
 * Their life (applied, approved, suspended, left) is others' work on the same tables.
 */
import type { SiteId } from '../core/identifier.ts';
import {
  institutionCode,
  InstitutionMap,
  type Consortium,
  type Institution,
  type InstitutionCode,
  type InstitutionKind,
  type InstitutionState,
} from '../core/institution.ts';
import type { SiteProfile } from '../core/site.ts';
import type { Connection, Database } from './database.ts';

interface InstitutionRow {
  code: string;
  name_zh: string;
  name_en: string | null;
  parent: string | null;
  kind: InstitutionKind;
  region: string | null;
  state: InstitutionState;
  sites: string[];
}

interface ConsortiumRow {
  id: string;
  name_zh: string;
  name_en: string | null;
  valid_from: Date | null;
  valid_until: Date | null;
  members: string[];
}

export async function readInstitutions(connection: Connection): Promise<InstitutionMap> {
  const institutions = await connection.query<InstitutionRow>({
    name: 'institutions',
    text: `select code, name_zh, name_en, parent, kind, region, state,
        array(select site from institution_site s where s.institution = i.code order by site) as sites from institution i`,
    values: [],
  });
  const consortia = await connection.query<ConsortiumRow>({
    name: 'consortia',
    text: `select id, name_zh, name_en, valid_from, valid_until,
        array(select institution from consortium_member m where m.consortium = c.id order by 1) as members from consortium c`,
    values: [],
  });
  return new InstitutionMap(institutions.rows.map(institutionOf), consortia.rows.map(consortiumOf));
}

const codeOf = (text: string | null): InstitutionCode | null => (text === null ? null : institutionCode(text));

const institutionOf = (row: InstitutionRow): Institution => ({
  code: institutionCode(row.code),
  nameZh: row.name_zh,
  nameEn: row.name_en,
  parent: codeOf(row.parent),
  kind: row.kind,
  region: row.region,
  state: row.state,
  sites: row.sites as SiteId[],
});

const consortiumOf = (row: ConsortiumRow): Consortium => ({
  id: row.id,
  nameZh: row.name_zh,
  nameEn: row.name_en,
  from: row.valid_from?.toISOString() ?? null,
  until: row.valid_until?.toISOString() ?? null,
  members: row.members.map(institutionCode),
});

/**
 * Who configures a site has approved its institution: it is there from the start. What people decided about it since
 * (suspended, moved to another institution) stands.
 */
export async function enterSites(database: Database, sites: readonly SiteProfile[]): Promise<void> {
  const rows = sites.map(({ id, name, institutionCode: code }) => ({ site: id, code, name_zh: name }));
  await database.transaction(async (connection) => {
    await connection.query(
      `insert into institution (code, name_zh, state)
       select distinct on (code) code, name_zh, 'approved'
       from jsonb_to_recordset($1::jsonb) as r(site text, code text, name_zh text)
       where not exists (select from institution_site s where s.site = r.site)
       order by code, site on conflict (code) do nothing`,
      [JSON.stringify(rows)],
    );
    await connection.query(
      `insert into institution_site (site, institution)
       select site, code from jsonb_to_recordset($1::jsonb) as r(site text, code text) on conflict (site) do nothing`,
      [JSON.stringify(rows)],
    );
  });
}
