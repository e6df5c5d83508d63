/**
 * WADO-RS frames and bulk data (PS3.18 §10.4.1.1.5, .6): ranges of the stored file where the caller takes them as they
 * are, decoded frame by frame where he does not.
 */
import type { InstanceLocated } from '../../core/ports.ts';
import { Failure, problem } from '../../core/problem.ts';
import { readHeader } from '../../flow/instance-header.ts';
import type { InstanceHeader, PlacedValue } from '../../flow/instance-header.ts';
import type { DataSet } from '../../../mappings/dicom/data-set.ts';
import { numberWidth } from '../../../mappings/dicom/data-set.ts';
import { swapped } from '../../../mappings/dicom/bytes.ts';
import { EXPLICIT_LE } from '../../../mappings/dicom/uids.ts';
import { acceptedBy } from './accept.ts';
import type { DicomwebDeps } from './deps.ts';
import type { Exchange } from './exchange.ts';
import { instanceOf } from './found.ts';
import { frameForm, isPlain, mediaOf, OCTETS } from './media.ts';
import { sendMultipart, sendSingle, withSyntax } from './multipart.ts';
import type { Entity } from './multipart.ts';

const FRAMES_LIMIT = 10_000;

export async function frames(deps: DicomwebDeps, exchange: Exchange): Promise<void> {
  const list = exchange.request.params.frames;
  const numbers = typeof list === 'string' ? readFrameList(list) : [];
  const found = await instanceOf(deps.reader, exchange.request);
  await sendFrames(deps, exchange, found, numbers);
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

/** `numbers` null: every frame. */
async function sendFrames(
  deps: DicomwebDeps,
  exchange: Exchange,
  found: InstanceLocated,
  numbers: readonly number[] | null,
): Promise<void> {
  const ranges = acceptedBy(exchange.request);
  if (!ranges.ok) throw new Failure(ranges.problem);
  const { transferSyntax } = found.instance;
  const count = Math.max(1, found.instance.frames ?? 1);
  const wanted = numbers ?? Array.from({ length: count }, (_, at) => at + 1);
  const form = frameForm(ranges.value, transferSyntax, wanted.length === 1);
  if (form === null) {
    throw new Failure(
      problem(
        'unsupported-media',
        'Accept',
        `Frames of this instance can be had as ${[...new Set([mediaOf(transferSyntax), OCTETS])].join(' or ')}, in multipart/related.`,
      ),
    );
  }
  const entities = form.asStored ? await storedFrames(deps, found, wanted) : decodedFrames(deps, found, wanted, count);
  await exchange.audited('read', [found.personId], [found.study.studyUid]);
  const [only] = entities;
  if (!form.multipart && only !== undefined) return sendSingle(deps, exchange, only);
  await sendMultipart(deps, exchange, form.asStored ? mediaOf(transferSyntax) : OCTETS, entities);
}

const noFrame = (): Failure => new Failure(problem('not-found', 'frames', 'The instance has no frame of this number.'));

async function storedFrames(
  deps: DicomwebDeps,
  located: InstanceLocated,
  numbers: readonly number[],
): Promise<Entity[]> {
  const map = await deps.frames.locate(located);
  if (!map.ok) throw new Failure(map.problem);
  const { transferSyntax } = located.instance;
  const contentType = withSyntax(mediaOf(transferSyntax), isPlain(transferSyntax) ? EXPLICIT_LE : transferSyntax);
  return numbers.map((number) => {
    const spans = map.value.frames[number - 1];
    if (spans === undefined) throw noFrame();
    return { contentType, body: { located, spans } };
  });
}

function decodedFrames(
  deps: DicomwebDeps,
  located: InstanceLocated,
  numbers: readonly number[],
  count: number,
): Entity[] {
  const contentType = withSyntax(OCTETS, EXPLICIT_LE);
  return numbers.map((number) => {
    if (number > count) throw noFrame();
    const make = async (): Promise<AsyncIterable<Uint8Array>> => {
      const made = await deps.pixels.decodeFrame(located, number - 1);
      if (!made.ok) throw new Failure(made.problem);
      return once(made.value);
    };
    return { contentType, body: { make } };
  });
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** The value that a BulkDataURI of the metadata names: `7FE00010`, or `00880200/0/7FE00010` inside a sequence. */
export async function bulkData(deps: DicomwebDeps, exchange: Exchange): Promise<void> {
  const { request } = exchange;
  const path = pathOf(request.params.path);
  const found = await instanceOf(deps.reader, request);
  const header = await readHeader(deps.images, found);
  if (!header.ok) throw new Failure(header.problem);
  const value = valueAt(header.value, path);
  if (value === null) throw new Failure(problem('not-found', 'bulkdata', 'The instance has no such value.'));
  const placed = value instanceof Uint8Array ? null : value;
  if (placed !== null && (placed.length === null || !isPlain(found.instance.transferSyntax))) {
    // Encapsulated, deflated or big endian: the pixels go frame by frame.
    return sendFrames(deps, exchange, found, null);
  }
  const ranges = acceptedBy(request);
  if (!ranges.ok) throw new Failure(ranges.problem);
  const form = frameForm(ranges.value, EXPLICIT_LE, true);
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
