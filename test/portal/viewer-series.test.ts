/**
 * A series that comes to the viewer as one answer: what is kept and shown is what is stored, pixel by pixel, whatever the
 * transfer syntax; and where the one answer fails the images come as they always did.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { closeCodecs, transcode } from '../../hub/archive/transcode.ts';
import { parseUid } from '../../hub/core/identifier.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import type { Attributes } from '../../mappings/dicom/write.ts';
import { NO_VIEWER, openReader, startViewerHub, until } from '../support/viewer-hub.ts';
import type { ViewerHub } from '../support/viewer-hub.ts';

/** Many more than are asked for one by one before the answer begins: twelve at once, and those that follow the first. */
const SLICES = 48;
const SIDE = 128;
const KINDS = {
  native: { study: '2.25.501', syntax: null },
  signed: { study: '2.25.506', syntax: null },
  /** Without a rescale, as MR has it. */
  unscaled: { study: '2.25.507', syntax: null },
  jpegLs: { study: '2.25.502', syntax: '1.2.840.10008.1.2.4.80' },
  highThroughput: { study: '2.25.503', syntax: '1.2.840.10008.1.2.4.201' },
  runLength: { study: '2.25.505', syntax: '1.2.840.10008.1.2.5' },
  colour: { study: '2.25.504', syntax: null },
} as const;
type Kind = keyof typeof KINDS;

/** Stored sample at a place of a slice; in the page the same line is run. Signed ones are these, less half their range. */
const SAMPLE = '(at, number) => (at * 31 + number * 17) & 0xfff';
const sample = (at: number, number: number): number => (at * 31 + number * 17) & 0xfff;
const below = (kind: Kind): number => (kind === 'signed' ? 2048 : 0);
const intercept = (kind: Kind): number => (kind === 'unscaled' ? 0 : -1024);

function image(kind: Kind, number: number): Buffer {
  const { study } = KINDS[kind];
  const isColour = kind === 'colour';
  const pixels = Buffer.alloc(SIDE * SIDE * (isColour ? 3 : 2));
  if (isColour) for (let at = 0; at < pixels.length; at++) pixels[at] = sample(at, number) & 0xff;
  else
    for (let at = 0; at < pixels.length / 2; at++)
      pixels.writeUInt16LE((sample(at, number) - below(kind)) & 0xffff, at * 2);
  const depth: Attributes = isColour
    ? { SamplesPerPixel: 3, PhotometricInterpretation: 'RGB', PlanarConfiguration: 0, BitsAllocated: 8, BitsStored: 8 }
    : { SamplesPerPixel: 1, PhotometricInterpretation: 'MONOCHROME2', BitsAllocated: 16, BitsStored: 12 };
  const plane: Attributes = isColour
    ? {}
    : {
        ImagePositionPatient: ['0', '0', String(number)],
        ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'],
        FrameOfReferenceUID: `${study}.9`,
        RescaleIntercept: String(intercept(kind)),
        RescaleSlope: '1',
      };
  return writePart10({
    SOPClassUID: isColour ? '1.2.840.10008.5.1.4.1.1.7' : '1.2.840.10008.5.1.4.1.1.2',
    SOPInstanceUID: `${study}.1.${String(number)}`,
    StudyDate: '20261120',
    StudyTime: '080000',
    AccessionNumber: kind.toUpperCase(),
    Modality: isColour ? 'OT' : 'CT',
    PatientName: 'Li^Na=李^娜',
    PatientID: 'SERIES1',
    PatientBirthDate: '19700101',
    PatientSex: 'F',
    StudyInstanceUID: study,
    SeriesInstanceUID: `${study}.1`,
    SeriesNumber: '1',
    InstanceNumber: String(number),
    Rows: SIDE,
    Columns: SIDE,
    PixelSpacing: ['0.9', '0.9'],
    HighBit: isColour ? 7 : 11,
    PixelRepresentation: kind === 'signed' ? 1 : 0,
    ...depth,
    ...plane,
    PixelData: pixels,
  });
}

async function stored(kind: Kind): Promise<Buffer[]> {
  const { syntax } = KINDS[kind];
  const files = Array.from({ length: SLICES }, (_, at) => image(kind, at + 1));
  const to = syntax === null ? null : parseUid(syntax);
  if (to === null) return files;
  return Promise.all(
    files.map(async (file) => {
      const made = await transcode(file, to);
      assert.ok(made.ok, made.ok ? undefined : made.problem.text);
      return made.value;
    }),
  );
}

const VIEWPORT =
  'services.cornerstoneViewportService.getCornerstoneViewport(services.viewportGridService.getActiveViewportId())';

/**
 * In the page: how many samples of how many kept images differ from what was stored, and of how many the extremes are told
 * wrongly; and the arrays they lie in, which are the same for those that the loader decoded and those that came together.
 */
