/** Where a peer is reached, as whom the hub calls it, and how long and how much it may answer. */

export interface XdsEndpoint {
  /** http or https. */
  readonly url: string;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string;
  /** Shown to a peer that asks for a client certificate; `ca` where its own is not of a public authority. PEM. */
  readonly tls?: { readonly cert?: Buffer; readonly key?: Buffer; readonly ca?: Buffer };
  /** Until the envelope of the answer is here. */
  readonly timeoutMs: number;
}

export interface XdsLimits {
  /** The envelope of an answer, which is held in memory; attachments are not. */
  readonly envelopeBytes: number;
  readonly parts: number;
  /** All of an answer. */
  readonly answerBytes: number;
  /** Without a byte while the hub waits for one. */
  readonly idleMs: number;
  /** Waiting for one answer altogether, so that a drip does not last for ever. */
  readonly lifetimeMs: number;
  /** Connections to one peer at a time. */
  readonly connections: number;
}

export const XDS_LIMITS: XdsLimits = {
  envelopeBytes: 16 * 2 ** 20,
  parts: 20_000,
  answerBytes: 64 * 2 ** 30,
  idleMs: 30_000,
  lifetimeMs: 15 * 60_000,
  connections: 16,
};
