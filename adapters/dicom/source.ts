/**
 * Images that a hospital keeps, as an image source: fetches a series by C-GET from the node that the site's data names
 * and serves it from a bounded cache of files. The cache is no store: it may be emptied at any time.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { lenientUid } from '../../hub/core/identifier.ts';
import type { Uid } from '../../hub/core/identifier.ts';
import type { ImageSource, InstanceLocated, Log } from '../../hub/core/ports.ts';
import { Failure, problem } from '../../hub/core/problem.ts';
import type { Sites } from '../../hub/core/site.ts';
import {
  EXPLICIT_LE,
  IMPLICIT_LE,
  J2K_LOSSLESS,
  JPEG_LOSSLESS_SV1,
  JPEG_LS_LOSSLESS,
} from '../../mappings/dicom/uids.ts';
import { writePart10Head } from '../../mappings/dicom/write.ts';
import type { Node } from './associate.ts';
import type { DataReceiver } from './association.ts';
import type { DimseLimits } from './limits.ts';
import { get } from './scu.ts';

export interface HospitalSourceOptions {
  readonly sites: Sites;
  readonly aeTitle: string;
  /** Emptied when the source is made. */
  readonly folder: string;
  /** Bytes of all cached files; 4 GiB by default. */
  readonly maxBytes?: number;
  readonly limits?: Partial<DimseLimits>;
  readonly log: Log;
}

interface Cached {
  readonly path: string;
  readonly size: number;
}

const MAX_BYTES = 4 * 2 ** 30;
/** Asked for besides the syntax that the index knows: lossless ones only, so that what comes can be shown as it is. */
const SYNTAXES = [EXPLICIT_LE, IMPLICIT_LE, JPEG_LOSSLESS_SV1, JPEG_LS_LOSSLESS, J2K_LOSSLESS];

export async function createHospitalSource(options: HospitalSourceOptions): Promise<ImageSource> {
  await rm(options.folder, { recursive: true, force: true });
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  return new HospitalSource(options);
}

class HospitalSource implements ImageSource {
  readonly #options: HospitalSourceOptions;
  /** By site and SOP instance, least recently used first. */
  readonly #files = new Map<string, Cached>();
  readonly #fetching = new Map<string, Promise<void>>();
  #bytes = 0;
  #drawn = 0;

  constructor(options: HospitalSourceOptions) {
    this.#options = options;
  }

  async open(located: InstanceLocated, range?: { readonly start: number; readonly end?: number }): Promise<Readable> {
    const held = await this.#read(located, range);
    if (held) return held;
    await this.#fetch(located);
    const fetched = await this.#read(located, range);
    if (fetched) return fetched;
    throw new Failure(problem('not-found', undefined, 'The hospital did not send this instance.'));
  }

