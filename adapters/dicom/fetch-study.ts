/**
 * Fetches one study from the archive that keeps it, by C-GET, into a folder: each instance as a Part-10 file beside its
 * record. All of it or nothing: a part of a study could be taken for the whole.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../hub/core/ports.ts';
import { lenientUid } from '../../hub/core/identifier.ts';
import type { Uid } from '../../hub/core/identifier.ts';
import { Failure, fail, ok, problem } from '../../hub/core/problem.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import { hashed, type InstanceRecord, type SourceTime } from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { InstancePrefix } from '../../mappings/dicom/instance-prefix.ts';
import { readInstance } from '../../mappings/dicom/instance.ts';
import {
  DEFLATED_LE,
  EXPLICIT_BE,
  EXPLICIT_LE,
  HTJ2K,
  HTJ2K_LOSSLESS,
  HTJ2K_LOSSLESS_RPCL,
  IMPLICIT_LE,
  J2K,
  J2K_LOSSLESS,
  JPEG_BASELINE,
  JPEG_EXTENDED,
  JPEG_LOSSLESS,
  JPEG_LOSSLESS_SV1,
  JPEG_LS_LOSSLESS,
  JPEG_LS_NEAR,
  RLE,
} from '../../mappings/dicom/uids.ts';
import { writePart10Head } from '../../mappings/dicom/write.ts';
import type { DataReceiver } from './association.ts';
import { inventory } from './inventory.ts';
import { get } from './scu.ts';
import type { InstanceTaker, ScuOptions } from './scu.ts';
import { STATUS } from './status.ts';

export interface StudyOrder extends ScuOptions {
  readonly site: SiteProfile;
  readonly studyUid: Uid;
  /** Exists, and is this fetch's own. */
  readonly folder: string;
  readonly at: SourceTime;
  /** Is told of bytes before they are written; false ends the fetch. */
  readonly room: (bytes: number) => boolean;
  readonly log: Log;
}

export interface FetchedFile {
  readonly path: string;
  readonly record: InstanceRecord;
}

/** By SOP Instance UID. */
export type FetchedStudy = ReadonlyMap<string, FetchedFile>;

/** As the archive may keep them; the commonest first, since a study of many classes gets only the first ones. */
const SYNTAXES = [
  ...[EXPLICIT_LE, IMPLICIT_LE, JPEG_LOSSLESS_SV1, J2K_LOSSLESS, JPEG_LS_LOSSLESS, RLE, JPEG_BASELINE, JPEG_EXTENDED],
  ...[J2K, JPEG_LOSSLESS, HTJ2K_LOSSLESS, HTJ2K_LOSSLESS_RPCL, HTJ2K, JPEG_LS_NEAR, EXPLICIT_BE, DEFLATED_LE],
];
/** PS3.8 §9.3.2.2: identifiers are odd and at most 255; one of the 128 is the query's. */
const CONTEXTS = 127;

export async function fetchStudy(order: StudyOrder): Promise<Result<FetchedStudy>> {
  const held = await inventory(order, order.studyUid);
  if (!held.ok) return held;
  const wanted = new Map(
    held.value.series.flatMap(({ instances }) => instances.map(({ sopUid, sopClass }) => [sopUid, sopClass] as const)),
  );
  if (wanted.size === 0) return fail(problem('not-found', undefined, 'The archive has no images of this study.'));
  const arrivals = new Arrivals(order);
  const got = await get({
    ...order,
    identifier: { QueryRetrieveLevel: 'STUDY', StudyInstanceUID: order.studyUid },
    storage: storageOf(new Set(wanted.values())),
    take: arrivals.take,
  });
  if (arrivals.refusal) return fail(arrivals.refusal);
  if (!got.ok) return got;
  const missing = [...wanted.keys()].filter((sopUid) => !arrivals.seen.has(sopUid)).length;
  if (missing > 0 || got.value.status !== STATUS.success) {
    const counts = `${String(wanted.size - missing)} of ${String(wanted.size)} images`;
    const status = got.value.status.toString(16);
    return fail(problem('unavailable', undefined, `The archive sent ${counts} and ended with status ${status}.`));
  }
  return ok(arrivals.files);
}

/** A context for each syntax: the archive sends each image in the one that it keeps it in. */
function storageOf(classes: ReadonlySet<string>): { sopClass: string; transferSyntaxes: string[] }[] {
  const few = [...classes].slice(0, CONTEXTS);
  const syntaxes = SYNTAXES.slice(0, Math.max(1, Math.floor(CONTEXTS / few.length)));
  return few.flatMap((sopClass) => syntaxes.map((syntax) => ({ sopClass, transferSyntaxes: [syntax] })));
}

