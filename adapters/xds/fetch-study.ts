/**
 * Fetches one study from the imaging source of the hospital that keeps it, by RAD-69 (IHE RAD TF-2 §4.69): what its manifest
 * names, each instance as the file that came beside its record. All of it or nothing: a part could be taken for the whole.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { SiteId, Uid } from '../../hub/core/identifier.ts';
import type { Log, StudyListing } from '../../hub/core/ports.ts';
import { Failure, fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { hashed, type InstanceRecord, type SourceTime } from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { InstancePrefix } from '../../mappings/dicom/instance-prefix.ts';
import { readInstance } from '../../mappings/dicom/instance.ts';
import { listingOf } from '../../mappings/dicom/kos-read.ts';
import type { ManifestStudy } from '../../mappings/dicom/kos-read.ts';
import * as SYNTAX from '../../mappings/dicom/uids.ts';
import { writeImagingRequest } from '../../mappings/xds/cross-retrieve.ts';
import { RAD69_REQUEST } from '../../mappings/xds/rad-69.ts';
import type { ImagingDocument } from '../../mappings/xds/rad-69.ts';
import type { Hospitals } from './hospital.ts';
import type { XdsPeer } from './peer.ts';

export interface ImagingOrder {
  readonly site: SiteProfile;
  readonly studyUid: Uid;
  /** Exists, and is this fetch's own. */
  readonly folder: string;
  readonly at: SourceTime;
  /** Is told of bytes before they are written; false ends the fetch. */
  readonly room: (bytes: number) => boolean;
  readonly log: Log;
}

export interface FetchedImage {
  readonly path: string;
  readonly record: InstanceRecord;
}

export interface ImagingFetchDeps {
  readonly hospitals: Pick<Hospitals, 'imagingSource'>;
  /** The latest manifest of the study that the hospital's registry told of. */
  readonly manifestOf: (site: SiteId, studyUid: Uid) => Promise<Result<ManifestStudy>>;
}

export interface ImagingFetch {
  serves(site: SiteProfile): boolean;
  fetch(order: ImagingOrder): Promise<Result<ReadonlyMap<string, FetchedImage>>>;
  list(site: SiteProfile, studyUid: Uid): Promise<Result<StudyListing>>;
}

/** As they are kept there: everything that the hub can pass on, what needs no work first. */
const SYNTAXES = [
  SYNTAX.EXPLICIT_LE,
  SYNTAX.JPEG_LOSSLESS_SV1,
  SYNTAX.JPEG_LS_LOSSLESS,
  SYNTAX.J2K_LOSSLESS,
  SYNTAX.RLE,
  SYNTAX.IMPLICIT_LE,
  SYNTAX.JPEG_BASELINE,
  SYNTAX.JPEG_EXTENDED,
  SYNTAX.J2K,
  SYNTAX.JPEG_LOSSLESS,
  SYNTAX.HTJ2K_LOSSLESS,
  SYNTAX.HTJ2K_LOSSLESS_RPCL,
  SYNTAX.HTJ2K,
  SYNTAX.JPEG_LS_NEAR,
  SYNTAX.EXPLICIT_BE,
  SYNTAX.DEFLATED_LE,
];
/** Instances in one request: imaging sources have limits of their own. */
const BATCH = 500;

export function createImagingFetch({ hospitals, manifestOf }: ImagingFetchDeps): ImagingFetch {
  return {
    serves: (site) => hospitals.imagingSource(site.id) !== null,
    async list(site, studyUid) {
      const manifest = await manifestOf(site.id, studyUid);
      return manifest.ok ? ok(listingOf(manifest.value)) : manifest;
    },
    async fetch(order) {
      const source = hospitals.imagingSource(order.site.id);
      if (!source) return fail(problem('not-found', undefined, 'The hospital names no imaging source.'));
      const manifest = await manifestOf(order.site.id, order.studyUid);
      if (!manifest.ok) return manifest;
      const wanted = documentsOf(manifest.value, order.site);
      const files = new Map<string, FetchedImage>();
      try {
        for (let at = 0; at < wanted.length; at += BATCH) {
          const failed = await fetchSome(source, order, wanted.slice(at, at + BATCH), files);
          if (failed) return failed;
        }
      } catch (error) {
        if (error instanceof Failure) return fail(error.problem);
        if (!(error instanceof Error && 'code' in error)) throw error;
        order.log.warn({ cause: error }, 'a fetched image was not written');
        return fail(problem('unavailable', undefined, 'The hub has no room for the images.'));
      }
      return ok(files);
    },
  };
}

