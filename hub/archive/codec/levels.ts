/** Grey levels: stored values through the modality and VOI transformations to what a screen shows (PS3.3 §C.11.1, §C.11.2). */
import type { PixelFormat } from '../../../mappings/dicom/pixels.ts';

export interface Lut {
  /** First value mapped. */
  readonly first: number;
  readonly bits: number;
  readonly data: readonly number[];
}

/** What the header (or the caller) says about how the image is shown. */
export interface Look {
  readonly slope: number;
  readonly intercept: number;
  readonly modalityLut?: Lut;
  /** The window; without one and without a VOI LUT the values of the frame itself span the grey scale. */
  readonly window?: { readonly center: number; readonly width: number };
  readonly voiLut?: Lut;
  readonly shape: 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';
  /** (2050,0020) INVERSE. */
  readonly inverse: boolean;
  /** (0028,0120): a stored value that is no measurement. */
  readonly padding?: number;
  /** Red, green, blue. */
  readonly palette?: readonly [Lut, Lut, Lut];
}

/** One byte a pixel. A table over the stored values that occur makes the cost of the formulas small. */
export function levelsOf(stored: Int32Array, format: PixelFormat, look: Look): Buffer {
  let [low, high] = [Infinity, -Infinity];
  for (const value of stored) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const modality = (value: number): number =>
    look.modalityLut ? valueOf(look.modalityLut, value) : value * look.slope + look.intercept;
  const show = voi(look, modality, stored, [low, high]);
  // A DX image says the same twice: MONOCHROME1 and Presentation LUT Shape INVERSE (PS3.3 §C.8.11.3.1.2).
  const dark = format.photometric === 'MONOCHROME1' || look.inverse;
  const level = (value: number): number => {
    const shown = Math.min(255, Math.max(0, Math.round(show(modality(value)) * 255)));
    return dark ? 255 - shown : shown;
  };
  const data = Buffer.alloc(stored.length);
  if (high - low > 1 << 20) {
    for (let at = 0; at < stored.length; at++) data[at] = level(stored[at] ?? 0);
    return data;
  }
  const table = Uint8Array.from({ length: high - low + 1 }, (_, at) => level(low + at));
  for (let at = 0; at < stored.length; at++) data[at] = table[(stored[at] ?? 0) - low] ?? 0;
  return data;
}

const valueOf = (lut: Lut, value: number): number =>
  lut.data[Math.min(Math.max(Math.trunc(value) - lut.first, 0), lut.data.length - 1)] ?? 0;

/** A function from modality values to 0..1. */
function voi(
  look: Look,
  modality: (value: number) => number,
  stored: Int32Array,
  extent: readonly [number, number],
): (value: number) => number {
  const { window, voiLut } = look;
  if (!window && voiLut) {
    const top = 2 ** voiLut.bits - 1;
    return (value) => valueOf(voiLut, value) / top;
  }
  const { center, width } = window ?? spanning(modality, stored, extent, look.padding);
  if (look.shape === 'SIGMOID' && window)
    return (value) => 1 / (1 + Math.exp((-4 * (value - center)) / Math.max(width, Number.EPSILON)));
  if (look.shape === 'LINEAR_EXACT' || !window)
    return (value) => (value - center) / Math.max(width, Number.EPSILON) + 0.5;
  // §C.11.2.1.2.1: the window is closed on both ends, hence the halves and ones.
  const span = Math.max(width, 1) - 1;
  return (value) => (span === 0 ? (value <= center - 0.5 ? 0 : 1) : (value - (center - 0.5)) / span + 0.5);
}

function spanning(
  modality: (value: number) => number,
  stored: Int32Array,
  extent: readonly [number, number],
  padding: number | undefined,
): { center: number; width: number } {
  let [low, high] = extent;
  if (padding !== undefined) {
    [low, high] = [Infinity, -Infinity];
    for (const value of stored) {
      if (value === padding) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (low > high) [low, high] = extent;
  }
  const [first, last] = [modality(low), modality(high)];
  return { center: (first + last) / 2, width: Math.abs(last - first) };
}
