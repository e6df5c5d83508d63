/**
 * Studies that a hospital keeps: fetched whole from the node that the site's data names, and served from a bounded cache
 * of files. The cache is no store: it may be emptied at any time, and what it lacks is fetched again.
 */
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { SiteId, Uid } from '../../hub/core/identifier.ts';
import type {
  ImageSource,
  InstanceLocated,
  Log,
  StudyInventory,
  StudyListing,
  StudyRecall,
} from '../../hub/core/ports.ts';
import { Failure, fail, ok, problem } from '../../hub/core/problem.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import type { InstanceRecord } from '../../hub/core/record.ts';
import type { SiteProfile, Sites } from '../../hub/core/site.ts';
import type { Node } from './associate.ts';
import { fetchStudy } from './fetch-study.ts';
import type { FetchedStudy, StudyOrder } from './fetch-study.ts';
import { inventory } from './inventory.ts';
import type { DimseLimits } from './limits.ts';

/** Another way to a study than C-GET from a node of the site: its imaging source, by RAD-69. */
export interface StudyWay {
  serves(site: SiteProfile): boolean;
  fetch(order: Pick<StudyOrder, 'site' | 'studyUid' | 'folder' | 'at' | 'room' | 'log'>): Promise<Result<FetchedStudy>>;
  /** What the site holds of the study, without its bytes. */
  list(site: SiteProfile, studyUid: Uid): Promise<Result<StudyListing>>;
}

export interface HospitalArchiveOptions {
  readonly sites: Sites;
  /** For sites whose data names no node that holds the images. */
  readonly otherwise?: StudyWay;
  readonly aeTitle: string;
  /** Emptied when the archive is opened. */
  readonly folder: string;
  readonly clock: () => Date;
  /** Bytes of all cached files, and so of the largest study; 8 GiB by default. */
  readonly maxBytes?: number;
  /** A study is asked for anew after this long, since the hospital may have changed it; 15 minutes by default. */
  readonly maxAgeMs?: number;
  readonly limits?: Partial<DimseLimits>;
  readonly log: Log;
}

interface Held {
  readonly folder: string;
  readonly files: FetchedStudy;
  readonly records: readonly InstanceRecord[];
  readonly bytes: number;
  readonly fetchedAt: number;
}

type Range = Parameters<ImageSource['open']>[1];

const MAX_BYTES = 8 * 2 ** 30;
const MAX_AGE_MS = 15 * 60_000;
/** Studies that one hospital is asked for at the same time: its archive has its own work to do. */
const AT_ONCE = 8;
/** Someone waits for the answer: an archive that says nothing for so long is told to be away. */
const LIMITS: Partial<DimseLimits> = { artimMs: 5_000, responseMs: 30_000, idleMs: 60_000, lifetimeMs: 15 * 60_000 };

export type HospitalImages = ImageSource & StudyRecall & StudyInventory;

export async function openHospitalArchive(options: HospitalArchiveOptions): Promise<HospitalImages> {
  await rm(options.folder, { recursive: true, force: true });
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  return new HospitalArchive(options);
}

class HospitalArchive implements HospitalImages {
  readonly #options: HospitalArchiveOptions;
  /** By site and study, least recently used first. */
  readonly #studies = new Map<string, Held>();
  readonly #fetching = new Map<string, Promise<Result<Held>>>();
  /** Of what is held and of what is arriving. */
  #bytes = 0;
  #drawn = 0;

  constructor(options: HospitalArchiveOptions) {
    this.#options = options;
  }

  async fetch(site: SiteId, studyUid: Uid): Promise<Result<readonly InstanceRecord[]>> {
    const held = this.#used(keyOf(site, studyUid));
    if (held && !this.#old(held)) return ok(held.records);
    const fetched = await this.#fetched(site, studyUid);
    return fetched.ok ? ok(fetched.value.records) : fetched;
  }

  lists(siteId: SiteId): boolean {
    const site = this.#options.sites.byId(siteId);
    return site !== null && this.#wayTo(site) !== null;
  }

  async list(siteId: SiteId, studyUid: Uid): Promise<Result<StudyListing>> {
    const site = this.#options.sites.byId(siteId);
    const way = site && this.#wayTo(site);
    if (!way) return fail(NO_ARCHIVE);
    const listed = await way.list(site, studyUid);
    const isEmpty = listed.ok && listed.value.series.every(({ instances }) => instances.length === 0);
    return isEmpty ? fail(problem('not-found', undefined, 'The hospital has no images of this study.')) : listed;
  }

  async open({ study, instance }: InstanceLocated, range?: Range): Promise<Readable> {
    const held = this.#used(keyOf(study.site, study.studyUid));
    const stream = held && (await read(held, instance, range));
    if (stream) return stream;
    const fetched = await this.#fetched(study.site, study.studyUid);
    if (!fetched.ok) throw new Failure(fetched.problem);
    const again = await read(fetched.value, instance, range);
    if (again) return again;
    throw new Failure(problem('unavailable', undefined, 'The images were removed while they were read; ask again.'));
  }

  #used(key: string): Held | null {
    const held = this.#studies.get(key);
    if (!held) return null;
    this.#studies.delete(key);
    this.#studies.set(key, held);
    return held;
  }

