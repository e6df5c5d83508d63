/** WADO-URI (PS3.18 §9, IHE RAD-55): one object or one picture by query parameters; its caller is audited as everywhere. */
import express from 'express';
import type { Request, Router } from 'express';
import type { Act } from '../../core/access.ts';
import { lenientUid, parseUid } from '../../core/identifier.ts';
import type { Uid } from '../../core/identifier.ts';
import type { InstanceLocated } from '../../core/ports.ts';
import { Failure, problem } from '../../core/problem.ts';
import { EXPLICIT_LE } from '../../../mappings/dicom/uids.ts';
import { parseAccept, parseMediaType } from './accept.ts';
import type { DicomwebDeps, Rendering } from './deps.ts';
import { exchange } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { orAsStored } from './media.ts';
import { sendSingle } from './multipart.ts';
import { openFrames } from './wado-frames.ts';
import { dicomEntity, DICOM } from './wado-instances.ts';

export function wadoUri(deps: DicomwebDeps): Router {
  const router = express.Router();
  router.get(
    '/',
    exchange(
      deps,
      'WADO-URI',
      (): Act => ({ kind: 'read-images' }),
      (at) => answer(deps, at),
    ),
  );
  return router;
}

const FORMATS = { 'image/jpeg': 'jpeg', 'image/png': 'png', 'image/gif': 'gif' } as const;
type Picture = keyof typeof FORMATS;
const PICTURES = Object.keys(FORMATS) as Picture[];

async function answer(deps: DicomwebDeps, at: Exchange): Promise<void> {
  const { request } = at;
  if (text(request, 'requestType') !== 'WADO') throw bad('requestType', 'Takes WADO.');
  // All three are required, and must agree: an object is never found by its own UID alone (IHE RAD TF-2 4.55).
  const found = await at.reader.instance(
    uid(request, 'studyUID'),
    uid(request, 'seriesUID'),
    uid(request, 'objectUID'),
  );
  if (found === null)
    throw new Failure(problem('not-found', 'objectUID', 'There is no such object in this series and study.'));
  const type = contentType(request, found);
  for (const name of ['presentationUID', 'presentationSeriesUID'])
    if (text(request, name) !== null) throw bad(name, 'Presentation states are not applied here.');
  if (text(request, 'anonymize') !== null) throw bad('anonymize', 'De-identified objects are not given out here.');
  if (type === DICOM) return sendObject(deps, at, found);
  const how = { ...rendering(request, type), ...regionOf(request, found) };
  const frame = wholeNumber(request, 'frameNumber', 1, Math.max(1, found.instance.frames ?? 1)) ?? 1;
  if ((found.instance.rows ?? 0) === 0)
    throw new Failure(
      problem('unsupported-media', 'contentType', 'The object is no image; it can be had as application/dicom.'),
    );
  await at.audited('read', [found.personId], [found.study.studyUid]);
  const picture = await deps.pixels.render(await openFrames(deps, found), frame, how);
  if (!picture.ok) throw new Failure(picture.problem);
  await sendSingle(deps, at, { contentType: type, body: { bytes: picture.value } });
}

async function sendObject(deps: DicomwebDeps, at: Exchange, found: InstanceLocated): Promise<void> {
  for (const name of ['frameNumber', 'rows', 'columns', 'windowCenter', 'windowWidth', 'imageQuality', 'region']) {
    if (text(at.request, name) !== null) throw bad(name, 'Is for pictures, not for application/dicom.');
  }
  const asked = text(at.request, 'transferSyntax');
  const stored = found.instance.transferSyntax;
  const wanted = asked === null ? EXPLICIT_LE : asked === '*' ? stored : parseUid(asked);
  if (wanted === null) throw bad('transferSyntax', 'Takes the UID of a transfer syntax.');
  const can = wanted === stored || deps.pixels.canTranscode(stored, wanted);
  // PS3.18 §9.1.2.1.1.3: without a wish explicit little endian is the default; what cannot be decoded goes as it is.
  if (!can && asked !== null)
    throw new Failure(
      orAsStored(problem('unsupported-media', 'transferSyntax', 'The object cannot be had in this transfer syntax.'), [
        `transferSyntax=${stored}`,
      ]),
    );
  await at.audited('read', [found.personId], [found.study.studyUid]);
  const entity = dicomEntity(deps, found, can ? wanted : stored);
  await sendSingle(deps, at, { ...entity, contentType: DICOM });
}

