/**
 * Tries messages anew and tells what would change against what stands, without changing anything: before a replay, and
 * before a mapping is made or undone. It reads and folds exactly as ingest does.
 */
import { TABLES } from '../../mappings/codes/table.ts';
import { CodeOverlay } from '../core/code-mapping.ts';
import { foldEntry } from '../core/fold.ts';
import type { Derivation } from '../core/identifier.ts';
import type { ClaimedEntry } from '../core/ingest.ts';
import { changesBetween, type MappingChange, type Previewed, type PreviewStore } from '../core/replay.ts';
import { readEntry, type ReadDeps } from './ingest.ts';

/** Each is mapped and folded in this process: few enough that a person waits for it. */
const MOST_PREVIEWED = 50;

export interface PreviewDeps extends ReadDeps {
  readonly store: PreviewStore;
  readonly derive: Derivation;
}

/** In the order of arrival; entries that are gone are left out. */
export type PreviewReplay = (journalIds: readonly string[], change?: MappingChange) => Promise<readonly Previewed[]>;

export function createPreviewReplay(deps: PreviewDeps): PreviewReplay {
  return async (journalIds, change) => {
    const standing = new CodeOverlay(await deps.store.mappings(), TABLES);
    const codes = change === undefined ? standing : standing.with(change);
    const previewed: Previewed[] = [];
    for (const entry of await deps.store.entries(journalIds.slice(0, MOST_PREVIEWED)))
      previewed.push(await previewOf(entry, codes, deps));
    return previewed;
  };
}

async function previewOf(entry: ClaimedEntry, codes: CodeOverlay, deps: PreviewDeps): Promise<Previewed> {
  const { journalId, site } = entry;
  const read = readEntry(entry, codes, deps);
  if (!read.ok)
    return { journalId, site, outcome: 'review', problem: read.problem, findings: read.findings, changes: [] };
  const before = await deps.store.slice(read.inputs.map((input) => input.record));
  const folded = foldEntry(before, read.inputs, deps.derive);
  if (!folded.ok)
    return { journalId, site, outcome: 'review', problem: folded.problem, findings: read.findings, changes: [] };
  const changes = changesBetween(before, folded.value.slice);
  const findings = [...read.findings, ...folded.value.findings];
  return { journalId, site, outcome: changes.length === 0 ? 'unchanged' : 'changed', problem: null, findings, changes };
}
