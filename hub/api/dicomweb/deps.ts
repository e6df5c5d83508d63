/** What the DICOMweb faces stand on; main wires it. Functions that touch pixels come in from outside: this room has none. */
import type { Request, Response } from 'express';
import type { AuditTrail } from '../../core/audit.ts';
import type { Uid } from '../../core/identifier.ts';
import type {
  DicomIndex,
  ImageSource,
  IndexReader,
  InstanceLocated,
  InstanceSink,
  Log,
  SeriesLocated,
} from '../../core/ports.ts';
import type { Result } from '../../core/problem.ts';
import type { Sites } from '../../core/site.ts';
import type { FrameLocator } from '../../flow/frame-locator.ts';

export interface DicomwebDeps {
  readonly index: DicomIndex;
  readonly reader: IndexReader;
  readonly images: ImageSource;
  readonly sink: InstanceSink;
  readonly metadata: MetadataSource;
  readonly frames: FrameSource;
  readonly pixels: PixelWork;
  readonly audit: AuditTrail;
  readonly sites: Sites;
  readonly log: Log;
  readonly limits: DicomwebLimits;
}

export type FrameSource = Pick<FrameLocator, 'locate'>;

/** DICOM JSON (PS3.18 Annex F) of stored instances. */
export interface MetadataSource {
  /** The whole series as one JSON array, ready to send; `base` is the URL of the service root. */
  series(located: SeriesLocated, base: string, gzip: boolean): Promise<Buffer>;
  instance(located: InstanceLocated, base: string): Promise<Buffer>;
}

/** Decoding and encoding of pixels: bounded, since it holds whole frames. */
export interface PixelWork {
  /** Whether `transcode` can make this transfer syntax of it at all. */
  canTranscode(located: InstanceLocated, to: Uid): boolean;
  /** A whole Part-10 file of `located` in another transfer syntax, streamed; a problem where that cannot be had. */
  transcode(located: InstanceLocated, to: Uid): Promise<Result<AsyncIterable<Buffer>>>;
  /** Frames (from 0) as bytes without a container, uncompressed little endian. */
  decodeFrame(located: InstanceLocated, frame: number): Promise<Result<Buffer>>;
  /** One frame as a picture for eyes, in a consumer format. */
  render(located: InstanceLocated, frame: number, how: Rendering): Promise<Result<Buffer>>;
}

export interface Rendering {
  readonly contentType: 'image/jpeg' | 'image/png' | 'image/gif';
  /** 1 to 100; JPEG only. */
  readonly quality?: number;
  readonly window?: {
    readonly center: number;
    readonly width: number;
    readonly shape: 'linear' | 'linear-exact' | 'sigmoid';
  };
  /** The picture is scaled to fit, keeping its shape. */
  readonly viewport?: { readonly width: number; readonly height: number };
  /** Part of the image that is shown, in its own pixels. */
  readonly region?: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
}

export interface DicomwebLimits {
  /** Matches in one QIDO-RS answer. */
  readonly matches: number;
  /** Parts, and bytes of one part's head, of one STOW-RS request. */
  readonly parts: number;
  readonly partHeadBytes: number;
  readonly partBytes: number;
  readonly requestBytes: number;
  /** No byte for this long ends an upload or a download. */
  readonly idleMs: number;
}

export const LIMITS: DicomwebLimits = {
  matches: 1000,
  parts: 10_000,
  partHeadBytes: 8192,
  partBytes: 8 * 1024 ** 3,
  requestBytes: 64 * 1024 ** 3,
  idleMs: 60_000,
};

export type Handler = (request: Request, response: Response) => Promise<void>;
