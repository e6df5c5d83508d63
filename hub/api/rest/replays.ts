/** What the REST face does about applying messages again: tries what it would change, starts it for many, tells how far it is. */
import type { components } from '../../../openapi/generated/hub.ts';
import { TABLES } from '../../../mappings/codes/table.ts';
import type { Caller } from '../../core/access.ts';
import type { CodeDesk } from '../../core/code-mapping.ts';
import { problem, type Result } from '../../core/problem.ts';
import {
  type Change,
  type JournalWork,
  type JournalWorkDesk,
  type MappingChange,
  type Previewed,
  type WorkScope,
} from '../../core/replay.ts';
import type { Sites } from '../../core/site.ts';
import type { PreviewReplay } from '../../flow/preview-replay.ts';
import { mappingScope, wrongTarget } from './codes.ts';
import type { Handlers, Refused } from './operation.ts';
import { pageOf } from './page.ts';
import { asked, disclosed, FOREIGN, isTheirs, notFound, ownSite, rawRefusal } from './scope.ts';

export interface ReplayDeps {
  readonly works: JournalWorkDesk;
  readonly codes: CodeDesk;
  readonly preview: PreviewReplay;
  readonly sites: Sites;
}

type ReplayHandlers = Pick<Handlers, 'previewReplay' | 'listReplays' | 'startReplay' | 'readReplay' | 'cancelReplay'>;
type Filter = components['schemas']['WorkFilter'];

export function replayHandlers(deps: ReplayDeps): ReplayHandlers {
  const { works } = deps;
  return {
    previewReplay: async ({ body, caller }) => {
      const tried = await triedScope(body, caller, deps);
      if ('problem' in tried) return tried;
      const { total, newest } = await works.concerned(body.kind ?? 'replay', tried.scope, body.limit ?? 20);
      const entries = await deps.preview(newest, tried.change);
      const shown = entries.map((entry) => previewOf(entry, caller));
      const objects = entries.map(({ journalId }) => `journal/${journalId}`);
      const disclosure = { action: 'read', persons: [], objects, reason: 'preview of a replay' } as const;
      return { status: 200, body: { concerned: total, entries: shown }, disclosure };
    },
    listReplays: async ({ query: { limit, after, ...filter }, caller }) => {
      const own = ownSite(caller, filter);
      if (own === null) return FOREIGN;
      const page = await works.list(asked(own), pageOf({ limit, after }, 20));
      return { status: 200, body: { items: page.items.map(workOf), next: page.next } };
    },
    startReplay: async ({ body, caller }) => {
      const scope = await startedScope(body, caller, deps);
      if ('problem' in scope) return scope;
      const result = await works.start(body.kind, scope.scope, { caller, reason: body.reason });
      return started(result, `${body.kind}: ${body.reason}`);
    },
    readReplay: async ({ path, caller }) => {
      const found = await works.work(path.id);
      return found === null || !isTheirs(caller, found.site) ? notFound() : { status: 200, body: workOf(found) };
    },
    cancelReplay: async ({ path, caller }) => {
      const found = await works.work(path.id);
      if (found === null || !isTheirs(caller, found.site)) return notFound();
      return started(await works.cancel(path.id), 'cancel');
    },
  };
}

const started = (result: Result<JournalWork>, reason: string) =>
  result.ok
    ? {
        status: 200 as const,
        body: workOf(result.value),
        disclosure: disclosed('change', `replay/${result.value.workId}`, { reason }),
      }
    : { problem: result.problem };

const workOf = (work: JournalWork): components['schemas']['Replay'] => ({ ...work, scope: { ...work.scope } });

interface Scoped {
  readonly scope: WorkScope;
  readonly change?: MappingChange;
}
const ONE = problem('invalid-value', undefined, 'Say which entries: by journalIds, by a filter, or by a mapping.');

