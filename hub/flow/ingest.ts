/**
 * Turns what waits in the journal into the index: claim a patient's entries, map them, fold them, save them, in one
 * transaction. What cannot be mapped or contradicts the index goes to review; what failed for a passing reason waits
 * and is tried again, and only its own patient waits with it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { TABLES } from '../../mappings/codes/table.ts';
import { CodeOverlay } from '../core/code-mapping.ts';
import type { ExamState } from '../core/exam.ts';
import { foldEntry } from '../core/fold.ts';
import type { Mapped } from '../core/envelope.ts';
import type { Derivation, SiteId } from '../core/identifier.ts';
import type { Claim, ClaimedEntry, DocumentStore, IngestStore, Settlement } from '../core/ingest.ts';
import type { Log } from '../core/ports.ts';
import { codeOf, problem, type Finding, type Problem } from '../core/problem.ts';
import type { CanonicalRecord, PatientRef } from '../core/record.ts';
import { arrivalTie } from '../core/register.ts';
import type { SiteProfile } from '../core/site.ts';
import { EMPTY, refsOf, type Input, type Slice } from '../core/slice.ts';
import { Burst } from './burst.ts';

const BATCH = 200;
/** A claim this large tells that more waits than one worker should do alone. */
const CROWD = 40;
/** After a small claim, so that a steady trickle is applied in some batches a second and not message by message. */
const LINGER_MS = 40;
const ATTEMPTS = 6;
const BACKOFF_MS = [100, 1_000, 5_000, 30_000, 120_000] as const;

export interface IngestDeps {
  readonly store: IngestStore;
  readonly documents: DocumentStore;
  readonly site: (id: SiteId) => SiteProfile | null;
  readonly map: (entry: ClaimedEntry, site: SiteProfile) => Mapped<CanonicalRecord>;
  readonly derive: Derivation;
  readonly log: Log;
  /** The site whose own patient numbers an authority gives, where there is one. */
  readonly ownerOf?: (authority: string) => SiteId | null;
}

export interface Ingest {
  /** Something arrived. */
  wake(): void;
  /** Applies all that can be applied now; resolves when nothing claimable is left. */
  drain(): Promise<void>;
  /** Begins `workers` loops; they sleep until woken and look by themselves every `sweepMs`. */
  start(workers: number, sweepMs: number): void;
  /** Resolves when the batches in hand are done. */
  stop(): Promise<void>;
}

/** A mapped entry: what to fold, or why not. */
type Prepared =
  | {
      readonly entry: ClaimedEntry;
      readonly ok: true;
      readonly inputs: readonly Input[];
      readonly findings: readonly Finding[];
      readonly mappings: readonly string[];
    }
  | { readonly entry: ClaimedEntry; readonly ok: false; readonly settlement: Settlement };

/**
 * One worker does the work while it can: arrivals wake another only when nobody works, or when a claim was a crowd.
 * Applying shares its processor with those who acknowledge, and many small transactions cost more than few large ones.
 */
export function createIngest(deps: IngestDeps): Ingest {
  let stopped = false;
  let loops: Promise<void>[] = [];
  let working = 0;
  let arrivals = 0;
  let caughtUp = true;
  const burst = new Burst();
  const sleepers = new Set<() => void>();

  const rouseOne = (): void => {
    for (const rouse of sleepers) return rouse();
  };
  const wake = (): void => {
    arrivals += 1;
    burst.arrived();
    if (working === 0) rouseOne();
  };

  async function sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        sleepers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      sleepers.add(done);
    });
  }

  async function loop(sweepMs: number): Promise<void> {
    while (!stopped) {
      working += 1;
      // With everything before it applied, a burst waits a little for a larger batch; a backlog never waits.
      await burst.over(() => stopped || !caughtUp);
      const seen = arrivals;
      const entries = await once(deps, (claimed) => {
        if (claimed >= CROWD) rouseOne();
      });
      caughtUp = entries < CROWD;
      if (entries > 0 && caughtUp) await pause(LINGER_MS);
      working -= 1;
      // What arrived while this worker looked woke nobody.
      if (entries === 0 && arrivals === seen) await sleep(sweepMs);
    }
  }

  return {
    wake,
    async drain() {
      while ((await once(deps, () => undefined)) > 0);
    },
    start(workers, sweepMs) {
      stopped = false;
      loops = Array.from({ length: workers }, () => loop(sweepMs));
    },
    async stop() {
      stopped = true;
      for (const rouse of sleepers) rouse();
      await Promise.all(loops);
    },
  };
}

