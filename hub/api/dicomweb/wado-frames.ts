/**
 * WADO-RS frames and bulk data (PS3.18 §10.4.1.1.5, .6): ranges of the stored file where the caller takes them as they
 * are, decoded frame by frame where he does not.
 */
import type { InstanceLocated } from '../../core/ports.ts';
import { Failure, problem } from '../../core/problem.ts';
import { readHeader, readRange } from '../../flow/instance-header.ts';
import type { InstanceHeader, PlacedValue } from '../../flow/instance-header.ts';
import type { DataSet } from '../../../mappings/dicom/data-set.ts';
import { numberWidth } from '../../../mappings/dicom/data-set.ts';
import { swapped } from '../../../mappings/dicom/bytes.ts';
import { encodingOf, EXPLICIT_LE } from '../../../mappings/dicom/uids.ts';
import { acceptedBy } from './accept.ts';
import type { DicomwebDeps, OpenFrames } from './deps.ts';
import type { Exchange } from './exchange.ts';
import { instanceOf } from './found.ts';
import { frameForm, frameSyntax, mediaOf, OCTETS, orAsStored } from './media.ts';
import { once, sendMultipart, sendSingle, withSyntax } from './multipart.ts';
import type { Entity } from './multipart.ts';
import type { SeriesReads } from './series-read.ts';

const FRAMES_LIMIT = 2000;

export async function frames(deps: DicomwebDeps, exchange: Exchange, reads: SeriesReads): Promise<void> {
  const list = exchange.request.params.frames;
  const numbers = typeof list === 'string' ? readFrameList(list) : [];
  const found = await instanceOf(exchange.reader, exchange.request);
  await sendFrames(deps, exchange, found, numbers, () => reads.record(exchange, found));
}

/** `1,3,4`: from 1, at most so many that an answer stays one answer. */
export function readFrameList(text: string): number[] {
  if (!/^\d{1,7}(,\d{1,7})*$/.test(text))
    throw new Failure(problem('invalid-value', 'frames', 'Takes frame numbers from 1, separated by commas.'));
  const numbers = text.split(',').map(Number);
  if (numbers.length > FRAMES_LIMIT)
    throw new Failure(problem('limit-exceeded', 'frames', `At most ${FRAMES_LIMIT} frames at once.`));
  if (numbers.includes(0)) throw new Failure(problem('invalid-value', 'frames', 'Frames are counted from 1.'));
  return numbers;
}

/** The frames of a stored instance, as `hub/archive` reads them: by ranges, whatever its size. */
export async function openFrames(
  deps: Pick<DicomwebDeps, 'images' | 'pixels'>,
  located: InstanceLocated,
): Promise<OpenFrames> {
  const read = (start: number, end: number): Promise<Buffer> =>
    readRange(deps.images, located, start, Math.min(end, located.instance.size));
  const opened = await deps.pixels.openFrames({ size: located.instance.size, read });
  if (!opened.ok) throw new Failure(opened.problem);
  return opened.value;
}

/** `numbers` null: every frame. */
async function sendFrames(
  deps: DicomwebDeps,
  exchange: Exchange,
  found: InstanceLocated,
  numbers: readonly number[] | null,
  record = (): Promise<void> => exchange.audited('read', [found.personId], [found.study.studyUid]),
): Promise<void> {
  const ranges = acceptedBy(exchange.request);
  if (!ranges.ok) throw new Failure(ranges.problem);
  const { transferSyntax } = found.instance;
  const opened = await openFrames(deps, found);
  const count = opened.format.frames;
  const wanted = numbers ?? Array.from({ length: count }, (_, at) => at + 1);
  if (wanted.some((number) => number > count)) {
    throw new Failure(problem('not-found', 'frames', `The instance has frames 1 to ${count}.`));
  }
  const form = frameForm(ranges.value, transferSyntax, wanted.length === 1, (from, to) =>
    deps.pixels.canTranscode(from, to),
  );
  if (form === null) {
    const media = [...new Set([mediaOf(frameSyntax(transferSyntax)), OCTETS])];
    throw new Failure(
      problem(
        'unsupported-media',
        'Accept',
        `Frames of this instance can be had as ${media.join(' or ')}, in multipart/related.`,
      ),
    );
  }
  const own = frameSyntax(transferSyntax);
  const contentType = withSyntax(mediaOf(form.syntax), form.syntax);
  const bytesOf = async (number: number): Promise<Buffer> => {
    const frame = await opened.read(number, form.acceptable);
    if (!frame.ok) throw new Failure(orAsStored(frame.problem, [withSyntax(mediaOf(own), own)]));
    return frame.value.bytes;
  };
  // The first is read before the head is sent: its failure is still an answer, and alone its length is known.
  const [first = 1, ...rest] = wanted;
  const bytes = await bytesOf(first);
  await record();
  if (!form.multipart) return sendSingle(deps, exchange, { contentType, body: { bytes } });
  const later = rest.map((number): Entity => ({
    contentType,
    body: { make: async () => once(await bytesOf(number)) },
  }));
  await sendMultipart(deps, exchange, mediaOf(form.syntax), [{ contentType, body: { bytes } }, ...later]);
}

