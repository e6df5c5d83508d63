/** The DICOMweb face (PS3.18 §10): every path of QIDO-RS, WADO-RS and STOW-RS, each with its right and its audit. */
import express from 'express';
import type { Request, RequestHandler, Router } from 'express';
import { decide } from '../../core/access.ts';
import type { Act, Caller } from '../../core/access.ts';
import { problem } from '../../core/problem.ts';
import { refuseWrongMethods } from '../wrong-method.ts';
import { annotate } from './annotate.ts';
import { answerProblem } from './answer.ts';
import { capabilities } from './capabilities.ts';
import type { DicomwebDeps } from './deps.ts';
import { exchange } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { instancesOf } from './found.ts';
import { search } from './qido.ts';
import { SeriesReads } from './series-read.ts';
import { feedOf, store } from './stow.ts';
import { bulkData, frames } from './wado-frames.ts';
import { retrieve } from './wado-instances.ts';
import { instanceMetadata, seriesMetadata, studyMetadata } from './wado-metadata.ts';
import { seriesPixelData } from './wado-pixel-data.ts';
import { rendered, thumbnail } from './wado-rendered.ts';

const STUDY = '/studies/:study';
const SERIES = `${STUDY}/series/:series`;
const INSTANCE = `${SERIES}/instances/:instance`;
const FRAMES = `${INSTANCE}/frames/:frames`;

export function dicomwebFace(deps: DicomwebDeps): Router {
  const router = express.Router({ caseSensitive: true, strict: false });
  const reads = new SeriesReads();
  const on = (
    operation: string,
    kind: 'search-records' | 'read-images',
    handle: (exchange: Exchange) => Promise<void>,
  ): RequestHandler => exchange(deps, operation, (): Act => ({ kind }), handle);
  const searches = [
    ['/studies', 'STUDY'],
    ['/series', 'SERIES'],
    ['/instances', 'IMAGE'],
    [`${STUDY}/series`, 'SERIES'],
    [`${STUDY}/instances`, 'IMAGE'],
    [`${SERIES}/instances`, 'IMAGE'],
  ] as const;
  for (const [path, level] of searches)
    router.get(
      path,
      on(`QIDO-RS ${level}`, 'search-records', (at) => search(deps, at, level)),
    );
  for (const [path, name] of [
    [STUDY, 'study'],
    [SERIES, 'series'],
    [INSTANCE, 'instance'],
  ] as const) {
    const objects = async (at: Exchange): Promise<void> =>
      retrieve(deps, at, await instancesOf(at.reader, at.request), name === 'instance');
    router.get(path, on(`WADO-RS ${name}`, 'read-images', objects));
    router.get(
      `${path}/rendered`,
      on(`WADO-RS rendered ${name}`, 'read-images', (at) => rendered(deps, at)),
    );
    router.get(
      `${path}/thumbnail`,
      on(`WADO-RS thumbnail ${name}`, 'read-images', (at) => thumbnail(deps, at)),
    );
  }
  router.get(
    `${STUDY}/metadata`,
    on('WADO-RS metadata study', 'read-images', (at) => studyMetadata(deps, at)),
  );
  router.get(
    `${SERIES}/metadata`,
    on('WADO-RS metadata series', 'read-images', (at) => seriesMetadata(deps, at)),
  );
  router.get(
    `${INSTANCE}/metadata`,
    on('WADO-RS metadata instance', 'read-images', (at) => instanceMetadata(deps, at)),
  );
  router.get(
    `${INSTANCE}/bulkdata/*path`,
    on('WADO-RS bulkdata', 'read-images', (at) => bulkData(deps, at)),
  );
  router.get(
    `${SERIES}/pixeldata`,
    on('WADO-RS pixel data series', 'read-images', (at) => seriesPixelData(deps, at)),
  );
  router.get(
    FRAMES,
    on('WADO-RS frames', 'read-images', (at) => frames(deps, at, reads)),
  );
  router.get(
    `${FRAMES}/rendered`,
    on('WADO-RS rendered frames', 'read-images', (at) => rendered(deps, at)),
  );
  router.get(
    `${FRAMES}/thumbnail`,
    on('WADO-RS thumbnail frames', 'read-images', (at) => thumbnail(deps, at)),
  );
  // Who names no hospital and is none's feed is a reader who saves what he marked.
  const saves = (request: Request, caller: Caller): boolean =>
    feedOf(request, caller) === null && caller.role !== 'administrator' && decide(caller, { kind: 'annotate' }).allowed;
  const feed = (request: Request, caller: Caller): Act =>
    saves(request, caller) ? { kind: 'annotate' } : { kind: 'feed', site: feedOf(request, caller) ?? '' };
  for (const path of ['/studies', STUDY])
    router.post(
      path,
      exchange(deps, 'STOW-RS', feed, (at) => (saves(at.request, at.caller) ? annotate(deps, at) : store(deps, at))),
    );
  router.options(['/', '/studies', '/series', '/instances', '/*path'], capabilities);
  refuseWrongMethods(router, answerProblem);
  router.use((_request, response) => {
    answerProblem(response, problem('not-found', 'path', 'This path belongs to no DICOMweb transaction of the hub.'));
  });
  return router;
}
