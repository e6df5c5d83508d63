/** The door of the DICOM adapter. */
export { createDimseChannel } from './channel.ts';
export type { DimseChannel, DimseOptions, DimseTls } from './channel.ts';
export { DIMSE_LIMITS } from './limits.ts';
export type { DimseLimits } from './limits.ts';
