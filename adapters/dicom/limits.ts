/** How much a peer may ask of the DICOM listener: counts, sizes and times, with the values used where nothing is said. */

export interface DimseLimits {
  readonly associations: number;
  readonly associationsPerPeer: number;
  /** Largest P-DATA-TF variable field the hub asks for; read in pieces, so it costs no memory. */
  readonly maxPduLength: number;
  /** A P-DATA-TF above this is a violation, whatever was announced. */
  readonly hardPduLength: number;
  readonly artimMs: number;
  readonly idleMs: number;
  readonly lifetimeMs: number;
  /** How long a peer may take to answer a sub-operation. */
  readonly responseMs: number;
  /** Matches of one C-FIND. */
  readonly matches: number;
  /** Instances of one C-MOVE or C-GET. */
  readonly retrieved: number;
}

export const DIMSE_LIMITS: DimseLimits = {
  associations: 100,
  associationsPerPeer: 20,
  maxPduLength: 131072,
  hardPduLength: 1 << 20,
  artimMs: 15_000,
  idleMs: 300_000,
  lifetimeMs: 6 * 3600_000,
  responseMs: 120_000,
  matches: 5000,
  retrieved: 20_000,
};