function documentsOf({ studyUid, series }: ManifestStudy, { xds }: SiteProfile): ImagingDocument[] {
  const unique = new Map<string, ImagingDocument>();
  for (const { seriesUid, repositoryUid, instances } of series)
    for (const { sopUid } of instances)
      unique.set(sopUid, {
        studyUid,
        seriesUid,
        sopUid,
        repositoryUid: repositoryUid === '' ? (xds?.imagingSource?.oid ?? '') : repositoryUid,
        homeCommunityId: null,
      });
  return [...unique.values()];
}

async function fetchSome(
  source: XdsPeer,
  order: ImagingOrder,
  wanted: readonly ImagingDocument[],
  files: Map<string, FetchedImage>,
): Promise<{ ok: false; problem: ReturnType<typeof problem> } | null> {
  const body = writeImagingRequest({ documents: wanted, transferSyntaxes: SYNTAXES });
  const retrieved = await source.retrieve(RAD69_REQUEST, body);
  if (!retrieved.ok) return retrieved;
  const open = new Map(wanted.map((document) => [document.sopUid, document]));
  try {
    for await (const { given, body: bytes } of retrieved.value.documents) {
      const document = open.get(given.documentUniqueId);
      open.delete(given.documentUniqueId);
      // What was not asked for passes by.
      if (document) files.set(document.sopUid, await keep(order, document, bytes, files.size + 1));
    }
  } finally {
    retrieved.value.close();
  }
  if (open.size === 0) return null;
  const codes = retrieved.value.answer.errors.map(({ code }) => code).filter((code) => /^[\w:.-]{1,80}$/.test(code));
  const told = [...new Set(codes)].slice(0, 5).join(' ');
  const text = `The imaging source gave ${String(wanted.length - open.size)} of ${String(wanted.length)} images (${told === '' ? 'no code' : told}).`;
  return fail(problem('unavailable', undefined, text));
}

async function keep(
  order: ImagingOrder,
  document: ImagingDocument,
  bytes: AsyncIterable<Uint8Array>,
  number: number,
): Promise<FetchedImage> {
  const path = join(order.folder, `${String(number)}.dcm`);
  const handle = await open(path, 'wx', 0o600);
  const file = new ArrivingFile(handle, order.room);
  try {
    for await (const chunk of bytes) await file.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  } finally {
    await handle.close();
  }
  const record = file.record(order);
  const { keys, series, instance } = record;
  // Whose they are is for the reader to judge, who knows the exam (hub/flow/recall.ts).
  const isAsked = keys.studyUid === document.studyUid && series.uid === document.seriesUid;
  if (!isAsked || instance.uid !== document.sopUid)
    throw new Failure(
      problem('conflict', '(0008,0018)', 'The imaging source sent another instance than was asked for.'),
    );
  return { path, record };
}

/** One Part-10 file while its bytes come; they are kept as they are. */
class ArrivingFile {
  readonly #handle: FileHandle;
  readonly #room: (bytes: number) => boolean;
  readonly #prefix = new InstancePrefix(null);
  readonly #hash = createHash('sha256');
  /** What came before it was known where the data set begins. */
  #held: Buffer[] = [];
  #offset: number | null = null;
  #size = 0;

  constructor(handle: FileHandle, room: (bytes: number) => boolean) {
    this.#handle = handle;
    this.#room = room;
  }

  async write(chunk: Buffer): Promise<void> {
    if (!this.#room(chunk.length))
      throw new Failure(problem('too-large', undefined, 'The study is larger than the hub fetches at once.'));
    this.#size += chunk.length;
    if (this.#prefix.open) this.#prefix.add(chunk);
    if (this.#offset !== null) this.#hash.update(chunk);
    else {
      this.#held.push(Buffer.from(chunk));
      if (!this.#prefix.short) this.#begin();
    }
    await this.#handle.appendFile(chunk);
  }

  #begin(): number {
    const start = this.#prefix.startOfFile();
    if (!start.ok) throw new Failure(start.problem);
    if (start.value.head !== null)
      throw new Failure(
        problem('malformed', '(0002,0000)', 'The imaging source sent a file without meta information.'),
      );
    this.#offset = start.value.dataSetOffset;
    this.#hash.update(Buffer.concat(this.#held).subarray(this.#offset));
    this.#held = [];
    return this.#offset;
  }

  record({ site, at }: ImagingOrder): InstanceRecord {
    const dataSetOffset = this.#offset ?? this.#begin();
    const header = this.#prefix.header(this.#size - dataSetOffset);
    if (!header.ok) throw new Failure(header.problem);
    const stored = {
      object: '',
      size: this.#size,
      dataSetOffset,
      transferSyntax: header.value.transferSyntax,
    };
    const mapped = readInstance(header.value, site, stored, at);
    const record = mapped.ok ? mapped.records[0] : undefined;
    if (!mapped.ok || !record) throw new Failure(mapped.ok ? problem('malformed') : mapped.problem);
    return hashed(record, this.#hash.digest('hex'));
  }
}
