/**
 * One frame of uncompressed samples as the image loader wants it: what its own decoder does for the commonest images (16 bits,
 * one sample, whole-numbered rescale), in two passes instead of four and without a copy. Everything else is left to that
 * decoder; tests hold the samples of both against what was stored. Pure, so that the page and the worker share it.
 */

/** Of the loader's image frame, what decides how its samples are read (PS3.3 C.7.6.3). */
export interface FrameShape {
  readonly bitsAllocated: 16;
  readonly bitsStored: number;
  readonly isSigned: boolean;
  /** Stored value to modality value (PS3.3 C.11.1.1.2); null: samples stay as they are stored. */
  readonly rescale: { readonly slope: number; readonly intercept: number } | null;
}

/** What the image loader says of a frame that is to be decoded. */
export interface Decoding {
  readonly imageFrame: Readonly<Record<string, unknown>>;
  readonly options: {
    readonly targetBuffer?: unknown;
    readonly preScale?: { readonly enabled?: boolean; readonly scalingParameters?: Readonly<Record<string, unknown>> };
  };
}

export interface ReadFrame {
  readonly pixelData: Samples;
  readonly smallest: number;
  readonly largest: number;
}

type Samples =
  | Uint8Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>;

/** How a decode task's frame is read here; null: by the loader's decoder. */
export function shapeOf({ imageFrame, options }: Decoding): FrameShape | null {
  const { bitsAllocated, bitsStored, pixelRepresentation, samplesPerPixel, photometricInterpretation } = imageFrame;
  if (bitsAllocated !== 16 || samplesPerPixel !== 1 || !/^MONOCHROME[12]$/.test(String(photometricInterpretation)))
    return null;
  if (typeof bitsStored !== 'number' || !(bitsStored >= 1 && bitsStored <= 16)) return null;
  if (pixelRepresentation !== 0 && pixelRepresentation !== 1) return null;
  const { targetBuffer, preScale } = options;
  if (targetBuffer !== undefined || preScale === undefined) return null;
  const shape = { bitsAllocated, bitsStored, isSigned: pixelRepresentation === 1 } as const;
  if (preScale.enabled === false) return { ...shape, rescale: null };
  if (preScale.enabled !== true || preScale.scalingParameters === undefined) return null;
  const { rescaleSlope: slope, rescaleIntercept: intercept, modality } = preScale.scalingParameters;
  if (modality === 'PT' || modality === 'RTDOSE') return null;
  if (!Number.isInteger(slope) || !Number.isInteger(intercept)) return null;
  if (!Object.values(preScale.scalingParameters).every((value) => typeof value !== 'number' || Number.isInteger(value)))
    return null;
  const rescale = { slope: Number(slope), intercept: Number(intercept) };
  return rescale.slope < 1 ? null : { ...shape, rescale };
}

/** `bytes` in little endian, as they lie in the file; they may be changed. */
export function readFrame(bytes: Uint8Array<ArrayBuffer>, { bitsStored, isSigned, rescale }: FrameShape): ReadFrame {
  const length = bytes.length >> 1;
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  const stored = isSigned
    ? new Int16Array(aligned.buffer, aligned.byteOffset, length)
    : new Uint16Array(aligned.buffer, aligned.byteOffset, length);
  if (isSigned && bitsStored < 16) {
    const unused = 32 - bitsStored;
    for (let at = 0; at < length; at++) stored[at] = ((stored[at] ?? 0) << unused) >> unused;
  }
  let least = stored[0] ?? 0;
  let most = least;
  for (let at = 1; at < length; at++) {
    const sample = stored[at] ?? 0;
    if (sample < least) least = sample;
    else if (sample > most) most = sample;
  }
  const { slope, intercept } = rescale ?? { slope: 1, intercept: 0 };
  const [smallest, largest] = [slope * least + intercept, slope * most + intercept];
  const pixelData = samplesFor(smallest, largest, length);
  for (let at = 0; at < length; at++) pixelData[at] = (stored[at] ?? 0) * slope + intercept;
  return { pixelData, smallest, largest };
}

/** The narrowest array that holds them, as the loader chooses it. */
function samplesFor(smallest: number, largest: number, length: number): Samples {
  if (smallest >= 0) {
    if (largest <= 255) return new Uint8Array(length);
    if (largest <= 65_535) return new Uint16Array(length);
    if (largest <= 4_294_967_295) return new Uint32Array(length);
  } else if (smallest >= -128 && largest <= 127) return new Int8Array(length);
  else if (smallest >= -32_768 && largest <= 32_767) return new Int16Array(length);
  return new Float32Array(length);
}