const compare = (kind: Kind): string => `(async () => {
  const stored = ${SAMPLE};
  let images = 0, wrong = 0, extremes = 0;
  const arrays = new Set();
  for (const id of ${VIEWPORT}.getImageIds()) {
    const image = cornerstone.cache.getImage(id);
    if (image === undefined) continue;
    images += 1;
    const number = Number(/instances\\/[0-9.]+\\.(\\d+)\\/frames/.exec(id)[1]);
    const pixels = image.getPixelData();
    const isScaled = image.preScale?.scaled === true;
    const samples = pixels.length / (image.rows * image.columns);
    arrays.add(pixels.constructor.name);
    if (samples === 1 && (Math.min(...pixels) !== image.minPixelValue || Math.max(...pixels) !== image.maxPixelValue)) extremes += 1;
    for (let at = 0, from = 0; at < pixels.length; at += 1) {
      if (samples === 4 && at % 4 === 3) continue; // opacity is the drawing's own
      const wanted = samples === 1 ? stored(from, number) - ${String(below(kind))} - (isScaled ? ${String(-intercept(kind))} : 0) : stored(from, number) & 0xff;
      if (pixels[at] !== wanted) wrong += 1;
      from += 1;
    }
  }
  return { images, wrong, extremes, arrays: arrays.size };
})()`;

const RIGHT = { images: SLICES, wrong: 0, extremes: 0, arrays: 1 };

describe('a series in the viewer', { skip: NO_VIEWER }, () => {
  let hub: ViewerHub;
  let browser: Browser;
  let token = '';

  before(async () => {
    hub = await startViewerHub();
    for (const kind of Object.keys(KINDS) as Kind[]) await hub.store('h1', await stored(kind));
    await hub.settled();
    token = await hub.client('query-platform');
    browser = await openReader();
  });
  after(async () => {
    await browser.close();
    await hub.stop();
    await closeCodecs();
  });

  interface Opened {
    readonly context: BrowserContext;
    readonly page: Page;
    readonly asked: { series: number; frames: number };
    readonly faults: string[];
  }

  async function open(kind: Kind, isBroken = false): Promise<Opened> {
    const { json } = await hub.ask('POST', '/api/v1/viewer-launches', { studyUid: KINDS[kind].study }, token);
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'zh-CN' });
    const page = await context.newPage();
    const asked = { series: 0, frames: 0 };
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (request.url().endsWith('/pixeldata')) asked.series += 1;
      if (/\/frames\/\d+$/.test(request.url())) asked.frames += 1;
    });
    if (isBroken) await page.route('**/pixeldata', (route) => route.fulfill({ status: 500, body: '' }));
    await page.addInitScript(`document.addEventListener('CORNERSTONE_IMAGE_RENDERED', () => {
      if (window.cornerstone.cache.getCacheSize() > 0) window.drawn = true;
    }, true);
    const post = Worker.prototype.postMessage;
    window.byWorker = 0;
    Worker.prototype.postMessage = function (message, ...more) {
      if (message?.path?.includes('decodeTask')) window.byWorker += 1;
      return post.call(this, message, ...more);
    };`);
    await page.goto(hub.origin + String(json['url']), { timeout: 180_000 });
    await until(page, 'window.drawn === true');
    await until(
      page,
      `${VIEWPORT}.getImageIds().filter((id) => cornerstone.cache.isLoaded(id)).length === ${String(SLICES)}`,
    );
    return { context, page, asked, faults };
  }

  for (const kind of Object.keys(KINDS) as Kind[])
    it(`${kind}: comes as one answer, and every sample is the stored one`, async () => {
      const { context, page, asked, faults } = await open(kind);
      assert.deepEqual(await page.evaluate(compare(kind)), RIGHT);
      assert.equal(asked.series, 1);
      // Those asked for before the answer began: how many is a matter of the machine, all of them would be none of the answer.
      assert.ok(asked.frames < SLICES, `${String(asked.frames)} frames were asked for alone`);
      // What of the answer is not compressed is read where it arrives; a worker has the rest.
      const byWorker = await page.evaluate<number>('window.byWorker');
      assert.ok(KINDS[kind].syntax === null ? byWorker <= asked.frames : byWorker >= SLICES, String(byWorker));
      assert.equal(await page.evaluate('cornerstone.imageLoadPoolManager.maxNumRequests.prefetch > 0'), true);
      assert.deepEqual(faults, []);
      await context.close();
    });

  it('comes frame by frame where the one answer fails', async () => {
    const { context, page, asked, faults } = await open('native', true);
    assert.deepEqual(await page.evaluate(compare('native')), RIGHT);
    assert.deepEqual([asked.series, asked.frames], [1, SLICES]);
    assert.deepEqual(faults, []);
    await context.close();
  });
});
