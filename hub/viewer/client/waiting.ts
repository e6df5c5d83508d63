/**
 * A viewer that was started before it is needed: in a hidden frame of the portal it loads everything that takes time and
 * waits without a study. It is told one, once, by a launch link that it opens itself, so that the code is used once and the
 * hub decides as ever; the frame is thrown away with the patient.
 */
import { loadForStudy } from './ohif.ts';
import { warmUp } from './warm-up.ts';
import type { Services } from './ohif.ts';

const WAITING = '/viewer/waiting';
const PAGE = '/viewer/viewer';
const LINK = /^\/viewer\/launch\?code=[\w-]+$/;

/** Only ever in a frame of the hub's own portal. */
export const isWaiting = (): boolean => location.pathname === WAITING && window.parent !== window;

const tell = (kind: 'ready' | 'opened' | 'refused'): void =>
  window.parent.postMessage({ hutongViewer: kind }, location.origin);

/** `begin` runs when the study stands in the address, before it is shown. */
export function awaitStudy(begin: () => void): void {
  const heard = (event: MessageEvent<{ readonly hutongLaunch?: unknown } | null>): void => {
    const link = event.data?.hutongLaunch;
    if (event.origin !== location.origin || event.source !== window.parent) return;
    if (typeof link !== 'string' || !LINK.test(link)) return;
    removeEventListener('message', heard);
    open(link, begin).then(
      (isOpen) => tell(isOpen ? 'opened' : 'refused'),
      () => tell('refused'),
    );
  };
  addEventListener('message', heard);
}

async function open(link: string, begin: () => void): Promise<boolean> {
  const answer = await fetch(link, { headers: { accept: 'text/html' } });
  const to = new URL(answer.url);
  // A launch of a system brings a cookie of its own path; this viewer is the session's.
  if (!answer.ok || to.origin !== location.origin || to.pathname !== PAGE || to.searchParams.has('launch'))
    return false;
  history.replaceState(history.state, '', `${PAGE}${to.search}`);
  begin();
  // The router of OHIF reads the address again.
  dispatchEvent(new PopStateEvent('popstate', { state: history.state as unknown }));
  return true;
}

/** When the bundles have run: what draws is made ready too, and the portal may show the frame at a click. */
export function tellReady({ services }: Services, before: () => void): void {
  const ready = (): void => {
    before();
    const engine = services.cornerstoneViewportService.getRenderingEngine();
    const warm = engine === null || window.cornerstone === undefined ? null : warmUp(window.cornerstone, engine);
    void Promise.all([warm, loadForStudy()])
      .catch(() => performance.mark('hutong-cold')) // the first image will pay for it, and say what is wrong
      .then(() => tell('ready'));
  };
  // Extensions are registered one after the other, and the pages drawn after them.
  setTimeout(() => requestIdleCallback(ready, { timeout: 2_000 }), 0);
}