  async #read(
    located: InstanceLocated,
    range: { readonly start: number; readonly end?: number } | undefined,
  ): Promise<Readable | null> {
    const key = keyOf(located.study.site, located.instance.sopUid);
    const cached = this.#files.get(key);
    if (!cached) return null;
    this.#files.delete(key);
    this.#files.set(key, cached);
    // An open file outlives its removal from the cache.
    const file = await open(cached.path, 'r');
    const end = range?.end === undefined ? {} : { end: range.end - 1 };
    return file.createReadStream({ start: range?.start ?? 0, ...end });
  }

  /** One fetch at a time per series; who comes meanwhile waits for it. */
  #fetch(located: InstanceLocated): Promise<void> {
    const whole = this.#fits(located);
    const key = keyOf(located.study.site, whole ? located.series.seriesUid : located.instance.sopUid);
    const running = this.#fetching.get(key);
    if (running) return running;
    const fetched = this.#get(located, whole).finally(() => this.#fetching.delete(key));
    this.#fetching.set(key, fetched);
    return fetched;
  }

  /** A series that would push everything else out is fetched image by image. */
  #fits({ series, instance }: InstanceLocated): boolean {
    return series.instanceCount * Math.max(instance.size, 1) <= (this.#options.maxBytes ?? MAX_BYTES) / 4;
  }

  async #get(located: InstanceLocated, whole: boolean): Promise<void> {
    const { study, series, instance } = located;
    const identifier = {
      QueryRetrieveLevel: whole ? 'SERIES' : 'IMAGE',
      StudyInstanceUID: study.studyUid,
      SeriesInstanceUID: series.seriesUid,
      ...(whole ? {} : { SOPInstanceUID: instance.sopUid }),
    };
    const got = await get({
      node: this.#nodeOf(located),
      callingAe: this.#options.aeTitle,
      identifier,
      storage: storageOf(located),
      ...(this.#options.limits ? { limits: this.#options.limits } : {}),
      take: (one) => this.#take(study.site, one),
    });
    if (!got.ok) throw new Failure(got.problem);
    if (got.value.status !== 0) {
      this.#options.log.warn(
        { site: study.site, ...got.value },
        'a hospital did not send all images that were asked for',
      );
    }
  }

  #nodeOf({ study }: InstanceLocated): Node {
    const dicom = this.#options.sites.byId(study.site)?.dicom;
    const node = dicom?.nodes.find(({ aeTitle }) => aeTitle === dicom.imageSource);
    if (node) return node;
    throw new Failure(problem('not-found', undefined, 'The site names no node that its images can be fetched from.'));
  }

  /** Writes one instance beside the cache and lets it in when it is whole. */
  async #take(
    site: string,
    one: { readonly sopClass: string; readonly sopUid: string; readonly transferSyntax: string },
  ): Promise<DataReceiver> {
    const [sopClass, sopUid] = [lenientUid(one.sopClass), lenientUid(one.sopUid)];
    if (!sopClass || !sopUid) throw new Failure(problem('invalid-value', undefined, 'The hospital names no instance.'));
    const path = join(this.#options.folder, `${String(++this.#drawn)}.dcm`);
    const file = createWriteStream(`${path}.part`, { mode: 0o600 });
    let broken: Error | null = null;
    file.on('error', (error) => (broken = error));
    const write = async (chunk: Uint8Array): Promise<void> => {
      if (broken) throw broken;
      if (!file.write(chunk)) await Promise.race([once(file, 'drain'), once(file, 'close')]);
    };
    const head = writePart10Head({ sopClass, sopUid, transferSyntax: one.transferSyntax as Uid });
    await write(head);
    return {
      data: write,
      end: async () => {
        file.end();
        await once(file, 'close');
        if (broken) throw broken;
        await rename(`${path}.part`, path);
        await this.#keep(keyOf(site, sopUid), { path, size: file.bytesWritten });
      },
      abort: () => {
        file.destroy();
        void this.#remove(`${path}.part`);
      },
    };
  }

  async #keep(key: string, cached: Cached): Promise<void> {
    const before = this.#files.get(key);
    this.#files.set(key, cached);
    this.#bytes += cached.size - (before?.size ?? 0);
    if (before) await this.#remove(before.path);
    for (const [oldest, { path, size }] of this.#files) {
      if (this.#bytes <= (this.#options.maxBytes ?? MAX_BYTES) || oldest === key) return;
      this.#files.delete(oldest);
      this.#bytes -= size;
      await this.#remove(path);
    }
  }

  async #remove(path: string): Promise<void> {
    try {
      await rm(path, { force: true });
    } catch (cause) {
      this.#options.log.warn({ cause }, 'a cached image was not removed');
    }
  }
}

const keyOf = (site: string, uid: string): string => `${site}|${uid}`;

function storageOf({ series, instance }: InstanceLocated): { sopClass: string; transferSyntaxes: string[] }[] {
  const classes = new Set([instance, ...series.instances].map((one) => one.sopClass as string));
  const known = [instance, ...series.instances].map((one) => one.transferSyntax as string);
  const syntaxes = [...new Set([...known, ...SYNTAXES])].filter((syntax) => lenientUid(syntax) !== null).slice(0, 8);
  // A context for each syntax: the hospital sends each image in the one that it keeps it in.
  return [...classes]
    .filter((sopClass) => lenientUid(sopClass) !== null)
    .slice(0, 12)
    .flatMap((sopClass) => syntaxes.map((syntax) => ({ sopClass, transferSyntaxes: [syntax] })));
}
