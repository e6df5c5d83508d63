/** The well-known UIDs that the hub decides by: transfer syntaxes with their encoding, and storage SOP classes. */
import type { Uid } from '../../hub/core/identifier.ts';

const uid = (text: string): Uid => text as Uid;

export const IMPLICIT_LE = uid('1.2.840.10008.1.2');
export const EXPLICIT_LE = uid('1.2.840.10008.1.2.1');
export const DEFLATED_LE = uid('1.2.840.10008.1.2.1.99');
export const EXPLICIT_BE = uid('1.2.840.10008.1.2.2');
export const JPEG_BASELINE = uid('1.2.840.10008.1.2.4.50');
export const JPEG_EXTENDED = uid('1.2.840.10008.1.2.4.51');
/** Retired: spectral selection (processes 6 and 8) and full progression (10 and 12). */
export const JPEG_SPECTRAL = uid('1.2.840.10008.1.2.4.53');
export const JPEG_PROGRESSIVE = uid('1.2.840.10008.1.2.4.55');
export const JPEG_LOSSLESS = uid('1.2.840.10008.1.2.4.57');
export const JPEG_LOSSLESS_SV1 = uid('1.2.840.10008.1.2.4.70');
export const JPEG_LS_LOSSLESS = uid('1.2.840.10008.1.2.4.80');
export const JPEG_LS_NEAR = uid('1.2.840.10008.1.2.4.81');
export const J2K_LOSSLESS = uid('1.2.840.10008.1.2.4.90');
export const J2K = uid('1.2.840.10008.1.2.4.91');
export const HTJ2K_LOSSLESS = uid('1.2.840.10008.1.2.4.201');
export const HTJ2K_LOSSLESS_RPCL = uid('1.2.840.10008.1.2.4.202');
export const HTJ2K = uid('1.2.840.10008.1.2.4.203');
export const RLE = uid('1.2.840.10008.1.2.5');

/** PS3.5 Annex A: how a data set of this transfer syntax is written. */
export interface Encoding {
  readonly explicit: boolean;
  readonly littleEndian: boolean;
  readonly deflated: boolean;
  readonly encapsulated: boolean;
}

const NATIVE: Readonly<Record<string, Encoding>> = {
  [IMPLICIT_LE]: { explicit: false, littleEndian: true, deflated: false, encapsulated: false },
  [EXPLICIT_LE]: { explicit: true, littleEndian: true, deflated: false, encapsulated: false },
  [DEFLATED_LE]: { explicit: true, littleEndian: true, deflated: true, encapsulated: false },
  [EXPLICIT_BE]: { explicit: true, littleEndian: false, deflated: false, encapsulated: false },
};
const ENCAPSULATED: Encoding = { explicit: true, littleEndian: true, deflated: false, encapsulated: true };

/** Every transfer syntax that is not one of the four native ones is explicit VR little endian, encapsulated (PS3.5 §A.4). */
export const encodingOf = (transferSyntax: string): Encoding => NATIVE[transferSyntax] ?? ENCAPSULATED;

export const KEY_OBJECT_SELECTION = uid('1.2.840.10008.5.1.4.1.1.88.59');

/** Storage classes of instances that a KOS names as WAVEFORM, and those that it names as COMPOSITE (not IMAGE). */
export function referenceKind(sopClass: string): 'IMAGE' | 'WAVEFORM' | 'COMPOSITE' {
  if (/^1\.2\.840\.10008\.5\.1\.4\.1\.1\.9(\.|$)/.test(sopClass)) return 'WAVEFORM';
  return NON_IMAGE.test(sopClass) ? 'COMPOSITE' : 'IMAGE';
}

/** SR (88.*), presentation states (11.*), encapsulated documents (104.*), raw data (66, 66.1–66.3, 66.5…), RT objects without pixels, spectroscopy. */
const NON_IMAGE =
  /^1\.2\.840\.10008\.5\.1\.4\.(1\.1\.(11|88|104|79|80|82|90)(\.|$)|1\.1\.66(\.[1-35-9]|$)|1\.1\.481\.([3-9]|1\d)$|1\.1\.4\.2$|1\.1\.77\.1\.5\.3$|1\.1\.78\.|38\.|39\.|43\.|44\.|45\.|34\.)/;
