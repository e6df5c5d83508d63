/** What the REST face does about codes without a mapping: shows them, finds what they may mean, maps, and takes back. */
import type { components } from '../../../openapi/generated/hub.ts';
import { TABLES } from '../../../mappings/codes/table.ts';
import { codeKey, type CodeDesk, type CodeMapping, type NewMapping } from '../../core/code-mapping.ts';
import { problem, type Problem } from '../../core/problem.ts';
import type { JournalWorkDesk, WorkScope } from '../../core/replay.ts';
import type { Coded } from '../../core/record.ts';
import type { SiteProfile, Sites } from '../../core/site.ts';
import type { Handlers } from './operation.ts';
import { pageOf } from './page.ts';
import { asked, disclosed, FOREIGN, isTheirs, notFound, ownSite } from './scope.ts';

export interface CodeDeps {
  readonly codes: CodeDesk;
  readonly works: JournalWorkDesk;
  readonly sites: Sites;
}

type CodeHandlers = Pick<Handlers, 'listUnmappedCodes' | 'searchCodes' | 'listMappings' | 'addMapping' | 'undoMapping'>;

const MOST_FOUND = 50;

export function codeHandlers({ codes, works, sites }: CodeDeps): CodeHandlers {
  const made = async (mapping: CodeMapping): Promise<components['schemas']['MappingMade']> => {
    const { total } = await works.concerned('replay', mappingScope(mapping), 1);
    return { mapping, concerned: total };
  };
  return {
    listUnmappedCodes: async ({ query: { limit, after, ...filter }, caller }) => {
      const own = ownSite(caller, filter);
      return own === null ? FOREIGN : { status: 200, body: await codes.unmapped(asked(own), pageOf({ limit, after })) };
    },
    searchCodes: async ({ query: { table, text = '' } }) => ({
      status: 200,
      body: { items: found(sites.all, table, text) },
    }),
    listMappings: async ({ query: { limit, after, ...filter }, caller }) => {
      const own = ownSite(caller, filter);
      return own === null ? FOREIGN : { status: 200, body: await codes.mappings(asked(own), pageOf({ limit, after })) };
    },
    addMapping: async ({ body, caller }) => {
      if (!isTheirs(caller, body.site)) return FOREIGN;
      const site = sites.byId(body.site);
      const wrong = site === null ? NO_SITE : wrongTarget(body.table, body.code);
      if (site === null || wrong !== null) return { problem: wrong ?? NO_SITE };
      const wanted: NewMapping = { ...asked<Omit<NewMapping, 'site'>>(body), site: site.id };
      const result = await codes.add(wanted, caller);
      if (!result.ok) return { problem: result.problem };
      const disclosure = disclosed('change', `code-mapping/${result.value.mappingId}`, { reason: body.reason });
      return { status: 200, body: await made(result.value), disclosure };
    },
    undoMapping: async ({ path, body, caller }) => {
      const known = await codes.mapping(path.id);
      if (known === null || !isTheirs(caller, known.site)) return notFound();
      const result = await codes.undo(path.id, body.reason, caller);
      if (!result.ok) return { problem: result.problem };
      const disclosure = disclosed('change', `code-mapping/${path.id}`, { reason: `undo: ${body.reason}` });
      return { status: 200, body: await made(result.value), disclosure };
    },
  };
}

/** What stands otherwise than it would be read now: of a mapping what met the code before, of an undone one what was read with it. */
export const mappingScope = ({ site, table, source, mappingId, undone }: CodeMapping): WorkScope =>
  undone === null ? { kind: 'code', site, table, code: source } : { kind: 'mapping', site, mappingId };

const NO_SITE = problem('invalid-value', 'site', 'There is no such site.');

/** Why a code cannot be the target in this table; null: it can. */
export function wrongTarget(table: string, code: string): Problem | null {
  const target = Object.hasOwn(TABLES, table) ? TABLES[table] : undefined;
  if (target === undefined)
    return problem('invalid-value', 'table', `There is no such table; tables are ${Object.keys(TABLES).join(', ')}.`);
  return target.codes === undefined || target.codes.test(code)
    ? null
    : problem('unknown-code', 'code', `This is not a code of the table: it must match ${target.codes.source}.`);
}

/** What hospitals' own tables lead to is what the province knows; each code once, those that begin with the text first. */
function found(all: readonly SiteProfile[], table: string, text: string): Coded[] {
  const wanted = codeKey(text);
  const byCode = new Map<string, Coded>();
  for (const { codes } of all)
    for (const { code, system, display } of codes.targets?.(table) ?? [])
      if (!byCode.has(code)) byCode.set(code, { code, system, ...(display === undefined ? {} : { display }) });
  const rank = ({ code, display = '' }: Coded): number => {
    const [one, other] = [codeKey(code), codeKey(display)];
    if (one.startsWith(wanted) || other.startsWith(wanted)) return 0;
    return one.includes(wanted) || other.includes(wanted) ? 1 : 2;
  };
  return [...byCode.values()]
    .filter((coded) => rank(coded) < 2)
    .sort((a, b) => rank(a) - rank(b) || (a.code < b.code ? -1 : 1))
    .slice(0, MOST_FOUND);
}
