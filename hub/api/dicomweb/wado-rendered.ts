/**
 * Rendered images and thumbnails (PS3.18 §10.4.1.1.3, .4, §10.5): pictures for eyes in consumer formats. They are derived
 * and lossy; who diagnoses takes the objects.
 */
import type { Request } from 'express';
import type { InstanceLocated } from '../../core/ports.ts';
import { Failure, problem } from '../../core/problem.ts';
import { acceptedBy } from './accept.ts';
import type { DicomwebDeps, Rendering } from './deps.ts';
import type { Exchange } from './exchange.ts';
import { instancesOf } from './found.ts';
import { once, sendMultipart, sendSingle } from './multipart.ts';
import type { Entity } from './multipart.ts';
import { openFrames, readFrameList } from './wado-frames.ts';

/** Pictures in one answer: rendering is work, and a whole study is asked for by its series. */
const PICTURES_LIMIT = 1000;
const THUMBNAIL = '128,128';
const FORMATS = ['jpeg', 'png', 'gif'] as const;

type Wanted = Omit<Rendering, 'viewport' | 'region'> & { readonly viewport: string | null };

interface Picture {
  readonly located: InstanceLocated;
  /** From 0. */
  readonly frame: number;
}

export async function rendered(deps: DicomwebDeps, exchange: Exchange): Promise<void> {
  const { request } = exchange;
  const how = readRendering(request);
  const instances = (await instancesOf(exchange.reader, request)).filter(isImage);
  const list = request.params.frames;
  const pictures = typeof list === 'string' ? ofFrames(instances, readFrameList(list)) : instances.flatMap(allFrames);
  const [first] = pictures;
  if (first === undefined)
    throw new Failure(problem('not-found', undefined, 'There is no image under this identifier.'));
  if (pictures.length > PICTURES_LIMIT) {
    throw new Failure(
      problem(
        'limit-exceeded',
        undefined,
        `This is ${pictures.length} pictures; at most ${PICTURES_LIMIT} at once. Ask by series, instance or frames.`,
      ),
    );
  }
  if (how.viewport !== null) readViewport(how.viewport, first.located);
  await exchange.audited('read', [first.located.personId], [first.located.study.studyUid]);
  if (pictures.length === 1)
    return sendSingle(deps, exchange, {
      contentType: `image/${how.format}`,
      body: { bytes: await made(deps, first, how) },
    });
  const entities = pictures.map((picture): Entity => ({
    contentType: `image/${how.format}`,
    body: {
      make: async () => once(await made(deps, picture, how)),
    },
  }));
  await sendMultipart(deps, exchange, `image/${how.format}`, entities);
}

/** One small picture that stands for what the path names: the middle frame of the middle image. */
export async function thumbnail(deps: DicomwebDeps, exchange: Exchange): Promise<void> {
  const { request } = exchange;
  const how = readRendering(request);
  const instances = (await instancesOf(exchange.reader, request)).filter(isImage);
  const located = instances[Math.floor(instances.length / 2)];
  if (located === undefined)
    throw new Failure(problem('not-found', undefined, 'There is no image under this identifier.'));
  const list = request.params.frames;
  const frame =
    typeof list === 'string'
      ? (ofFrames([located], readFrameList(list))[0]?.frame ?? 0)
      : Math.floor((located.instance.frames ?? 1) / 2);
  await exchange.audited('read', [located.personId], [located.study.studyUid]);
  const bytes = await made(deps, { located, frame }, { ...how, viewport: how.viewport ?? THUMBNAIL });
  await sendSingle(deps, exchange, { contentType: `image/${how.format}`, body: { bytes } });
}

const isImage = ({ instance }: InstanceLocated): boolean => (instance.rows ?? 0) > 0 && (instance.columns ?? 0) > 0;

const allFrames = (located: InstanceLocated): Picture[] =>
  Array.from({ length: Math.max(1, Math.min(PICTURES_LIMIT + 1, located.instance.frames ?? 1)) }, (_, frame) => ({
    located,
    frame,
  }));

function ofFrames(instances: readonly InstanceLocated[], numbers: readonly number[]): Picture[] {
  return instances.flatMap((located) =>
    numbers.map((number) => {
      if (number > Math.max(1, located.instance.frames ?? 1))
        throw new Failure(problem('not-found', 'frames', 'The instance has no frame of this number.'));
      return { located, frame: number - 1 };
    }),
  );
}

/** The viewport is read picture by picture: a region left open ends at that image's edges. */
async function made(deps: DicomwebDeps, { located, frame }: Picture, how: Wanted): Promise<Buffer> {
  const { viewport: text, ...rest } = how;
  const shown = text === null ? {} : readViewport(text, located);
  const picture = await deps.pixels.render(await openFrames(deps, located), frame + 1, { ...rest, ...shown });
  if (!picture.ok) throw new Failure(picture.problem);
  return picture.value;
}

