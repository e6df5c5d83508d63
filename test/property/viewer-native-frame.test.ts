/** Frames that the viewer reads itself: every sample is the stored one after its rescale, whatever the shape; the rest it leaves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readFrame, shapeOf } from '../../hub/viewer/client/native-frame.ts';
import type { Decoding } from '../../hub/viewer/client/native-frame.ts';

const rescale = fc.record({
  slope: fc.integer({ min: 1, max: 5 }),
  intercept: fc.integer({ min: -70_000, max: 70_000 }),
});
const frames = fc.record({
  samples: fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 64 }),
  bitsStored: fc.integer({ min: 1, max: 16 }),
  isSigned: fc.boolean(),
  isOdd: fc.boolean(),
  rescale: fc.option(rescale),
});

/** Two's complement of the stored bits (PS3.5 §8.1.1); bits above them belong to no sample. */
const valueOf = (word: number, bits: number): number => {
  const low = word % 2 ** bits;
  return low >= 2 ** (bits - 1) ? low - 2 ** bits : low;
};

test('samples, extremes and a range that holds them', () => {
  fc.assert(
    fc.property(frames, ({ samples, bitsStored, isSigned, isOdd, rescale: given }) => {
      const memory = new Uint8Array(samples.length * 2 + 1);
      const bytes = memory.subarray(isOdd ? 1 : 0, samples.length * 2 + (isOdd ? 1 : 0));
      samples.forEach((sample, at) => bytes.set([sample & 0xff, sample >> 8], at * 2));
      const wanted = samples.map((sample) => {
        const value = isSigned ? valueOf(sample, bitsStored) : sample;
        return given === null ? value : value * given.slope + given.intercept;
      });
      const frame = readFrame(bytes, { bitsAllocated: 16, bitsStored, isSigned, rescale: given });
      assert.deepEqual([...frame.pixelData], wanted);
      assert.deepEqual([frame.smallest, frame.largest], [Math.min(...wanted), Math.max(...wanted)]);
    }),
  );
});

test('what is not read here is left to the decoder', () => {
  const imageFrame = {
    bitsAllocated: 16,
    bitsStored: 12,
    pixelRepresentation: 0,
    samplesPerPixel: 1,
    photometricInterpretation: 'MONOCHROME2',
  };
  const scaling = { rescaleSlope: 1, rescaleIntercept: -1024, modality: 'CT' };
  const of = (frame: object, parameters: object = scaling, more: object = {}): Decoding => ({
    imageFrame: { ...imageFrame, ...frame },
    options: { preScale: { enabled: true, scalingParameters: { ...scaling, ...parameters } }, ...more },
  });
  assert.deepEqual(shapeOf(of({})), {
    bitsAllocated: 16,
    bitsStored: 12,
    isSigned: false,
    rescale: { slope: 1, intercept: -1024 },
  });
  assert.equal(shapeOf({ imageFrame, options: { preScale: { enabled: false } } })?.rescale, null);
  for (const left of [
    of({ bitsAllocated: 8 }),
    of({ bitsAllocated: 32 }),
    of({ samplesPerPixel: 3, photometricInterpretation: 'RGB' }),
    of({ photometricInterpretation: 'PALETTE COLOR' }),
    of({ pixelRepresentation: undefined }),
    of({ bitsStored: undefined }),
    of({}, { rescaleSlope: 0.5 }),
    of({}, { rescaleSlope: -1 }),
    of({}, { rescaleSlope: undefined }),
    of({}, { modality: 'PT', suvbw: 2 }),
    of({}, { modality: 'RTDOSE', doseGridScaling: 2 }),
    of({}, { other: 0.5 }),
    of({}, scaling, { targetBuffer: { type: 'Float32Array' } }),
    { imageFrame, options: {} },
  ])
    assert.equal(shapeOf(left), null, JSON.stringify(left));
});
