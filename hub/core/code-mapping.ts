/**
 * Codes that hospitals send and what the province understands by them, as people add to it while messages flow: a mapping
 * made at the desk stands above the site's codes.csv until it is undone, and a message says which of them it was read with.
 */
import type { Caller } from './access.ts';
import type { SiteId } from './identifier.ts';
import type { Page, PageRequest } from './operation.ts';
import type { Result, UnmappedSent } from './problem.ts';
import type { Coded } from './record.ts';
import type { CodeTable, SiteProfile } from './site.ts';

/** Width (full, half), blanks and case of a code differ between the screens of one hospital; its meaning does not. */
export const codeKey = (code: string): string => code.normalize('NFKC').trim().toUpperCase();

const MAX_CODE = 64;

/**
 * What a finding may say of the code that was sent: fields for codes hold names and numbers of persons where an interface
 * is set up wrongly, so long digits and long texts are not told (undefined).
 */
export function unmappedSent(table: string, code: string, display = ''): UnmappedSent | undefined {
  const told = code.normalize('NFC').trim();
  if (told === '' || told.length > MAX_CODE || /\d{8}/.test(told)) return undefined;
  const shown = display.normalize('NFC').trim();
  const named = shown !== '' && shown !== told && shown.length <= MAX_CODE && !/\d{8}/.test(shown);
  return { table, code: told, ...(named ? { display: shown } : {}) };
}

export interface CodeMapping {
  readonly mappingId: string;
  readonly site: SiteId;
  readonly table: string;
  readonly source: string;
  readonly sourceDisplay: string | null;
  readonly code: string;
  readonly display: string | null;
  readonly reason: string;
  readonly madeAt: string;
  readonly madeBy: string;
  readonly undone: { readonly at: string; readonly by: string; readonly reason: string } | null;
}

/** A code that was seen without a mapping, and how often; retries and replays count again. */
export interface UnmappedCode {
  readonly site: SiteId;
  readonly table: string;
  readonly code: string;
  readonly display: string | null;
  /** Where it stood in the last message: `OBR-4`, `procedureCode`, `(0018,0015)`. */
  readonly field: string;
  readonly channel: string;
  readonly seen: number;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly lastJournalId: string;
}

export type NewMapping = Pick<CodeMapping, 'site' | 'table' | 'source' | 'code' | 'reason'> &
  Partial<Pick<CodeMapping, 'sourceDisplay' | 'display'>>;

/** The desk where people map; the store's side of it. Lists leave out what is mapped now. */
export interface CodeDesk {
  unmapped(filter: { readonly site?: string; readonly table?: string }, page: PageRequest): Promise<Page<UnmappedCode>>;
  /** Newest first, those undone included. */
  mappings(filter: { readonly site?: string }, page: PageRequest): Promise<Page<CodeMapping>>;
  mapping(mappingId: string): Promise<CodeMapping | null>;
  /** `conflict` where one stands for this code: undo it first. */
  add(mapping: NewMapping, by: Caller): Promise<Result<CodeMapping>>;
  /** `not-found`; `conflict` where it is undone. */
  undo(mappingId: string, reason: string, by: Caller): Promise<Result<CodeMapping>>;
}

/** What a table is about: the system of the province's code, and the codes that are allowed where the set is closed. */
export interface TargetTable {
  readonly system: string;
  readonly codes?: RegExp;
}

/** A mapping as looking up needs it. */
export type StandingMapping = Pick<CodeMapping, 'mappingId' | 'site' | 'table' | 'source' | 'code' | 'display'>;

/** Mappings of all sites, by site, table and key. */
export class CodeOverlay {
  readonly #standing = new Map<string, StandingMapping>();
  readonly #tables: Readonly<Record<string, TargetTable>>;

  constructor(standing: readonly StandingMapping[], tables: Readonly<Record<string, TargetTable>>) {
    this.#tables = tables;
    for (const one of standing) this.#standing.set(place(one.site, one.table, one.source), one);
  }

  /** The same with one more, or without one: what a change of mapping would do is tried with this. */
  with(change: { readonly add?: StandingMapping; readonly without?: string }): CodeOverlay {
    const kept = [...this.#standing.values()].filter(({ mappingId }) => mappingId !== change.without);
    return new CodeOverlay(change.add === undefined ? kept : [...kept, change.add], this.#tables);
  }

  /** The site with these mappings above its own table; `used` collects which of them answered. */
  over(site: SiteProfile): { readonly site: SiteProfile; readonly used: ReadonlySet<string> } {
    const used = new Set<string>();
    if (this.#standing.size === 0) return { site, used };
    const codes: CodeTable = {
      ...site.codes,
      lookup: (table, code) => {
        const found = this.#standing.get(place(site.id, table, code));
        if (found === undefined) return site.codes.lookup(table, code);
        used.add(found.mappingId);
        return this.#coded(found);
      },
    };
    return { site: { ...site, codes }, used };
  }

  #coded({ table, source, code, display }: StandingMapping): Coded {
    const system = this.#tables[table]?.system ?? '';
    return { code, system, ...(display === null ? {} : { display }), source: { code: source } };
  }
}

const place = (site: string, table: string, code: string): string => `${site}\n${table}\n${codeKey(code)}`;