/** PS3.18 §8.3.5: `quality`, `viewport`, `window`; and the picture's format from what is accepted. */
function readRendering(request: Request): Wanted {
  const how: { -readonly [K in keyof Wanted]: Wanted[K] } = {
    format: pictureFormat(request),
    viewport: textOf(request, 'viewport'),
  };
  const quality = textOf(request, 'quality');
  if (quality !== null) {
    if (!/^\d{1,3}$/.test(quality) || Number(quality) < 1 || Number(quality) > 100)
      throw bad('quality', 'Takes 1 to 100.');
    how.quality = Number(quality);
  }
  const window = textOf(request, 'window');
  if (window !== null) how.window = readWindow(window);
  if (textOf(request, 'iccprofile') !== null && textOf(request, 'iccprofile') !== 'no')
    throw bad('iccprofile', 'Only no is supported.');
  return how;
}

function pictureFormat(request: Request): Rendering['format'] {
  const ranges = acceptedBy(request);
  if (!ranges.ok) throw new Failure(ranges.problem);
  for (const range of ranges.value) {
    const named =
      range.type === 'multipart/related' ? (range.parameters.get('type')?.toLowerCase() ?? '*/*') : range.type;
    if (['*/*', 'image/*', 'multipart/*'].includes(named)) return 'jpeg';
    const found = FORMATS.find((format) => named === `image/${format}`);
    if (found) return found;
  }
  throw new Failure(
    problem(
      'unsupported-media',
      'Accept',
      `Pictures can be had as ${FORMATS.map((format) => `image/${format}`).join(', ')}.`,
    ),
  );
}

const bad = (where: string, text: string): Failure => new Failure(problem('invalid-value', where, text));

function textOf(request: Request, name: string): string | null {
  const value = request.query[name];
  if (value === undefined) return null;
  if (typeof value !== 'string') throw bad(name, 'Is given more than once.');
  return value;
}

const NUMBER = /^[+-]?\d{1,9}(\.\d{1,6})?$/;

const SHAPES = { linear: 'LINEAR', 'linear-exact': 'LINEAR_EXACT', sigmoid: 'SIGMOID' } as const;

/** `center,width,shape` (§8.3.5.1.4). */
function readWindow(text: string): NonNullable<Rendering['window']> {
  const [center = '', width = '', named = 'linear', ...more] = text.split(',').map((part) => part.trim());
  if (more.length > 0 || !NUMBER.test(center) || !NUMBER.test(width) || Number(width) <= 0) {
    throw bad('window', 'Takes center,width,shape with a width above 0.');
  }
  const shape = Object.entries(SHAPES).find(([name]) => name === named)?.[1];
  if (shape === undefined) throw bad('window', `The shape is ${Object.keys(SHAPES).join(', ')}.`);
  return { center: Number(center), width: Number(width), shape };
}

/**
 * `vw,vh[,sx,sy,sw,sh]` (§8.3.5.1.3): the part from (sx,sy), sw wide and sh high, fills the viewport; a negative sw or sh
 * mirrors it. What is left out goes to the image's edges. Rounded to whole pixels.
 */
function readViewport(text: string, { instance }: InstanceLocated): Pick<Rendering, 'viewport' | 'region'> {
  const [width, height, ...source] = text.split(',').map((part) => part.trim());
  const size = (part: string | undefined): number => (/^\d{1,4}$/.test(part ?? '') ? Number(part) : 0);
  if (size(width) < 1 || size(height) < 1 || size(width) > 8192 || size(height) > 8192) {
    throw bad('viewport', 'Width and height are whole numbers from 1 to 8192.');
  }
  const viewport = { width: size(width), height: size(height) };
  if (source.length === 0) return { viewport };
  if (source.length > 4 || !source.every((part) => part === '' || NUMBER.test(part)))
    throw bad('viewport', 'Takes vw,vh,sx,sy,sw,sh.');
  const given = (part: string | undefined, otherwise: number): number =>
    part === undefined || part === '' ? otherwise : Number(part);
  const left = Math.round(Math.abs(given(source[0], 0)));
  const top = Math.round(Math.abs(given(source[1], 0)));
  const across = given(source[2], (instance.columns ?? 0) - left);
  const down = given(source[3], (instance.rows ?? 0) - top);
  const mirrored = { leftRight: across < 0, upDown: down < 0 };
  return {
    viewport,
    region: { left, top, width: Math.round(Math.abs(across)), height: Math.round(Math.abs(down)), mirrored },
  };
}
