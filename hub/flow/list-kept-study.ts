/**
 * Gives a study that its hospital keeps the manifest that every study of the index has: asks the hospital what it holds,
 * and makes KOS and MADO of that, both of which lead to the hub, which fetches the images when somebody with the right
 * asks. Asked one at a time, so that a slow hospital holds up no other work; one that is away is left alone for a while.
 */
import { createHash } from 'node:crypto';
import type { OutboxOutcome, StudySettling } from '../core/outbox.ts';
import type { SiteId, Uid } from '../core/identifier.ts';
import type { IndexReader, Log, ObjectStore, StudyInventory, StudyListing, StudyLocated } from '../core/ports.ts';
import type { Problem, ProblemCode } from '../core/problem.ts';
import type { SourceTime } from '../core/record.ts';
import type { ExamView, ListedSeries, ListedStudy, ManifestView } from '../core/view.ts';
import { keepManifest, keepOnce } from './manifest.ts';
import type { MadeManifest } from './manifest.ts';
import { isSamePatient } from './recall.ts';

export interface ListKeptDeps {
  /** The index as it stands: nothing is fetched to answer. */
  readonly reader: Pick<IndexReader, 'study' | 'person'>;
  readonly hospital: StudyInventory;
  readonly manifest: (exam: ExamView, study: ListedStudy, createdAt: SourceTime) => MadeManifest | null;
  readonly settling: Pick<StudySettling, 'saveManifest'>;
  readonly objects: ObjectStore;
  readonly clock: () => Date;
  readonly log: Log;
}

/** `since`: when the study was first to be listed. */
export type ListKept = (studyUid: string, since: Date) => Promise<OutboxOutcome>;

const DONE: OutboxOutcome = { done: true };
const MINUTE = 60_000;
/** A listing that brought something new is compared once more: the hospital may still have been receiving. */
const AGAIN_MS = 10 * MINUTE;
/** An exam may be known long before its images: how long at most until it is looked at again, and how long at all. */
const LONGEST_WAIT_MS = 6 * 60 * MINUTE;
const GIVE_UP_MS = 14 * 24 * 60 * MINUTE;

export function createListKept(deps: ListKeptDeps): ListKept {
  const { reader, hospital, clock } = deps;
  const line = new Line(clock);
  return async (studyUid, since) => {
    const located = await reader.study(studyUid);
    if (located?.study.availability !== 'at-hospital' || located.exam.cancelled) return DONE;
    const { site } = located.study;
    if (!hospital.lists(site)) return DONE;
    const turn = line.turnOf(site);
    if (turn !== null) return { done: false, againAt: turn };
    const listed = await line.hold(() => hospital.list(site, located.study.studyUid));
    if (!listed.ok) return missed(deps, line, located, listed.problem, since);
    line.answered(site);
    const { patient, personId } = located.exam;
    if (!isSamePatient(patient, listed.value.patients, await reader.person(personId)))
      return missed(deps, line, located, MISMATCH, since);
    return file(deps, located, listed.value);
  };
}

const MISMATCH: Pick<Problem, 'code' | 'text'> = {
  code: 'patient-mismatch',
  text: 'The hospital keeps this study for another patient; it must correct that.',
};

/** What says that the hospital cannot be asked now, not that it has nothing to tell of this study. */
const AWAY: ReadonlySet<ProblemCode> = new Set(['timeout', 'unavailable', 'busy', 'forbidden', 'unknown-sender']);

function missed(
  { clock, log }: ListKeptDeps,
  line: Line,
  { study: { site, studyId } }: StudyLocated,
  why: Pick<Problem, 'code' | 'text'>,
  since: Date,
): OutboxOutcome {
  if (AWAY.has(why.code)) {
    const againAt = line.failed(site);
    log.warn({ site, againAt, code: why.code, why: why.text }, 'a hospital does not tell what it keeps; asked again');
    return { done: false, againAt };
  }
  if (why.code !== 'not-found')
    log.error(
      { site, study: studyId, code: why.code, why: why.text },
      'a study that its hospital keeps has no manifest',
    );
  const now = clock().getTime();
  const waited = now - since.getTime();
  // News of the exam ask again, whenever they come.
  if (waited > GIVE_UP_MS) return DONE;
  return { done: false, againAt: new Date(now + Math.min(Math.max(waited, MINUTE), LONGEST_WAIT_MS)) };
}

async function file(deps: ListKeptDeps, located: StudyLocated, listing: StudyListing): Promise<OutboxOutcome> {
  const { exam, study } = located;
  const series = ordered(listing.series);
  const bytes = Buffer.from(JSON.stringify(series));
  const object = `manifests/hospital/${createHash('sha256').update(bytes).digest('hex')}.json`;
  const listed: ListedStudy = { ...study, series };
  const held = exam.manifests.find(({ studyUid }) => studyUid === study.studyUid);
  // Derived of content and time: with its own time, what stands comes out again unless exam or listing changed.
  const same = held && deps.manifest(exam, listed, held.createdAt);
  if (held?.listing === object && same?.sopUid === held.sopUid) return DONE;
  const made = deps.manifest(exam, listed, deps.clock().toISOString());
  if (made === null) return DONE;
  await keepOnce(deps.objects, object, bytes);
  const manifest: ManifestView = { ...(await keepManifest(deps.objects, study.studyUid, made)), listing: object };
  await deps.settling.saveManifest(located, manifest);
  return { done: false, againAt: new Date(deps.clock().getTime() + AGAIN_MS) };
}

/** The order in which an archive answers means nothing. */
const ordered = (series: readonly ListedSeries[]): ListedSeries[] =>
  series
    .filter(({ instances }) => instances.length > 0)
    .map((one) => ({ ...one, instances: [...one.instances].sort((a, b) => byUid(a.sopUid, b.sopUid)) }))
    .sort((a, b) => byUid(a.seriesUid, b.seriesUid));

const byUid = (a: Uid, b: Uid): number => (a < b ? -1 : a > b ? 1 : 0);

const PACE_MS = 250;
const REST_MS = [15_000, MINUTE, 5 * MINUTE, 15 * MINUTE] as const;

/** Who is asked when: one question at a time in this process, and none to a hospital that was away a moment ago. */
class Line {
  readonly #clock: () => Date;
  readonly #sites = new Map<SiteId, { readonly failures: number; readonly awayUntil: number; last: number }>();
  #busy = false;
  #last = 0;

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  /** null: now. Who must wait gets a turn of its own, so that a thousand that wait do not come back together. */
  turnOf(site: SiteId): Date | null {
    const now = this.#clock().getTime();
    const state = this.#sites.get(site);
    if (state && state.awayUntil > now) {
      state.last = Math.max(state.last, state.awayUntil) + PACE_MS;
      return new Date(state.last);
    }
    if (!this.#busy) return null;
    this.#last = Math.max(this.#last, now) + PACE_MS;
    return new Date(this.#last);
  }

  async hold<T>(work: () => Promise<T>): Promise<T> {
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }

  answered(site: SiteId): void {
    this.#sites.delete(site);
  }

  failed(site: SiteId): Date {
    const failures = (this.#sites.get(site)?.failures ?? 0) + 1;
    const rest = REST_MS[Math.min(failures, REST_MS.length) - 1] ?? MINUTE;
    const awayUntil = this.#clock().getTime() + rest;
    this.#sites.set(site, { failures, awayUntil, last: awayUntil });
    return new Date(awayUntil);
  }
}