/** Entries of a caller who is bound to a site are that site's, whatever was asked for. */
function entriesScope(
  { journalIds, filter }: { journalIds?: readonly string[] | undefined; filter?: Filter | undefined },
  caller: Caller,
): Scoped | Refused {
  if ((journalIds === undefined) === (filter === undefined)) return { problem: ONE };
  // What is named of another site is as if it were not there.
  const bound = caller.site === undefined ? {} : { site: caller.site };
  if (journalIds !== undefined) return { scope: { kind: 'entries', journalIds, ...bound } };
  const own = ownSite(caller, filter ?? {});
  return own === null ? FOREIGN : { scope: { kind: 'filter', filter: asked(own) } };
}

async function startedScope(
  body: { mappingId?: string | undefined; journalIds?: readonly string[] | undefined; filter?: Filter | undefined },
  caller: Caller,
  { codes }: ReplayDeps,
): Promise<Scoped | Refused> {
  if (body.mappingId === undefined) return entriesScope(body, caller);
  if (body.journalIds !== undefined || body.filter !== undefined) return { problem: ONE };
  const mapping = await codes.mapping(body.mappingId);
  return mapping === null || !isTheirs(caller, mapping.site) ? notFound() : { scope: mappingScope(mapping) };
}

type Tried = NonNullable<Parameters<Handlers['previewReplay']>[0]['body']>;

async function triedScope(body: Tried, caller: Caller, deps: ReplayDeps): Promise<Scoped | Refused> {
  const { mapping, without } = body;
  if (without !== undefined) {
    const known = await deps.codes.mapping(without);
    return known === null || !isTheirs(caller, known.site)
      ? notFound()
      : { scope: { kind: 'mapping', site: known.site, mappingId: without }, change: { without } };
  }
  if (mapping === undefined) return entriesScope(body, caller);
  const site = deps.sites.byId(mapping.site);
  if (site === null || !isTheirs(caller, site.id)) return notFound();
  const wrong = wrongTarget(mapping.table, mapping.code);
  if (wrong !== null) return { problem: wrong };
  const { table, source, code, display = null } = mapping;
  const scope = entriesScope(body, caller);
  return {
    // Without entries of its own it is tried on what met the code.
    scope: 'scope' in scope ? scope.scope : { kind: 'code', site: site.id, table, code: source },
    change: { add: { mappingId: '0', site: site.id, table, source, code, display } },
  };
}

/** What says what was done and never to whom: codes, states, times and counts. */
const SHOWN =
  /(^|\/)(procedure|modality|bodyPart|priority|requestingDepartment|patientClass|status|at|requestedAt|scheduledAt|startedAt|reportedAt|auditedAt|seriesCount|instanceCount|voided|device|sex|maritalStatus|ethnicGroup|nationality|deceased)$/;

function previewOf(entry: Previewed, caller: Caller): components['schemas']['ReplayPreview']['entries'][number] {
  const whole = isTheirs(caller, entry.site) && rawRefusal(caller, entry.site) === null;
  const changes = entry.changes.map(({ subject, id, field, before, after }: Change) => {
    const open = whole || SHOWN.test(field);
    const show = (value: unknown): string | null => textOf(value, open);
    // The name of a field of identifiers holds their authority, which is no secret; a tie's holds another's id, a hub's own.
    return { subject, id, field, before: show(before), after: show(after), masked: !open };
  });
  const { journalId, outcome, problem: why, findings } = entry;
  return { journalId, outcome, problem: why, findings: [...findings], changes };
}

function textOf(value: unknown, open: boolean): string | null {
  if (value === undefined || value === null) return null;
  if (!open) return '•••';
  if (typeof value !== 'object') return typeof value === 'string' ? value : JSON.stringify(value);
  if ('code' in value && 'system' in value) {
    const { code, system, display } = value as { code: string; system: string; display?: string };
    const known = Object.values(TABLES).some((table) => table.system === system);
    return `${code}${display === undefined ? '' : ` ${display}`} (${known ? '✓' : '?'} ${system})`;
  }
  return JSON.stringify(value).slice(0, 500);
}
