/**
 * WADO-RS of DICOM objects (PS3.18 §10.4): studies, series and instances as Part-10 files, each in a transfer syntax the
 * caller accepts; as stored where that is one of them, so that nothing is decoded without need.
 */
import type { Uid } from '../../core/identifier.ts';
import { parseUid } from '../../core/identifier.ts';
import type { InstanceLocated } from '../../core/ports.ts';
import { Failure, problem } from '../../core/problem.ts';
import { readRange } from '../../flow/instance-header.ts';
import { EXPLICIT_LE } from '../../../mappings/dicom/uids.ts';
import { acceptedBy } from './accept.ts';
import type { MediaRange } from './accept.ts';
import type { DicomwebDeps } from './deps.ts';
import type { Exchange } from './exchange.ts';
import { orAsStored } from './media.ts';
import { once, sendMultipart, sendSingle, withSyntax } from './multipart.ts';
import type { Entity } from './multipart.ts';

export const DICOM = 'application/dicom';

/** Transcoding holds the whole object: larger ones are had as stored. */
const TRANSCODED_LIMIT = 1024 ** 3;

const tooLarge = (): Failure =>
  new Failure(
    problem('too-large', undefined, 'The object is too large to be transcoded; take it with transfer-syntax=*.'),
  );

/** One acceptable form, best first: `*` takes every transfer syntax. */
export interface Form {
  readonly multipart: boolean;
  readonly syntax: Uid | '*';
  /** The caller named no transfer syntax: what cannot be had in the default one is taken as stored. */
  readonly orStored?: boolean;
}

/**
 * PS3.18 §8.7.3.5.2: without `transfer-syntax` the default is explicit VR little endian, unless the origin server has the
 * pixels in a form only that cannot be written so (§8.7.3); a mere `*` takes all.
 */
export function dicomForms(ranges: readonly MediaRange[], single: boolean): Form[] {
  return ranges.flatMap((range): Form[] => {
    const wanted = range.parameters.get('transfer-syntax');
    const syntax = wanted === '*' ? '*' : wanted === undefined ? EXPLICIT_LE : parseUid(wanted);
    if (range.type === '*/*') return [{ multipart: true, syntax: '*' }];
    if (range.type === 'multipart/*') return [{ multipart: true, syntax: '*' }];
    if (range.type === 'application/*' && single) return [{ multipart: false, syntax: '*' }];
    if (syntax === null) return [];
    const orStored = wanted === undefined;
    if (range.type === DICOM && single) return [{ multipart: false, syntax, orStored }];
    const type = range.parameters.get('type')?.toLowerCase();
    if (range.type === 'multipart/related' && type === undefined) return [{ multipart: true, syntax: '*' }];
    return range.type === 'multipart/related' && type === DICOM ? [{ multipart: true, syntax, orStored }] : [];
  });
}

/** The transfer syntax to send in: the stored one where it is acceptable, else the best that can be made; null: none. */
export function syntaxFor(
  deps: Pick<DicomwebDeps, 'pixels'>,
  located: InstanceLocated,
  forms: readonly Form[],
): Uid | null {
  const stored = located.instance.transferSyntax;
  if (forms.some((form) => form.syntax === '*' || form.syntax === stored)) return stored;
  for (const { syntax } of forms) {
    if (syntax !== '*' && located.instance.size <= TRANSCODED_LIMIT && deps.pixels.canTranscode(stored, syntax))
      return syntax;
  }
  return forms.some((form) => form.orStored === true) ? stored : null;
}

export function dicomEntity(
  deps: Pick<DicomwebDeps, 'pixels' | 'images'>,
  located: InstanceLocated,
  syntax: Uid,
): Entity {
  const { instance } = located;
  const contentType = withSyntax(DICOM, syntax);
  if (syntax === instance.transferSyntax)
    return { contentType, body: { located, spans: [{ start: 0, length: instance.size }] } };
  const make = async (): Promise<AsyncIterable<Uint8Array>> => {
    if (instance.size > TRANSCODED_LIMIT) throw tooLarge();
    const made = await deps.pixels.transcode(await readRange(deps.images, located, 0, instance.size), syntax);
    if (!made.ok) throw new Failure(orAsStored(made.problem, [withSyntax(DICOM, instance.transferSyntax)]));
    return once(made.value);
  };
  return { contentType, body: { make } };
}

/** Sends `instances` in acceptable forms; those that have none are left out and the answer is 206, all: 406. */
export async function retrieve(
  deps: DicomwebDeps,
  exchange: Exchange,
  instances: readonly InstanceLocated[],
  single: boolean,
): Promise<void> {
  const first = instances[0];
  if (first === undefined)
    throw new Failure(problem('not-found', undefined, 'There are no images under this identifier.'));
  const ranges = acceptedBy(exchange.request);
  if (!ranges.ok) throw new Failure(ranges.problem);
  const forms = dicomForms(ranges.value, single);
  if (forms.length === 0) throw notAcceptable(instances, single);
  const multipart = forms[0]?.multipart ?? true;
  const usable = forms.filter((form) => form.multipart === multipart);
  const chosen = instances.flatMap((located) => {
    const syntax = syntaxFor(deps, located, usable);
    return syntax === null ? [] : [{ located, syntax }];
  });
  if (chosen.length === 0) throw notAcceptable(instances, single);
  await exchange.audited('read', [first.personId], [first.study.studyUid]);
  exchange.response.status(chosen.length < instances.length ? 206 : 200);
  if (chosen.length < instances.length) {
    const left = String(instances.length - chosen.length);
    exchange.response.setHeader(
      'Warning',
      `299 hub "${left} instances cannot be had in an acceptable transfer syntax"`,
    );
  }
  const entities = chosen.map(({ located, syntax }) => dicomEntity(deps, located, syntax));
  const [only] = entities;
  if (!multipart && only !== undefined) await sendSingle(deps, exchange, only);
  else await sendMultipart(deps, exchange, DICOM, entities);
}

function notAcceptable(instances: readonly InstanceLocated[], single: boolean): Failure {
  const text = `Takes multipart/related; type="application/dicom"${single ? ' or application/dicom' : ''}, with transfer-syntax=* for as stored.`;
  const stored = instances.map(({ instance }) => withSyntax(DICOM, instance.transferSyntax));
  return new Failure(orAsStored(problem('unsupported-media', 'Accept', text), stored));
}
