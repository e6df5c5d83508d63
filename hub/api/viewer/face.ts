/** /viewer: the diagnostic viewer on the hub's own origin. */
import { Router } from 'express';
import { openViewerFiles } from './files.ts';
import { sendPage, sendUnbuilt } from './page.ts';

export interface ViewerDeps {
  /** What `npm run build` made. */
  readonly dist: string;
  /** Origins whose pages may show the viewer in a frame. */
  readonly embedders: readonly string[];
}

/** Routes of the viewer's own: OHIF draws what stands behind them. */
const SHOWN = ['/viewer'];

export function viewerPages(deps: ViewerDeps): Router {
  const router = Router({ caseSensitive: true });
  const { build, serve } = openViewerFiles(deps.dist);
  router.use(serve);
  router.get(['/', ...SHOWN], (request, response) => {
    if (build === null) sendUnbuilt(response);
    else if (request.path === '/') response.redirect(302, '/');
    else sendPage(response, build, deps.embedders);
  });
  return router;
}
