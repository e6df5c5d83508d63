/**
 * DICOM JSON of stored instances (PS3.18 Annex F), and of a whole series as one ready buffer: derived from the headers,
 * kept in a bounded memory and, once the study is complete, in the object store. It can always be made again.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { ImageSource, InstanceLocated, Log, ObjectStore, SeriesLocated } from '../core/ports.ts';
import { Failure, problem } from '../core/problem.ts';
import type { SiteProfile, Sites } from '../core/site.ts';
import { tagHex } from '../../mappings/dicom/dictionary.ts';
import { readCharset } from '../../mappings/dicom/header-source.ts';
import { hasSignedPixels, jsonText, toJson } from '../../mappings/dicom/json.ts';
import type { JsonElement } from '../../mappings/dicom/json.ts';
import { readHeader } from './instance-header.ts';
import type { InstanceHeader, PlacedValue } from './instance-header.ts';

export interface SeriesMetadataParts {
  readonly images: ImageSource;
  readonly objects: ObjectStore;
  readonly sites: Sites;
  readonly log: Log;
  /** Bytes of ready answers kept in memory. */
  readonly memoryBytes: number;
}

const HEADERS_AT_ONCE = 8;
const squeeze = promisify(gzip);
const stretch = promisify(gunzip);
/** A ready answer larger than this is not believed (a damaged or foreign object under the key). */
const ANSWER_LIMIT = 512 * 1024 * 1024;

export class SeriesMetadata {
  readonly #parts: SeriesMetadataParts;
  readonly #kept = new Map<string, Buffer>();
  readonly #making = new Map<string, Promise<Buffer>>();
  #bytes = 0;

  constructor(parts: SeriesMetadataParts) {
    this.#parts = parts;
  }

  /** `base` is the service root that bulk data URIs begin with. Concurrent calls for one series share the work. */
  async series(located: SeriesLocated, base: string, gzipped: boolean): Promise<Buffer> {
    const version = versionOf(located);
    const key = `${located.series.seriesUid} ${version} ${gzipped ? 'gzip' : 'plain'} ${base}`;
    const kept = this.#kept.get(key);
    if (kept) {
      this.#kept.delete(key); // moved to the young end
      this.#kept.set(key, kept);
      return kept;
    }
    const making = this.#making.get(key) ?? this.#make(key, located, version, base, gzipped);
    this.#making.set(key, making);
    try {
      return await making;
    } finally {
      this.#making.delete(key);
    }
  }

  /** One instance, as an array of one. */
  async instance(located: InstanceLocated, base: string): Promise<Buffer> {
    const json = await instanceJson(this.#parts.images, located, this.#parts.sites.byId(located.study.site), base);
    return Buffer.from(`[${json.text}]`);
  }

  async #make(key: string, located: SeriesLocated, version: string, base: string, gzipped: boolean): Promise<Buffer> {
    const answer = gzipped
      ? await squeeze(await this.series(located, base, false), { level: 4 })
      : await this.#plain(located, version, base);
    this.#keep(key, answer);
    return answer;
  }

