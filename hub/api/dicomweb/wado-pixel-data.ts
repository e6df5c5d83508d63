/**
 * WADO-RS pixel data of a series (PS3.18 §10.4.1.1, pixel data resources): every frame of it in one answer, each part named
 * by its frame, so that a viewer asks once and not five hundred times. One answer may last for minutes on a slow line, so
 * the right to it is asked again on the way, and its end ends the answer.
 */
import type { InstanceLocated } from '../../core/ports.ts';
import { Failure, problem } from '../../core/problem.ts';
import { EXPLICIT_LE } from '../../../mappings/dicom/uids.ts';
import { acceptedBy } from './accept.ts';
import type { MediaRange } from './accept.ts';
import type { DicomwebDeps } from './deps.ts';
import type { Exchange } from './exchange.ts';
import { instancesOfSeries, seriesOf } from './found.ts';
import { frameForm, frameSyntax, mediaOf, OCTETS, orAsStored } from './media.ts';
import type { FrameForm } from './media.ts';
import { sendEntities, withSyntax } from './multipart.ts';
import type { Entity } from './multipart.ts';
import { openFrames } from './wado-frames.ts';

/** The right is asked again when so much time has passed since it was. */
const ASKED_AGAIN_MS = 1_000;

const NATIVE = withSyntax(OCTETS, EXPLICIT_LE);

interface Chosen {
  readonly located: InstanceLocated;
  readonly form: FrameForm;
}

export async function seriesPixelData(deps: DicomwebDeps, exchange: Exchange): Promise<void> {
  const found = await seriesOf(exchange.reader, exchange.request);
  const ranges = acceptedBy(exchange.request);
  if (!ranges.ok) throw new Failure(ranges.problem);
  const all = instancesOfSeries(found);
  const chosen = all.flatMap((located): Chosen[] => {
    const form = formOf(deps, ranges.value, located);
    return form === null ? [] : [{ located, form }];
  });
  const entities = framesOf(deps, exchange, chosen);
  // The first is made before the head is sent: its failure is still an answer.
  const first = chosen.length === 0 ? null : await entities.next();
  if (first === null || first.done === true) throw notAcceptable(all);
  await exchange.audited('read', [found.personId], [found.study.studyUid, found.series.seriesUid]);
  exchange.response.status(chosen.length < all.length ? 206 : 200);
  const root = first.value.contentType.split(';')[0] ?? OCTETS;
  await sendEntities(deps, exchange, root, whileAllowed(exchange, first.value, entities));
}

const formOf = (deps: DicomwebDeps, ranges: readonly MediaRange[], located: InstanceLocated): FrameForm | null => {
  const form = frameForm(ranges, located.instance.transferSyntax, false, (from, to) =>
    deps.pixels.canTranscode(from, to),
  );
  return form?.multipart === true ? form : null;
};

/** What has no pixels (a report, a key object) has no part. */
async function* framesOf(
  deps: DicomwebDeps,
  { base }: Exchange,
  chosen: readonly Chosen[],
): AsyncGenerator<Entity, undefined> {
  for (const { located, form } of chosen) {
    const opened = await openFrames(deps, located).catch((error: unknown) => {
      if (error instanceof Failure && error.problem.code === 'not-found') return null;
      throw error;
    });
    const { study, series, instance } = located;
    const place = `${base}/studies/${study.studyUid}/series/${series.seriesUid}/instances/${instance.sopUid}`;
    for (let number = 1; number <= (opened?.format.frames ?? 0); number++) {
      const location = `${place}/frames/${String(number)}`;
      const lies = opened?.lies(number, form.acceptable) ?? null;
      if (lies !== null) {
        const span = { start: lies.start, length: lies.end - lies.start };
        yield { contentType: NATIVE, location, body: { located, spans: [span] } };
        continue;
      }
      const frame = await opened?.read(number, form.acceptable);
      if (frame === undefined) break;
      const own = frameSyntax(instance.transferSyntax);
      if (!frame.ok) throw new Failure(orAsStored(frame.problem, [withSyntax(mediaOf(own), own)]));
      const { bytes, transferSyntax } = frame.value;
      const contentType = withSyntax(mediaOf(transferSyntax), transferSyntax);
      yield { contentType, location, body: { bytes } };
    }
  }
}

async function* whileAllowed(
  exchange: Exchange,
  first: Entity,
  rest: AsyncGenerator<Entity, undefined>,
): AsyncGenerator<Entity> {
  let asked = performance.now();
  yield first;
  for await (const entity of rest) {
    if (performance.now() - asked > ASKED_AGAIN_MS) {
      if (!(await exchange.stands())) throw new Failure(problem('forbidden', undefined, 'The right to it has ended.'));
      asked = performance.now();
    }
    yield entity;
  }
}

function notAcceptable(all: readonly InstanceLocated[]): Failure {
  if (all.length === 0)
    return new Failure(problem('not-found', 'series', 'There are no images under this identifier.'));
  const media = all.map(({ instance }) => mediaOf(frameSyntax(instance.transferSyntax)));
  const text = `Pixel data of this series can be had as ${[...new Set([...media, OCTETS])].slice(0, 8).join(' or ')}, in multipart/related.`;
  return new Failure(problem('unsupported-media', 'Accept', text));
}