/** What the parameter lists in order of preference, within what can be made; without one the default of the object (§9.1.2.2). */
function contentType(request: Request, found: InstanceLocated): typeof DICOM | Picture {
  const asked = text(request, 'contentType');
  if (asked === null) return (found.instance.rows ?? 0) > 0 && (found.instance.frames ?? 1) <= 1 ? 'image/jpeg' : DICOM;
  for (const one of asked.split(',')) {
    const type = parseMediaType(one)?.type;
    if (type === DICOM) return DICOM;
    if (type === '*/*' || type === 'image/*') return 'image/jpeg';
    const picture = PICTURES.find((known) => known === type);
    if (picture) return picture;
  }
  throw new Failure(problem('unsupported-media', 'contentType', `Takes ${[DICOM, ...PICTURES].join(', ')}.`));
}

function rendering(request: Request, type: Picture): Rendering {
  const accepted = parseAccept(request.headers.accept ?? '');
  if (!accepted.ok) throw new Failure(accepted.problem);
  if (text(request, 'transferSyntax') !== null) throw bad('transferSyntax', 'Is for application/dicom.');
  const how: { -readonly [K in keyof Rendering]: Rendering[K] } = { format: FORMATS[type] };
  const quality = wholeNumber(request, 'imageQuality', 1, 100);
  if (quality !== null) how.quality = quality;
  const [rows, columns] = [wholeNumber(request, 'rows', 1, 8192), wholeNumber(request, 'columns', 1, 8192)];
  if (rows !== null || columns !== null) how.viewport = { width: columns ?? 8192, height: rows ?? 8192 };
  const [center, width] = [decimal(request, 'windowCenter'), decimal(request, 'windowWidth')];
  if ((center === null) !== (width === null)) throw bad('windowCenter', 'Goes together with windowWidth.');
  if (center !== null && width !== null) {
    if (width <= 0) throw bad('windowWidth', 'Must be above 0.');
    how.window = { center, width, shape: 'LINEAR' };
  }
  return how;
}

/** `xmin,ymin,xmax,ymax` as parts of the image from its top left corner (PS3.18 §9.1.2.2), rounded to whole pixels. */
function regionOf(request: Request, { instance }: InstanceLocated): Pick<Rendering, 'region'> {
  const asked = text(request, 'region');
  if (asked === null) return {};
  const parts = asked.split(',').map((part) => (/^[01](\.\d{1,9})?$/.test(part.trim()) ? Number(part) : NaN));
  const [left = NaN, top = NaN, right = NaN, bottom = NaN] = parts;
  if (parts.length !== 4 || !(left < right && top < bottom && right <= 1 && bottom <= 1))
    throw bad('region', 'Takes xmin,ymin,xmax,ymax from 0.0 to 1.0.');
  const [columns, rows] = [instance.columns ?? 0, instance.rows ?? 0];
  const [x, y] = [Math.floor(left * columns), Math.floor(top * rows)];
  const width = Math.max(1, Math.round(right * columns) - x);
  return { region: { left: x, top: y, width, height: Math.max(1, Math.round(bottom * rows) - y) } };
}

const bad = (where: string, words: string): Failure => new Failure(problem('invalid-value', where, words));

function text(request: Request, name: string): string | null {
  const value = request.query[name];
  if (value === undefined) return null;
  if (typeof value !== 'string') throw bad(name, 'Is given more than once.');
  return value;
}

function uid(request: Request, name: string): Uid {
  const value = text(request, name);
  if (value === null || value === '') throw new Failure(problem('required-missing', name, 'Is required.'));
  const found = lenientUid(value);
  if (found === null) throw bad(name, 'Takes a DICOM UID.');
  return found;
}

function wholeNumber(request: Request, name: string, least: number, most: number): number | null {
  const value = text(request, name);
  if (value === null) return null;
  if (!/^\d{1,9}$/.test(value) || Number(value) < least || Number(value) > most)
    throw bad(name, `Takes ${least} to ${most}.`);
  return Number(value);
}

function decimal(request: Request, name: string): number | null {
  const value = text(request, name);
  if (value === null) return null;
  if (!/^[+-]?\d{1,9}(\.\d{1,6})?$/.test(value)) throw bad(name, 'Takes a number.');
  return Number(value);
}
