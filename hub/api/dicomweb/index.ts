/** The door of the DICOMweb room. */
export { LIMITS } from './deps.ts';
export type { DicomwebDeps, DicomwebLimits, MetadataSource, OpenFrames, PixelWork, Rendering } from './deps.ts';
export { keepAnnotation, readerName } from './annotate.ts';
export { dicomwebFace } from './face.ts';
export { wadoUri } from './wado-uri.ts';
