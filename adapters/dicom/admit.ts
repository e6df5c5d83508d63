/** Who may associate: the called title is ours, the calling title belongs to a site, and the peer is where or who the site says. */
import { BlockList, isIP } from 'node:net';
import type { SiteProfile, Sites } from '../../hub/core/site.ts';
import { APPLICATION_CONTEXT, REJECT } from './pdu.ts';
import type { AssociateRq, Rejection } from './pdu.ts';

/** What is known of the other end before it says a word. */
export interface Peer {
  readonly address: string;
  /** SHA-256 fingerprint of the TLS client certificate, hex without colons; null without one. */
  readonly certificate: string | null;
}

export type Admission =
  | { readonly ok: true; readonly site: SiteProfile }
  | { readonly ok: false; readonly rejection: Rejection; readonly text: string };

const refused = (rejection: Rejection, text: string): Admission => ({ ok: false, rejection, text });

export function admit(rq: AssociateRq, peer: Peer, aeTitle: string, sites: Sites): Admission {
  // PS3.8 Table 9-11: bit 0 is version 1, other bits are not tested.
  if ((rq.protocolVersion & 1) === 0) return refused(REJECT.protocolVersion, 'protocol version not supported');
  if (rq.applicationContext !== APPLICATION_CONTEXT) {
    return refused(REJECT.applicationContext, 'application context not supported');
  }
  if (rq.called !== aeTitle) return refused(REJECT.calledAeNotRecognised, 'called AE title is not ours');
  const site = sites.byAeTitle(rq.calling);
  if (!site) return refused(REJECT.callingAeNotRecognised, 'calling AE title is registered to no site');
  // Nothing tells a stranger that the title was right: the reason given is the same.
  if (!mayCall(site, peer)) {
    return refused(REJECT.callingAeNotRecognised, 'peer is neither at an address nor of a certificate of the site');
  }
  return { ok: true, site };
}

function mayCall(site: SiteProfile, peer: Peer): boolean {
  if (peer.certificate !== null && site.dicom.certificates.map(plainFingerprint).includes(peer.certificate))
    return true;
  const address = plainAddress(peer.address);
  const family = isIP(address);
  return family !== 0 && rangesOf(site).check(address, family === 4 ? 'ipv4' : 'ipv6');
}

export const plainFingerprint = (text: string): string => text.replaceAll(':', '').toLowerCase();

/** An IPv4 peer of a socket that listens on both families appears as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2). */
export const plainAddress = (address: string): string =>
  address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '').replace(/%.*$/, '');

const RANGES = new WeakMap<SiteProfile, BlockList>();

function rangesOf(site: SiteProfile): BlockList {
  const known = RANGES.get(site);
  if (known) return known;
  const ranges = new BlockList();
  for (const range of site.dicom.addresses) {
    const [given = '', bits] = range.split('/');
    const address = plainAddress(given);
    const family = isIP(address);
    // What is not an address admits nobody; the loader of sites reports it.
    if (family === 0) continue;
    const type = family === 4 ? 'ipv4' : 'ipv6';
    const prefix = bits === undefined ? (family === 4 ? 32 : 128) : Number(bits);
    if (Number.isInteger(prefix) && prefix >= 0 && prefix <= (family === 4 ? 32 : 128)) {
      ranges.addSubnet(address, prefix, type);
    }
  }
  RANGES.set(site, ranges);
  return ranges;
}
