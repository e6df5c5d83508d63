/** `POST …/studies/{study}/key-images`: what a reader marked becomes a key object selection of the study (IHE RAD KIN). */
import type { RequestHandler } from 'express';
import { groundsOf } from '../../core/access-ports.ts';
import { decide } from '../../core/access.ts';
import { audited } from '../../core/audit.ts';
import { lenientUid } from '../../core/identifier.ts';
import type { StudyLocated } from '../../core/ports.ts';
import { fail, ok, problem } from '../../core/problem.ts';
import type { Result } from '../../core/problem.ts';
import type { MadeManifest } from '../../flow/manifest.ts';
import { parseObject } from '../../../mappings/rest/index.ts';
import { callerOf } from '../caller.ts';
import { keepAnnotation, readerName } from '../dicomweb/index.ts';
import type { DicomwebDeps } from '../dicomweb/index.ts';
import { readBytes } from '../rest/body.ts';
import { sendProblem } from '../rest/problem.ts';
import { readable } from './beside.ts';
import type { BesideDeps } from './beside.ts';

const MAX_BODY = 64 * 1024;
const MAX_IMAGES = 200;
const OPERATION = 'POST /viewer/*/studies/*/key-images';

export interface KeyImageDeps extends BesideDeps {
  readonly dicomweb: DicomwebDeps;
  /** Makes the document of the images that `study` still holds. */
  readonly write: (
    located: StudyLocated,
    keys: { readonly markedBy: string; readonly frames: Readonly<Record<string, readonly number[]>> },
  ) => MadeManifest | null;
}

interface Marked {
  readonly series: string;
  readonly instance: string;
  readonly frame: number;
}

export function keyImageHandler(deps: KeyImageDeps): RequestHandler {
  return async (request, response) => {
    const found = await readable(deps, callerOf(response), request.params['study'], OPERATION);
    const body = await readBytes(request, MAX_BODY);
    const marked = body.ok ? readMarked(body.value) : body;
    const refusal = [found, marked].find((step) => !step.ok);
    if (!found.ok || !marked.ok) {
      if (refusal?.ok === false) sendProblem(response, refusal.problem);
      return;
    }
    const { caller, sight, studyUid } = found.value;
    const decision = decide(caller, { kind: 'annotate' });
    const record =
      (action: 'change' | 'refuse', outcome: 'success' | 'refused') =>
      async (_action: unknown, persons: readonly string[], objects: readonly string[]): Promise<void> =>
        deps.audit.record({
          ...audited(caller),
          face: 'viewer',
          operation: OPERATION,
          action,
          outcome,
          persons,
          objects,
          ...groundsOf(sight.told()),
        });
    if (!decision.allowed) {
      await record('refuse', 'refused')(null, [found.value.personId], [studyUid]);
      sendProblem(response, problem('forbidden', undefined, decision.reason));
      return;
    }
    const located = await deps.dicomweb.reader.study(studyUid, { instances: true });
    const kept = located === null ? null : only(located, marked.value);
    const made =
      kept === null ? null : deps.write(kept, { markedBy: readerName(caller), frames: framesOf(kept, marked.value) });
    if (made === null) {
      sendProblem(response, problem('not-found', 'images', 'The study has no such image.'));
      return;
    }
    const outcome = await keepAnnotation(
      deps.dicomweb,
      { caller, audited: record('change', 'success') },
      made.bytes,
      studyUid,
    );
    if (!outcome.ok) sendProblem(response, outcome.problem);
    else response.status(201).json({ studyInstanceUid: studyUid, sopInstanceUid: outcome.sopUid });
  };
}

function readMarked(bytes: Buffer): Result<readonly Marked[]> {
  const body = parseObject(bytes.toString('utf8'));
  if (!body.ok) return body;
  const { images } = body.value as { images?: unknown };
  const bad = fail(problem('invalid-value', 'images', 'Takes images, each with series, instance and frame.'));
  if (!Array.isArray(images) || images.length === 0 || images.length > MAX_IMAGES) return bad;
  const marked: Marked[] = [];
  for (const one of images as unknown[]) {
    const { series, instance, frame } = (typeof one === 'object' && one !== null ? one : {}) as Record<string, unknown>;
    if (typeof series !== 'string' || typeof instance !== 'string') return bad;
    if (lenientUid(series) === null || lenientUid(instance) === null) return bad;
    if (typeof frame !== 'number' || !Number.isSafeInteger(frame) || frame < 1 || frame > 1_000_000) return bad;
    marked.push({ series, instance, frame });
  }
  return ok(marked);
}

/** The study with nothing but what was marked; null: something marked is not of it. */
function only(located: StudyLocated, marked: readonly Marked[]): StudyLocated | null {
  const wanted = new Set(marked.map(({ series, instance }) => `${series} ${instance}`));
  const series = located.study.series.map((one) => ({
    ...one,
    instances: one.instances.filter(({ sopUid }) => wanted.delete(`${one.seriesUid} ${sopUid}`)),
  }));
  return wanted.size > 0 ? null : { ...located, study: { ...located.study, series } };
}

/** Frames are named where an image has several (PS3.3 table 10-3). */
function framesOf({ study }: StudyLocated, marked: readonly Marked[]): Readonly<Record<string, readonly number[]>> {
  const frames: Record<string, number[]> = {};
  for (const { instances } of study.series)
    for (const { sopUid, frames: count } of instances)
      if ((count ?? 1) > 1)
        frames[sopUid] = marked.filter(({ instance }) => instance === sopUid).map(({ frame }) => frame);
  return frames;
}
