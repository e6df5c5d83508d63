/**
 * Draws an image of nobody out of sight, once, so that what the first drawing costs (contexts, shaders, what the device can)
 * is spent before a reader waits for it. Nothing of it is kept.
 */
import type { Cornerstone, RenderingEngine } from './ohif.ts';

const IMAGE = 'hutong:warm';
const VIEWPORT = 'hutong.warm';
const SIDE = 16;

export async function warmUp({ cache, imageLoader, utilities }: Cornerstone, engine: RenderingEngine): Promise<void> {
  const element = document.createElement('div');
  // About as large as one image beside the panels: the context is made in that size.
  element.style.cssText = 'position:fixed;left:0;top:0;width:60vw;height:85vh;visibility:hidden';
  document.body.append(element);
  try {
    imageLoader.createAndCacheLocalImage(IMAGE, {
      scalarData: new Int16Array(SIDE * SIDE),
      dimensions: [SIDE, SIDE],
      spacing: [1, 1],
      origin: [0, 0, 0],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    });
    utilities.genericMetadataProvider.add(IMAGE, { type: 'generalSeriesModule', metadata: { modality: 'CT' } });
    engine.enableElement({ viewportId: VIEWPORT, element, type: 'stack' });
    await engine.getViewport(VIEWPORT)?.setStack([IMAGE]);
    engine.renderViewport(VIEWPORT);
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
  } finally {
    engine.disableElement(VIEWPORT);
    cache.removeImageLoadObject(IMAGE);
    element.remove();
  }
}
