/**
 * A series as one answer instead of a request for each image: when its first image stands, the hub is asked for the pixel
 * data of the whole series, and each frame is decoded and kept as it arrives, by the loader that would have asked for it.
 * What the reader looks at meanwhile is asked for alone, at once; what the answer lacks is left to that loader too.
 */
import { FrameWorker } from './frame-worker.ts';
import type { Part } from './frame-worker.ts';
import { NativeFrames } from './native-frames.ts';
import { addProvider } from './ohif.ts';
import type { Cornerstone, Services, StackViewport } from './ohif.ts';

const RENDERED = 'CORNERSTONE_IMAGE_RENDERED';
/** Of cornerstone's metadata: bytes of a frame that are here already. */
const FRAME_DATA = 'compressedFrameData';
const FIRST_ASKED = 10_000;
/** Shorter ones are as quick one by one. */
const LEAST_IMAGES = 16;
/** Images fetched ahead before the first one stands: what it needs comes first, and the rest may come as one answer. */
export const FEW_AHEAD = 2;
const KEPT_SERIES = 1_000;

/** `…/studies/{study}/series/{series}`, and the frame within it. */
const PLACE = /^wadors:(.+\/series\/[0-9.]+)(\/instances\/[0-9.]+\/frames\/\d+)$/;
const FRAME = /\/instances\/[0-9.]+\/frames\/\d+$/;

interface Arrived {
  readonly pixelData: Uint8Array<ArrayBuffer>;
  readonly transferSyntaxUid: string;
}

/** Of a slow or dear line nothing is taken that was not asked for. */
const isSparing = (): boolean => {
  const { connection } = navigator as {
    readonly connection?: { readonly saveData?: boolean; readonly effectiveType?: string };
  };
  return connection?.saveData === true || /2g|3g/.test(connection?.effectiveType ?? '');
};

export class SeriesStreams {
  readonly #services: Services['services'];
  readonly #ahead: number;
  readonly #arrived = new Map<string, Arrived>();
  readonly #worker = new FrameWorker('/viewer/hutong-worker.js');
  readonly #native = new NativeFrames(this.#worker);
  readonly #asked = new Set<string>();
  readonly #waiting: { readonly series: string; readonly imageIds: readonly string[] }[] = [];
  #running = false;
  #offered = false;

  /** `ahead`: images fetched ahead at once, from the first image on. */
  constructor({ services }: Services, ahead: number) {
    this.#services = services;
    this.#ahead = ahead;
  }