  /** The stored form has a token instead of the base, named in its first line, since the base is the caller's view. */
  async #plain(located: SeriesLocated, version: string, base: string): Promise<Buffer> {
    const object = `derived/series-metadata/${located.series.seriesUid}/${version}.json.gz`;
    const stored = await this.#load(object);
    if (stored !== null) return based(stored, base);
    const made = await this.#build(located);
    // A series that still grows would leave one object per step behind.
    // What a hospital keeps is not kept here, nor its headers.
    if (located.study.availability === 'complete') await this.#store(object, made);
    return based(made, base);
  }

  async #load(object: string): Promise<string | null> {
    try {
      const text = await stretch(await this.#parts.objects.readAll(object), { maxOutputLength: ANSWER_LIMIT });
      return text.toString('utf8');
    } catch (error) {
      const absent = error instanceof Failure && error.problem.code === 'not-found';
      if (!absent)
        this.#parts.log.warn(
          { object, error: String(error) },
          'derived series metadata could not be read and is made again',
        );
      return null;
    }
  }

  async #store(object: string, text: string): Promise<void> {
    try {
      const writer = await this.#parts.objects.write(object);
      await writer.write(await squeeze(text, { level: 4 }));
      await writer.commit();
    } catch (error) {
      // The answer does not depend on its being kept.
      this.#parts.log.warn({ object, error: String(error) }, 'derived series metadata could not be kept');
    }
  }

  async #build(located: SeriesLocated): Promise<string> {
    const { instances } = located.series;
    const site = this.#parts.sites.byId(located.study.site);
    const texts = new Array<string>(instances.length);
    const token = `urn:hub:base:${versionOf(located)}`;
    let next = 0;
    const work = async (): Promise<void> => {
      for (let at = next++; at < instances.length; at = next++) {
        const instance = instances[at];
        if (instance === undefined) return;
        const { text, uris } = await instanceJson(this.#parts.images, { ...located, instance }, site, token);
        // The token names the series' bytes by hash; text that holds it by chance would be altered by `based`.
        if (text.split(token).length - 1 !== uris) throw new Error('the base token occurs in the data');
        texts[at] = text;
      }
    };
    await Promise.all(Array.from({ length: HEADERS_AT_ONCE }, work));
    return `${token}\n[${texts.join(',')}]`;
  }

  #keep(key: string, answer: Buffer): void {
    if (answer.length > this.#parts.memoryBytes / 4) return;
    this.#kept.set(key, answer);
    this.#bytes += answer.length;
    for (const [oldest, bytes] of this.#kept) {
      if (this.#bytes <= this.#parts.memoryBytes) return;
      this.#kept.delete(oldest);
      this.#bytes -= bytes.length;
    }
  }
}

function based(stored: string, base: string): Buffer {
  const end = stored.indexOf('\n');
  return Buffer.from(stored.slice(end + 1).replaceAll(stored.slice(0, end), base));
}

/** What the answer was made from: another instance, another file, another version. */
function versionOf({ series }: SeriesLocated): string {
  const hash = createHash('sha256');
  for (const { sopUid, digest, object } of series.instances) hash.update(`${sopUid} ${digest} ${object}\n`);
  return `${String(series.instances.length)}-${hash.digest('hex').slice(0, 24)}`;
}

async function instanceJson(
  images: ImageSource,
  located: InstanceLocated,
  site: SiteProfile | null,
  base: string,
): Promise<{ readonly text: string; readonly uris: number }> {
  const header = await readHeader(images, located);
  if (!header.ok)
    throw new Failure(
      problem('unavailable', header.problem.where, `The stored header cannot be read: ${header.problem.text}`),
    );
  const { study, series, instance } = located;
  const root = `${base}/studies/${study.studyUid}/series/${series.seriesUid}/instances/${instance.sopUid}/bulkdata`;
  return headerJson(header.value, site, root);
}

function headerJson(header: InstanceHeader, site: SiteProfile | null, root: string): { text: string; uris: number } {
  const [first] = header.sets;
  if (first === undefined) return { text: '{}', uris: 0 };
  const { charset } = readCharset(first, site ?? undefined);
  let uris = 0;
  const uri = (path: readonly string[]): string => {
    uris++;
    return `${root}/${path.join('/')}`;
  };
  const placed = (value: PlacedValue): Record<string, JsonElement> => ({
    [tagHex(value.tag)]: { vr: value.vr, BulkDataURI: uri([tagHex(value.tag)]) },
  });
  const signed = header.sets.some((set) => hasSignedPixels(set) === true);
  const parts = header.sets.map((set) => toJson(set, { charset, bulkData: uri, signed }));
  const model: Record<string, JsonElement> = {};
  for (const part of [...parts, ...header.large.map(placed)]) Object.assign(model, part);
  if (header.pixels) Object.assign(model, placed(header.pixels));
  return { text: jsonText(model), uris };
}
