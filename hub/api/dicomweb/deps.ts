/** What the DICOMweb faces stand on; main wires it. Functions that touch pixels come in from outside: this room has none. */
import type { Request, Response } from 'express';
import type { AccessDesk } from '../../core/access-ports.ts';
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

export interface DicomwebDeps {
  readonly index: DicomIndex;
  readonly reader: IndexReader;
  readonly images: ImageSource;
  readonly sink: InstanceSink;
  readonly metadata: MetadataSource;
  readonly pixels: PixelWork;
  readonly audit: AuditTrail;
  readonly access: AccessDesk;
  readonly sites: Sites;
  readonly log: Log;
  readonly limits: DicomwebLimits;
}

/** DICOM JSON (PS3.18 Annex F) of stored instances. */
export interface MetadataSource {
  /** The whole series as one JSON array, ready to send; `base` is the URL of the service root. */
  series(located: SeriesLocated, base: string, gzip: boolean): Promise<Buffer>;
  instance(located: InstanceLocated, base: string): Promise<Buffer>;
}

/** Decoding and encoding of pixels, as `hub/archive` gives it. Methods, so that its own reader type fits. */
export interface PixelWork {
  canTranscode(from: string, to: string): boolean;
  /** A whole Part-10 file in another transfer syntax. */
  transcode(part10: Buffer, to: Uid): Promise<Result<Buffer>>;
  openFrames(source: ByteSource): Promise<Result<OpenFrames>>;
  /** Frame `number` (from 1) as a picture for eyes. */
  render(frames: OpenFrames, number: number, options: Rendering): Promise<Result<Buffer>>;
}

export interface ByteSource {
  readonly size: number;
  read(start: number, end: number): Promise<Buffer>;
}

export interface OpenFrames {
  readonly format: { readonly frames: number };
  /** Frame `number` (from 1) in the first acceptable syntax it can be had in; as stored where that is acceptable. */
  read(
    number: number,
    acceptable: readonly string[],
  ): Promise<Result<{ readonly bytes: Buffer; readonly transferSyntax: string }>>;
  /** Bytes of the file that are the frame as explicit VR little endian, where that is acceptable and they lie so; else null. */
  lies(number: number, acceptable: readonly string[]): { readonly start: number; readonly end: number } | null;
}

export interface Rendering {
  readonly format: 'jpeg' | 'png' | 'gif';
  /** 1 to 100; JPEG only. */
  readonly quality?: number;
  readonly window?: {
    readonly center: number;
    readonly width: number;
    readonly shape?: 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';
  };
  /** The picture is scaled to fit, keeping its shape. */
  readonly viewport?: { readonly width: number; readonly height: number };
  /** The part of the frame that is shown, in its pixels; what does not lie within it is refused. */
  readonly region?: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
    readonly mirrored?: { readonly leftRight: boolean; readonly upDown: boolean };
  };
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
