/** JPEG-LS (CharLS), JPEG 2000 (OpenJPEG) and HTJ2K (OpenJPH) in WASM: one instance a thread, made anew after it failed. */
import charls from '@cornerstonejs/codec-charls/wasmjs';
import openjpeg from '@cornerstonejs/codec-openjpeg/decodewasmjs';
import openjph from '@cornerstonejs/codec-openjph/wasmjs';
import { BitstreamError } from './jpeg-markers.ts';

type Codec = 'charls' | 'openjpeg' | 'openjph';

export interface WasmImage {
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  readonly bits: number;
  readonly signed: boolean;
  /** 0: by pixel, 1: by plane. */
  readonly planar: 0 | 1;
  /** Little endian, one byte a sample up to 8 bits, else two. */
  readonly pixels: Buffer;
}

const FACTORIES: Readonly<Record<Codec, CornerstoneCodec.Factory>> = { charls, openjpeg, openjph };
const instances = new Map<Codec, Promise<CornerstoneCodec.Module>>();
const quiet = (): void => undefined;

/** Runs `use` on the codec; whatever it throws is a bad bitstream, and the instance, whose memory may be broken, is let go. */
async function withCodec<T>(codec: Codec, use: (module: CornerstoneCodec.Module) => T): Promise<T> {
  let instance = instances.get(codec);
  if (!instance) {
    instance = FACTORIES[codec]({ print: quiet, printErr: quiet });
    instances.set(codec, instance);
  }
  const module = await instance;
  try {
    return use(module);
  } catch {
    instances.delete(codec);
    throw new BitstreamError(`${codec} does not take the bitstream`);
  }
}

function decodeWith(
  decoder: CornerstoneCodec.Decoder,
  bytes: Uint8Array,
  planar: (decoder: CornerstoneCodec.Decoder) => 0 | 1,
): WasmImage {
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const { width, height, bitsPerSample, componentCount, isSigned } = decoder.getFrameInfo();
    const pixels = Buffer.from(decoder.getDecodedBuffer());
    return {
      rows: height,
      columns: width,
      samples: componentCount,
      bits: bitsPerSample,
      signed: isSigned,
      planar: planar(decoder),
      pixels,
    };
  } finally {
    decoder.delete();
  }
}

export const decodeJpegLs = (bytes: Uint8Array): Promise<WasmImage> =>
  withCodec('charls', ({ JpegLSDecoder }) =>
    // ISO 14495-1 ILV 0: each component in a scan of its own; CharLS gives planes then, else pixels.
    decodeWith(new JpegLSDecoder(), bytes, (decoder) =>
      decoder.getInterleaveMode?.() === 0 && decoder.getFrameInfo().componentCount > 1 ? 1 : 0,
    ),
  );

export const decodeJpeg2000 = (bytes: Uint8Array): Promise<WasmImage> =>
  withCodec('openjpeg', ({ J2KDecoder }) => decodeWith(new J2KDecoder(), bytes, () => 0));

export const decodeHtj2k = (bytes: Uint8Array): Promise<WasmImage> =>
  withCodec('openjph', ({ HTJ2KDecoder }) => decodeWith(new HTJ2KDecoder(), bytes, () => 0));

export interface Raster {
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  readonly bits: number;
  readonly signed: boolean;
  /** By pixel, little endian. */
  readonly pixels: Buffer;
}

function encodeWith(encoder: CornerstoneCodec.Encoder, raster: Raster): Buffer {
  try {
    const { rows, columns, samples, bits, signed, pixels } = raster;
    const info = {
      width: columns,
      height: rows,
      bitsPerSample: bits,
      componentCount: samples,
      isSigned: signed,
      isUsingColorTransform: false,
    };
    encoder.getDecodedBuffer(info).set(pixels);
    encoder.encode();
    return Buffer.from(encoder.getEncodedBuffer());
  } finally {
    encoder.delete();
  }
}

export const encodeJpegLs = (raster: Raster): Promise<Buffer> =>
  withCodec('charls', ({ JpegLSEncoder }) => {
    const encoder = new JpegLSEncoder();
    encoder.setNearLossless?.(0);
    encoder.setInterleaveMode?.(raster.samples > 1 ? 2 : 0);
    return encodeWith(encoder, raster);
  });

export const encodeHtj2k = (raster: Raster): Promise<Buffer> =>
  withCodec('openjph', ({ HTJ2KEncoder }) => {
    const encoder = new HTJ2KEncoder();
    encoder.setQuality?.(true, 0);
    return encodeWith(encoder, raster);
  });