  /** From the first image of a stack on. */
  watch(): void {
    document.addEventListener(RENDERED, (event) => this.#seen(event), true);
  }

  #seen(event: Event): void {
    const { cornerstone } = window;
    const { viewportId } = (event as CustomEvent<{ readonly viewportId?: string }>).detail;
    if (cornerstone === undefined || viewportId === undefined || cornerstone.cache.getCacheSize() === 0) return;
    const stack = this.#stackOf(viewportId);
    const imageIds = stack?.getImageIds() ?? [];
    const series = PLACE.exec(imageIds[0] ?? '')?.[1];
    if (stack !== null && series === undefined) return; // nothing of the hub stands there yet
    if (series !== undefined) this.#ask(cornerstone, series, imageIds);
    if (!this.#running) this.#fetchAhead(cornerstone);
  }

  #fetchAhead({ imageLoadPoolManager: pool }: Cornerstone): void {
    if (pool.maxNumRequests.prefetch === this.#ahead) return;
    pool.maxNumRequests.prefetch = this.#ahead;
    pool.startGrabbing();
  }

  #ask(cornerstone: Cornerstone, series: string, imageIds: readonly string[]): void {
    if (this.#asked.has(series) || imageIds.length < LEAST_IMAGES) return;
    if (this.#asked.size >= KEPT_SERIES) this.#asked.clear();
    this.#asked.add(series);
    if (isSparing() || !fits(cornerstone, imageIds)) return;
    this.#offer();
    this.#waiting.push({ series, imageIds });
    if (!this.#running) void this.#run(cornerstone);
  }

  #stackOf(viewportId: string): StackViewport | null {
    const viewport = this.#services.cornerstoneViewportService.getCornerstoneViewport(viewportId);
    return viewport?.type === 'stack' && viewport.getImageIds !== undefined ? (viewport as StackViewport) : null;
  }

  #isShown(series: string): boolean {
    const { viewports } = this.#services.viewportGridService.getState();
    return [...viewports.keys()].some(
      (id) => this.#stackOf(id)?.getImageIds()[0]?.startsWith(`wadors:${series}/`) === true,
    );
  }

  /** The loader looks here before it asks the hub. What it takes is gone from here. */
  #offer(): void {
    if (this.#offered) return;
    this.#offered = true;
    addProvider(
      FRAME_DATA,
      (next, imageId, data, options) => {
        const arrived = this.#arrived.get(imageId);
        if (arrived === undefined) return next(imageId, data, options);
        this.#arrived.delete(imageId);
        return arrived;
      },
      { priority: FIRST_ASKED, isDefault: false },
    );
  }

  async #run(cornerstone: Cornerstone): Promise<void> {
    this.#running = true;
    // What would be fetched ahead one by one comes with the answer; what is looked at is asked for as ever.
    cornerstone.imageLoadPoolManager.maxNumRequests.prefetch = 0;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        const { series, imageIds } = next;
        if (this.#isShown(series)) await this.#take(cornerstone, series, imageIds);
      }
    } catch {
      performance.mark('hutong-series-broke'); // no worker: the loader goes on as ever
    } finally {
      this.#running = false;
      this.#arrived.clear();
      this.#fetchAhead(cornerstone);
    }
  }

  async #take(cornerstone: Cornerstone, series: string, imageIds: readonly string[]): Promise<void> {
    const accept = 'multipart/related; type=application/octet-stream; transfer-syntax=*';
    const byFrame = new Map(imageIds.map((imageId) => [PLACE.exec(imageId)?.[2] ?? '', imageId]));
    const asked = { url: `${series}/pixeldata`, accept, mostBytes: cornerstone.cache.getMaxCacheSize() };
    const keep = async (part: Part): Promise<void> => {
      const imageId = byFrame.get(FRAME.exec(part.location)?.[0] ?? '');
      if (imageId !== undefined && cornerstone.cache.getImageLoadObject(imageId) === undefined)
        await this.#keep(cornerstone, imageId, part);
    };
    // Until the reader goes on to something else. The loader asks for what is missing, one by one, and says what is wrong.
    if (!(await this.#worker.take(asked, keep, () => this.#isShown(series)))) performance.mark('hutong-series-broke');
  }

  /** Decoded and kept by the loader, as if it had asked for it ahead. */
  async #keep(cornerstone: Cornerstone, imageId: string, { contentType, bytes }: Part): Promise<void> {
    const transferSyntaxUid = /transfer-syntax=([0-9.]+)/.exec(contentType)?.[1];
    if (transferSyntaxUid === undefined) return;
    this.#native.expect(cornerstone, bytes, transferSyntaxUid);
    this.#arrived.set(imageId, { pixelData: bytes, transferSyntaxUid });
    try {
      await cornerstone.imageLoader.loadAndCacheImage(imageId, { requestType: 'prefetch' });
    } catch {
      performance.mark('hutong-frame-broke'); // said by the loader when it is looked at; no end of the series
    } finally {
      this.#arrived.delete(imageId);
    }
  }
}

/** Half of the room for decoded pixels at most, so that what else is open keeps its own. */
function fits({ cache, metaData }: Cornerstone, imageIds: readonly string[]): boolean {
  const pixels = metaData.get('imagePixelModule', imageIds[0] ?? '');
  const bytes = (pixels?.rows ?? 0) * (pixels?.columns ?? 0) * (pixels?.samplesPerPixel ?? 1);
  const size = bytes * Math.ceil((pixels?.bitsAllocated ?? 16) / 8) * imageIds.length;
  return size > 0 && size <= cache.getMaxCacheSize() / 2;
}