  #old(held: Held): boolean {
    return this.#options.clock().getTime() - held.fetchedAt > (this.#options.maxAgeMs ?? MAX_AGE_MS);
  }

  /** One fetch at a time per study; who comes meanwhile waits for it. */
  #fetched(siteId: SiteId, studyUid: Uid): Promise<Result<Held>> {
    const key = keyOf(siteId, studyUid);
    const running = this.#fetching.get(key);
    if (running) return running;
    const site = this.#options.sites.byId(siteId);
    const way = site && this.#wayTo(site);
    if (!way) return Promise.resolve(fail(NO_ARCHIVE));
    if ([...this.#fetching.keys()].filter((other) => other.startsWith(keyOf(siteId, ''))).length >= AT_ONCE)
      return Promise.resolve(fail(problem('busy', undefined, `The archive of hospital ${siteId} is busy; try again.`)));
    const fetched = this.#fetch(site, way, studyUid).finally(() => this.#fetching.delete(key));
    this.#fetching.set(key, fetched);
    return fetched;
  }

  #wayTo(site: SiteProfile): Pick<StudyWay, 'fetch' | 'list'> | null {
    const { aeTitle, limits, otherwise } = this.#options;
    const node = imageNode(site);
    if (!node) return otherwise?.serves(site) === true ? otherwise : null;
    const called = { node, callingAe: aeTitle, limits: { ...LIMITS, ...limits } };
    return {
      fetch: (order) => fetchStudy({ ...order, ...called }),
      list: (of, studyUid) => inventory({ ...called, site: of }, studyUid),
    };
  }

  async #fetch(site: SiteProfile, way: Pick<StudyWay, 'fetch'>, studyUid: Uid): Promise<Result<Held>> {
    const { clock, log } = this.#options;
    for (const [key, held] of this.#studies) if (this.#old(held)) await this.#drop(key, held);
    const folder = join(this.#options.folder, String(++this.#drawn));
    await mkdir(folder, { mode: 0o700 });
    const began = clock();
    let bytes = 0;
    const room = (more: number): boolean => {
      bytes += more;
      this.#bytes += more;
      return this.#makeRoom();
    };
    const fetched = await way.fetch({ site, studyUid, folder, room, log, at: began.toISOString() });
    const ms = clock().getTime() - began.getTime();
    if (!fetched.ok) {
      this.#bytes -= bytes;
      await this.#remove(folder);
      log.warn(
        { site: site.id, ms, code: fetched.problem.code, why: fetched.problem.text },
        'a study could not be fetched from the hospital that keeps it',
      );
      return fail(told(fetched.problem, site.id));
    }
    log.info({ site: site.id, ms, instances: fetched.value.size, bytes }, 'fetched a study from the hospital');
    const records = [...fetched.value.values()].map(({ record }) => record);
    const held = { folder, files: fetched.value, records, bytes, fetchedAt: clock().getTime() };
    const key = keyOf(site.id, studyUid);
    const before = this.#studies.get(key);
    if (before) await this.#drop(key, before);
    this.#studies.set(key, held);
    return ok(held);
  }

  /** Drops what was not used longest; false where even that is not enough. */
  #makeRoom(): boolean {
    const most = this.#options.maxBytes ?? MAX_BYTES;
    for (const [key, held] of this.#studies) {
      if (this.#bytes <= most) break;
      void this.#drop(key, held);
    }
    return this.#bytes <= most;
  }

  /** Files that are open outlive their removal. */
  #drop(key: string, held: Held): Promise<void> {
    if (this.#studies.get(key) !== held) return Promise.resolve();
    this.#studies.delete(key);
    this.#bytes -= held.bytes;
    return this.#remove(held.folder);
  }

  async #remove(folder: string): Promise<void> {
    try {
      await rm(folder, { recursive: true, force: true });
    } catch (cause) {
      this.#options.log.warn({ cause }, 'fetched images were not removed');
    }
  }
}

const NO_ARCHIVE: Problem = problem('not-found', undefined, 'The hospital names no archive to fetch from.');

const keyOf = (site: string, studyUid: string): string => `${site}|${studyUid}`;

function imageNode({ dicom }: SiteProfile): Node | null {
  return dicom.nodes.find(({ aeTitle }) => aeTitle === dicom.imageSource) ?? null;
}

/** What the reader is told: whose archive it is and what to do; addresses and statuses are for the operator's log. */
function told(why: Problem, site: SiteId): Problem {
  switch (why.code) {
    case 'not-found':
    case 'too-large':
    case 'limit-exceeded':
    case 'conflict':
      return why;
    default:
      return problem('unavailable', undefined, `The archive of hospital ${site} does not answer; try again later.`);
  }
}

/** null: not held any more. The bytes must be those that the view was made of, or that the index holds. */
async function read(held: Held, instance: InstanceLocated['instance'], range: Range): Promise<Readable | null> {
  const found = held.files.get(instance.sopUid);
  if (!found) throw new Failure(problem('not-found', undefined, 'The hospital has no such instance in this study.'));
  const { digest, size, dataSetOffset } = found.record.instance;
  if (digest !== instance.digest || size !== instance.size || dataSetOffset !== instance.dataSetOffset)
    throw new Failure(problem('unavailable', undefined, 'The hospital has other bytes of this instance; ask again.'));
  try {
    const file = await open(found.path, 'r');
    const end = range?.end === undefined ? {} : { end: range.end - 1 };
    return file.createReadStream({ start: range?.start ?? 0, ...end });
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw cause;
  }
}
