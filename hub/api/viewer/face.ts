/**
 * /viewer: the diagnostic viewer on the hub's own origin. Its files need no caller; what it shows lies below `own`, for who
 * is signed in, and below `launched/{id}`, for who came by a launch: the same routes behind two doors.
 */
import { Router } from 'express';
import { dicomwebFace } from '../dicomweb/index.ts';
import { besideHandler } from './beside.ts';
import { openViewerFiles } from './files.ts';
import { keyImageHandler } from './key-images.ts';
import type { KeyImageDeps } from './key-images.ts';
import { launchHandler } from './launch.ts';
import { csrfOf, launchedCaller, onlyThePerson } from './launched.ts';
import type { LaunchedDeps } from './launched.ts';
import { sendPage, sendUnbuilt } from './page.ts';

export interface ViewerDeps extends KeyImageDeps, LaunchedDeps {
  /** What `npm run build` made. */
  readonly dist: string;
  /** Origins whose pages may show the viewer in a frame. */
  readonly embedders: readonly string[];
  readonly clock: () => Date;
}

export function viewerFace(deps: ViewerDeps): Router {
  const router = Router({ caseSensitive: true });
  const { build, serve } = openViewerFiles(deps.dist);
  router.use(serve);
  router.get(['/', '/viewer', '/waiting'], (request, response) => {
    if (build === null) sendUnbuilt(response);
    else if (request.path === '/') response.redirect(302, '/');
    else sendPage(response, build, deps.embedders);
  });
  router.get('/launch', launchHandler(deps));
  router.use(
    '/own',
    studies(deps, () => null),
  );
  router.use('/launched/:launch', launchedCaller(deps), onlyThePerson(deps), studies(deps, csrfOf));
  return router;
}

function studies(deps: ViewerDeps, csrf: Parameters<typeof besideHandler>[1]): Router {
  const router = Router({ caseSensitive: true });
  router.use('/dicomweb', dicomwebFace(deps.dicomweb));
  router.get('/studies/:study', besideHandler(deps, csrf));
  router.post('/studies/:study/key-images', keyImageHandler(deps));
  return router;
}