class Arrivals {
  readonly files = new Map<string, FetchedFile>();
  /** Everything that was sent whole, also what could not be read. */
  readonly seen = new Set<string>();
  /** Why the fetch was ended from this side. */
  refusal: Problem | null = null;
  readonly #order: StudyOrder;
  #drawn = 0;

  constructor(order: StudyOrder) {
    this.#order = order;
  }

  readonly take: InstanceTaker = async ({ sopClass, sopUid, transferSyntax }) => {
    const uids = { sopClass: lenientUid(sopClass), sopUid: lenientUid(sopUid), syntax: lenientUid(transferSyntax) };
    if (!uids.sopClass || !uids.sopUid || !uids.syntax)
      throw this.#refused(new Failure(problem('malformed', undefined, 'The archive sent an instance without a name.')));
    const path = join(this.#order.folder, `${String(++this.#drawn)}.dcm`);
    // As if the archive had stored it at the centre, so that the same image is the same file.
    const callingAe = this.#order.node.aeTitle;
    const head = writePart10Head({
      sopClass: uids.sopClass,
      sopUid: uids.sopUid,
      transferSyntax: uids.syntax,
      callingAe,
    });
    try {
      const file = new Arriving(path, await open(path, 'wx', 0o600), uids.syntax, this.#order.room);
      await file.write(head);
      return this.#receiver(file, uids.sopUid, head.length);
    } catch (cause) {
      throw this.#refused(cause);
    }
  };

  #receiver(file: Arriving, sopUid: Uid, dataSetOffset: number): DataReceiver {
    return {
      data: async (chunk) => {
        try {
          file.prefix.add(chunk);
          file.hash.update(chunk);
          await file.write(chunk);
        } catch (cause) {
          throw this.#refused(cause);
        }
      },
      end: async () => {
        try {
          await file.close();
          this.#keep(file, sopUid, dataSetOffset);
        } catch (cause) {
          throw this.#refused(cause);
        }
      },
      abort: () => {
        file.close().catch((cause: unknown) => {
          this.#order.log.warn({ cause }, 'a file that was being fetched did not close');
        });
      },
    };
  }

  /** An instance that cannot be read is left out, as it would be refused at the centre; one of another study ends it all. */
  #keep(file: Arriving, sopUid: Uid, dataSetOffset: number): void {
    this.seen.add(sopUid);
    const { site, studyUid, at, log } = this.#order;
    const header = file.prefix.header(file.size - dataSetOffset);
    const mapped = header.ok
      ? readInstance(
          header.value,
          site,
          {
            object: '',
            size: file.size,
            dataSetOffset,
            transferSyntax: header.value.transferSyntax,
          },
          at,
        )
      : header;
    if (!mapped.ok) {
      log.warn({ site: site.id, code: mapped.problem.code, where: mapped.problem.where }, 'an instance is left out');
      return;
    }
    const [record] = mapped.records;
    if (record?.keys.studyUid !== studyUid || record.instance.uid !== sopUid)
      throw new Failure(problem('conflict', '(0020,000D)', 'The archive sent another instance than was asked for.'));
    this.files.set(sopUid, { path: file.path, record: hashed(record, file.hash.digest('hex')) });
  }

  #refused(cause: unknown): Error {
    this.refusal ??=
      cause instanceof Failure
        ? cause.problem
        : problem('unavailable', undefined, 'The hub has no room for the images.');
    return cause instanceof Error ? cause : new Error('an instance was not taken');
  }
}

/** One file while its bytes come. */
class Arriving {
  readonly path: string;
  readonly prefix: InstancePrefix;
  /** Of the data set, as for instances at the centre: the head is the hub's own. */
  readonly hash = createHash('sha256');
  size = 0;
  readonly #file: FileHandle;
  readonly #room: (bytes: number) => boolean;

  constructor(path: string, file: FileHandle, transferSyntax: Uid, room: (bytes: number) => boolean) {
    this.path = path;
    this.#file = file;
    this.#room = room;
    this.prefix = new InstancePrefix(transferSyntax);
  }

  async write(chunk: Buffer): Promise<void> {
    if (!this.#room(chunk.length))
      throw new Failure(problem('too-large', undefined, 'The study is larger than the hub fetches at once.'));
    this.size += chunk.length;
    await this.#file.appendFile(chunk);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
