/**
 * The FHIR projection of the index as the store keeps it and the face asks for it: resources as they were rendered,
 * with the values they are found by. What a resource means is known to mappings/fhir alone.
 */

/** Any FHIR R4 resource; the mapping types it fully. */
export interface FhirBody {
  readonly resourceType: string;
  readonly id?: string | undefined;
}

/** Half-open interval of instants, ISO 8601 in UTC: what a FHIR date of any precision covers. */
export interface DateRange {
  readonly low: string;
  readonly high: string;
}

/** What one resource is found by. */
export interface SearchValues {
  /** `param=code`, `param=system|code`, `param=|code`, `param=system|`, `param=Type/id`; exact match. */
  readonly tokens: readonly string[];
  /** Names of the parameters that have any value: answers `:missing`. */
  readonly present: readonly string[];
  /** The type's first and second date parameter. */
  readonly dates: readonly [DateRange | null, DateRange | null];
  readonly strings: readonly { readonly param: string; readonly norm: string; readonly exact: string }[];
  /** What `_sort` by the type's name parameter compares. */
  readonly sortText: string | null;
}

/** `body` carries no meta.versionId and no meta.lastUpdated: the store gives those. */
export interface ProjectedResource {
  readonly type: string;
  readonly id: string;
  readonly body: FhirBody;
  readonly search: SearchValues;
}

/** One version of one resource. `body` is null when this version is its removal. */
export interface StoredVersion {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  /** Instant with milliseconds. */
  readonly at: string;
  readonly body: FhirBody | null;
  readonly site: string;
  /** When what changed it was said or done, and the journal entries that said it. */
  readonly occurredAt: string;
  readonly journalIds: readonly string[];
}

export type DatePrefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap';
/** `period` is an interval that only documents of the registry have: matched in memory, no column of the projection. */
export type DateColumn = 'date1' | 'date2' | 'updated' | 'period';

/** One parameter of a search; all of a query must hold. Lists are alternatives. */
export type Criterion =
  | { readonly kind: 'tokens'; readonly any: readonly string[]; readonly negate: boolean; readonly selective: boolean }
  | { readonly kind: 'ids'; readonly any: readonly string[] }
  | {
      readonly kind: 'date';
      readonly column: DateColumn;
      readonly any: readonly { readonly prefix: DatePrefix; readonly range: DateRange }[];
    }
  | {
      readonly kind: 'string';
      readonly params: readonly string[];
      /** `equal`: but for case, accents and blanks; `exact` to the character. */
      readonly mode: 'prefix' | 'equal' | 'exact' | 'contains';
      /** `grams` are tokens that every match of `contains` carries. */
      readonly any: readonly { readonly norm: string; readonly exact: string; readonly grams: readonly string[] }[];
    }
  | { readonly kind: 'missing'; readonly param: string; readonly missing: boolean };

export interface SortKey {
  readonly by: 'id' | 'text' | DateColumn;
  readonly descending: boolean;
}

export interface FhirQuery {
  readonly type: string;
  readonly criteria: readonly Criterion[];
  readonly sort: readonly SortKey[];
  readonly limit: number;
}

/** A result of several pages: the ids as they stood when the search ran, for its caller alone, until it expires. */
export interface SavedPages {
  readonly callerId: string;
  readonly type: string;
  readonly ids: readonly string[];
  /** The face's own state of the search, opaque to the store. */
  readonly state: string;
}

export interface HistoryScope {
  readonly type?: string;
  readonly id?: string;
}

export interface HistoryCursor {
  readonly at: string;
  readonly type: string;
  readonly id: string;
  readonly version: number;
}

/** Reads of the projection. Access and audit are the face's duty. */
export interface FhirStore {
  /** The newest version, removal included; null where there never was one. */
  read(type: string, id: string): Promise<StoredVersion | null>;
  vread(type: string, id: string, version: number): Promise<StoredVersion | null>;
  /** Newest first, at most `limit`, older than `before` and not older than `since`. */
  history(
    scope: HistoryScope,
    page: { readonly limit: number; readonly since?: string; readonly before?: HistoryCursor },
  ): Promise<readonly StoredVersion[]>;
  countVersions(type: string, id: string, since?: string): Promise<number>;
  /** Ids in order, at most `limit`. Rejects with a SearchTimeout when it takes too long. */
  search(query: FhirQuery): Promise<readonly string[]>;
  count(query: Omit<FhirQuery, 'sort' | 'limit'>): Promise<number>;
  /** Current versions in the order of `ids`; what was removed meanwhile is left out. */
  fetch(type: string, ids: readonly string[]): Promise<readonly StoredVersion[]>;
  /** Answers the handle under which `pages` finds the result again. */
  savePages(pages: SavedPages): Promise<string>;
  pages(handle: string, callerId: string): Promise<SavedPages | null>;
  /** The newest result of a caller, whatever its handle. */
  latestPages(callerId: string): Promise<SavedPages | null>;
  /** The caller wants no more of any of its results. */
  forgetPages(callerId: string): Promise<void>;
}

/** The search ran out of its time: the caller should narrow it. */
export class SearchTimeout extends Error {}
