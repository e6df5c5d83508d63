/** Whether a peer is the hospital system that MSH-3 and MSH-4 say it is: by its address or by its client certificate. */
import { addressWithin } from '../../hub/core/network.ts';
import { fail, ok, problem, type Result } from '../../hub/core/problem.ts';
import type { SiteProfile, Sites } from '../../hub/core/site.ts';
import type { Hl7Header } from '../../mappings/hl7v2/index.ts';

export interface Peer {
  readonly address: string;
  /** SHA-256 fingerprint of a client certificate that the TLS layer verified; empty without one. */
  readonly fingerprint: string;
}

const plainFingerprint = (text: string): string => text.replace(/[^0-9A-Fa-f]/g, '').toLowerCase();

/** Both failures read alike to the sender: who is registered is nobody else's business. */
export function identify(header: Hl7Header, peer: Peer, sites: Sites): Result<SiteProfile> {
  const site = sites.byHl7Sender(header.application, header.facility);
  if (site !== null) {
    const fingerprint = plainFingerprint(peer.fingerprint);
    const certified =
      fingerprint !== '' && site.hl7v2.certificates.some((one) => plainFingerprint(one) === fingerprint);
    if (certified || addressWithin(peer.address, site.hl7v2.addresses)) return ok(site);
  }
  return fail(problem('unknown-sender', 'MSH-3', 'MSH-3 and MSH-4 are not registered for this peer.'));
}
