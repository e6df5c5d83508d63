/** When the first image stands: what is nice to have waits for it, so that it takes nothing from what is needed. */

/** Cornerstone's event on the element that shows an image. */
const RENDERED = 'CORNERSTONE_IMAGE_RENDERED';

/** Resolves at the first image that is drawn from now on, or when nobody need wait any longer. */
export const firstImage = (longestMs: number): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      document.removeEventListener(RENDERED, shown, true);
      resolve();
    };
    // An empty viewport is drawn as well; an image is there when its pixels are kept.
    const shown = (): void => {
      if ((window.cornerstone?.cache.getCacheSize() ?? 0) > 0) end();
    };
    document.addEventListener(RENDERED, shown, true);
    setTimeout(end, longestMs);
  });