/** The value that a BulkDataURI of the metadata names: `7FE00010`, or `00880200/0/7FE00010` inside a sequence. */
export async function bulkData(deps: DicomwebDeps, exchange: Exchange): Promise<void> {
  const { request } = exchange;
  const path = pathOf(request.params.path);
  const found = await instanceOf(exchange.reader, request);
  const header = await readHeader(deps.images, found);
  if (!header.ok) throw new Failure(header.problem);
  const value = valueAt(header.value, path);
  if (value === null) throw new Failure(problem('not-found', 'bulkdata', 'The instance has no such value.'));
  const placed = value instanceof Uint8Array ? null : value;
  const { encapsulated, littleEndian, deflated } = encodingOf(found.instance.transferSyntax);
  if (placed !== null && (placed.length === null || encapsulated || deflated || !littleEndian)) {
    // Encapsulated, deflated or big endian: the pixels go frame by frame.
    return sendFrames(deps, exchange, found, null);
  }
  const ranges = acceptedBy(request);
  if (!ranges.ok) throw new Failure(ranges.problem);
  const form = frameForm(ranges.value, EXPLICIT_LE, true, () => false);
  if (form === null)
    throw new Failure(
      problem('unsupported-media', 'Accept', `The value can be had as ${OCTETS}, alone or in multipart/related.`),
    );
  await exchange.audited('read', [found.personId], [found.study.studyUid]);
  const spans = placed === null ? [] : [{ start: placed.start, length: placed.length ?? 0 }];
  const body =
    value instanceof Uint8Array
      ? { bytes: Buffer.from(value.buffer, value.byteOffset, value.length) }
      : { located: found, spans };
  const entity = { contentType: withSyntax(OCTETS, EXPLICIT_LE), body };
  await (form.multipart ? sendMultipart(deps, exchange, OCTETS, [entity]) : sendSingle(deps, exchange, entity));
}

function pathOf(parameter: string | string[] | undefined): string[] {
  const path = Array.isArray(parameter) ? parameter : (parameter ?? '').split('/');
  const good =
    path.length % 2 === 1 &&
    path.length <= 64 &&
    path.every((part, at) => (at % 2 === 0 ? /^[0-9A-Fa-f]{8}$/ : /^\d{1,6}$/).test(part));
  if (!good) throw new Failure(problem('invalid-value', 'bulkdata', 'Takes a tag, or tags and item numbers in turn.'));
  return path;
}

/** Bytes in little endian where they are at hand, or where they lie in the file. */
function valueAt(header: InstanceHeader, path: readonly string[]): Buffer | PlacedValue | null {
  const [first = '', ...rest] = path;
  const tag = parseInt(first, 16);
  if (rest.length === 0) {
    if (header.pixels?.tag === tag) return header.pixels;
    const large = header.large.find((value) => value.tag === tag);
    if (large)
      return header.inflated ? header.inflated.subarray(large.start, large.start + (large.length ?? 0)) : large;
  }
  for (const set of header.sets) {
    if (set.has(tag)) return within(set, tag, rest);
  }
  return null;
}

function within(set: DataSet, tag: number, rest: readonly string[]): Buffer | null {
  const element = set.get(tag);
  if (!element) return null;
  const [item, next, ...deeper] = rest;
  if (item === undefined || next === undefined) {
    if (element.items) return null;
    const bytes = set.raw(tag);
    const width = numberWidth(element.vr);
    return set.littleEndian || width < 2 ? bytes : swapped(bytes, width);
  }
  const inner = set.items(tag)[Number(item)];
  return inner ? within(inner, parseInt(next, 16), deeper) : null;
}
