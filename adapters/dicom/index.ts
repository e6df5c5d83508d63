/** The door of the DICOM adapter. */
export { createDimseChannel } from './channel.ts';
export type { DimseChannel, DimseOptions, DimseTls } from './channel.ts';
export type { DimseLimits } from './limits.ts';
export { echo, find, get, send } from './scu.ts';
export type { InstanceTaker, QueryOptions, Retrieved, ScuOptions, Sending, Sent } from './scu.ts';
export type { Node } from './associate.ts';
export { openHospitalArchive } from './source.ts';
export type { HospitalArchiveOptions, HospitalImages } from './source.ts';
export type { Transcode } from './sub-operation.ts';