/** One claim; gives how many entries it took. 0: nothing to do now, or the database is away (the sweep looks again). */
async function once(deps: IngestDeps, claimed: (entries: number) => void): Promise<number> {
  const held: { entries: readonly ClaimedEntry[] } = { entries: [] };
  try {
    await deps.store.claim(BATCH, async (claim) => {
      held.entries = claim.entries;
      claimed(claim.entries.length);
      await apply(claim, deps);
    });
    return held.entries.length;
  } catch (error) {
    const head = held.entries[0];
    const fields = {
      code: codeOf(error),
      entries: held.entries.length,
    };
    deps.log.warn({ ...fields, journalId: head?.journalId }, 'ingest failed; the entries wait and are tried again');
    if (head === undefined) return 0;
    try {
      await setAside(head, held.entries, fields.code, deps);
    } catch (again) {
      deps.log.error({ code: codeOf(again) }, 'the store does not answer; nothing is lost, the sweep tries again');
      return 0;
    }
    return held.entries.length;
  }
}

/** A batch is broken up first, at once; an entry that fails alone waits longer each time and ends in review. */
async function setAside(
  head: ClaimedEntry,
  batch: readonly ClaimedEntry[],
  code: string,
  deps: IngestDeps,
): Promise<void> {
  if (batch.length > 1) return deps.store.postpone(batch, 0);
  // SQLSTATE 22 and 54: the message holds what PostgreSQL can never store; to try again would only hold its patient up.
  if (/^(22|54)/.test(code)) return deps.store.giveUp(head, UNSTORABLE);
  if (head.attempts + 1 >= ATTEMPTS) return deps.store.giveUp(head, GIVEN_UP);
  const backoff = BACKOFF_MS[Math.min(head.attempts, BACKOFF_MS.length - 1)] ?? 120_000;
  return deps.store.postpone([head], backoff);
}

const UNSTORABLE = problem(
  'invalid-value',
  undefined,
  'A value of this message cannot be stored: it is too long, or holds characters that are no text.',
);

const GIVEN_UP = problem(
  'internal',
  undefined,
  'Applying this message failed again and again; see the log of the hub at its journal id.',
);

async function apply(claim: Claim, deps: IngestDeps): Promise<void> {
  const prepared: Prepared[] = [];
  const codes = new CodeOverlay(claim.mappings, TABLES);
  for (const entry of claim.entries) {
    prepared.push(await prepare(entry, codes, deps));
    await turn();
  }
  const records = prepared.flatMap((one) => (one.ok ? one.inputs.map((input) => input.record) : []));
  const before = records.length === 0 ? EMPTY : await claim.load(records);
  let after: Slice = before;
  const settled: Settlement[] = [];
  const touchedBy = new Map<string, string[]>();
  const revisions = new Revisions(before);
  const waiting = new Set<string>();
  for (const one of prepared) {
    const line = `${one.entry.site ?? ''}|${one.entry.patientKey}`;
    if (waiting.has(line)) continue;
    if (!one.ok) {
      settled.push(one.settlement);
      continue;
    }
    const folded = foldEntry(after, one.inputs, deps.derive);
    if (!folded.ok) {
      settled.push({ entry: one.entry, state: 'review', problem: folded.problem, findings: one.findings });
      continue;
    }
    if (!revisions.take(after, folded.value.slice)) {
      waiting.add(line);
      continue;
    }
    for (const id of changedIds(after, folded.value.slice))
      touchedBy.set(id, [...(touchedBy.get(id) ?? []), one.entry.journalId]);
    after = folded.value.slice;
    const findings = [...one.findings, ...folded.value.findings];
    settled.push({ entry: one.entry, state: 'applied', findings, mappings: one.mappings });
  }
  await claim.save({ before, after, settled, touchedBy });
}

/**
 * A report and its revision are never applied in one transaction: each version that stood is in the history that readers
 * see, however fast the next one came. The revision, and what its patient sent after it, waits for the next claim.
 */
class Revisions {
  readonly #known: Set<string>;
  readonly #fresh = new Set<string>();

  constructor(before: Slice) {
    this.#known = new Set([...before.exams.values()].flatMap(stampsOf));
  }

  /** False: the step would file a second new version of one exam's report. */
  take(before: Slice, after: Slice): boolean {
    const added: string[] = [];
    for (const [id, exam] of after.exams) {
      if (before.exams.get(id) === exam) continue;
      const stamps = stampsOf(exam);
      const unknown = stamps.filter((stamp) => !this.#known.has(stamp));
      if (unknown.length > 0 && stamps.some((stamp) => this.#fresh.has(stamp))) return false;
      added.push(...unknown);
    }
    for (const stamp of added) {
      this.#known.add(stamp);
      this.#fresh.add(stamp);
    }
    return true;
  }
}

const stampsOf = (exam: ExamState): string[] => exam.reports.map((version) => version.stamp);

/** Lets the event loop do what waits: senders are answered meanwhile. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Hub ids of the registrations and exams that differ. */
function changedIds(before: Slice, after: Slice): string[] {
  const ids: string[] = [];
  for (const [id, state] of after.patients) if (before.patients.get(id) !== state) ids.push(id);
  for (const [id, exam] of after.exams) if (before.exams.get(id) !== exam) ids.push(id);
  return ids;
}

/** Maps one entry and puts the documents it carries where they will be read from. */
async function prepare(entry: ClaimedEntry, codes: CodeOverlay, deps: IngestDeps): Promise<Prepared> {
  const read = readEntry(entry, codes, deps);
  if (!read.ok) {
    const { problem: why, findings } = read;
    return { entry, ok: false, settlement: { entry, state: 'review', problem: why, findings } };
  }
  const inputs: Input[] = [];
  for (const input of read.inputs) {
    const carried = input.record.kind === 'report' ? input.record.content.document : undefined;
    inputs.push(
      carried === undefined
        ? input
        : { ...input, stored: await deps.documents.put(carried.contentType, Buffer.from(carried.data, 'base64')) },
    );
  }
  return { entry, ok: true, inputs, findings: read.findings, mappings: read.mappings };
}

/** What an entry says under these codes: for whoever applies it, and for whoever tries what applying it would change. */
export type Read =
  | {
      readonly ok: true;
      readonly inputs: readonly Input[];
      readonly findings: readonly Finding[];
      readonly mappings: readonly string[];
    }
  | { readonly ok: false; readonly problem: Problem; readonly findings: readonly Finding[] };

export type ReadDeps = Pick<IngestDeps, 'site' | 'map' | 'log' | 'ownerOf'>;

export function readEntry(entry: ClaimedEntry, codes: CodeOverlay, deps: ReadDeps): Read {
  const known = entry.site === null ? null : deps.site(entry.site);
  if (known === null) return { ok: false, problem: NO_SITE, findings: [] };
  const { site, used } = codes.over(known);
  const mapped = mapSafely(entry, site, deps);
  if (!mapped.ok) return mapped;
  if (mapped.records.some((record) => filesUnderAnother(record, site, deps)))
    return { ok: false, problem: NOT_ITS_NUMBER, findings: mapped.findings };
  const inputs = ofOwners(mapped.records, site, deps).map((record) => ({
    record,
    journalId: entry.journalId,
    tie: arrivalTie(entry.journalId),
    forced: entry.forced,
    again: entry.again === 'replay',
  }));
  return { ok: true, inputs, findings: mapped.findings, mappings: [...used] };
}

const NO_SITE = problem('unknown-sender', undefined, 'No site of this id is configured; add its data and retry.');

/**
 * A link between numbers that others gave (the data of this site list their authorities) is about the registrations there;
 * what it says of those patients besides is theirs to say.
 */
function ofOwners(records: readonly CanonicalRecord[], site: SiteProfile, deps: ReadDeps): readonly CanonicalRecord[] {
  if (!records.some(({ kind }) => kind === 'link')) return records;
  const ownerOf = ({ authority }: PatientRef): SiteId =>
    authority === site.patientIds.defaultAuthority ? site.id : (deps.ownerOf?.(authority) ?? site.id);
  return records.flatMap((record): CanonicalRecord[] => {
    if (record.kind === 'link') return [{ ...record, owners: [ownerOf(record.one), ownerOf(record.other)] }];
    return record.kind === 'patient' && ownerOf(record.patient) !== site.id ? [] : [record];
  });
}

const NOT_ITS_NUMBER = problem(
  'conflict',
  'patient identifier',
  'The patient is filed under the numbers of another hospital; add that authority to the data of this site, or correct it there.',
);

/** A hospital that files its patient under another's number would put its exams into the answer about another person. */
function filesUnderAnother(record: CanonicalRecord, site: SiteProfile, deps: ReadDeps): boolean {
  const { defaultAuthority, authorities } = site.patientIds;
  return refsOf(record).some((ref) => {
    if (ref.authority === defaultAuthority || Object.values(authorities).includes(ref.authority)) return false;
    const owner = deps.ownerOf?.(ref.authority) ?? null;
    return owner !== null && owner !== site.id;
  });
}

/** A mapping is not allowed to throw; if one does all the same, its message goes to review and the others go on. */
function mapSafely(entry: ClaimedEntry, site: SiteProfile, deps: ReadDeps): Mapped<CanonicalRecord> {
  try {
    return deps.map(entry, site);
  } catch (error) {
    deps.log.error({ journalId: entry.journalId, code: codeOf(error) }, 'a mapping threw');
    return { ok: false, problem: problem('internal', undefined, 'The mapping of this message failed.'), findings: [] };
  }
}
