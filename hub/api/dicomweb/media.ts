/** Media types of pixel data (PS3.18 tables 8.7.3-2 to 8.7.3-5): which transfer syntax travels under which name. */
import type { Problem } from '../../core/problem.ts';
import type { MediaRange } from './accept.ts';
import { EXPLICIT_LE, encodingOf } from '../../../mappings/dicom/uids.ts';

export const OCTETS = 'application/octet-stream';

const COMPRESSED: Readonly<Record<string, string>> = {
  '1.2.840.10008.1.2.4.50': 'image/jpeg',
  '1.2.840.10008.1.2.4.51': 'image/jpeg',
  '1.2.840.10008.1.2.4.57': 'image/jpeg',
  '1.2.840.10008.1.2.4.70': 'image/jpeg',
  '1.2.840.10008.1.2.4.80': 'image/jls',
  '1.2.840.10008.1.2.4.81': 'image/jls',
  '1.2.840.10008.1.2.4.90': 'image/jp2',
  '1.2.840.10008.1.2.4.91': 'image/jp2',
  '1.2.840.10008.1.2.4.92': 'image/jpx',
  '1.2.840.10008.1.2.4.93': 'image/jpx',
  '1.2.840.10008.1.2.4.100': 'video/mpeg',
  '1.2.840.10008.1.2.4.101': 'video/mpeg',
  '1.2.840.10008.1.2.4.102': 'video/mp4',
  '1.2.840.10008.1.2.4.103': 'video/mp4',
  '1.2.840.10008.1.2.4.104': 'video/mp4',
  '1.2.840.10008.1.2.4.105': 'video/mp4',
  '1.2.840.10008.1.2.4.106': 'video/mp4',
  '1.2.840.10008.1.2.4.107': 'video/mp4',
  '1.2.840.10008.1.2.4.108': 'video/mp4',
  '1.2.840.10008.1.2.4.110': 'image/jxl',
  '1.2.840.10008.1.2.4.111': 'image/jxl',
  '1.2.840.10008.1.2.4.112': 'image/jxl',
  '1.2.840.10008.1.2.4.201': 'image/jphc',
  '1.2.840.10008.1.2.4.202': 'image/jphc',
  '1.2.840.10008.1.2.4.203': 'image/jphc',
  '1.2.840.10008.1.2.5': 'image/dicom-rle',
};

/** Names that older clients use. */
const ALIASES: Readonly<Record<string, string>> = {
  'image/x-jls': 'image/jls',
  'image/x-dicom-rle': 'image/dicom-rle',
  'image/jpeg2000': 'image/jp2',
};

export const mediaOf = (transferSyntax: string): string => COMPRESSED[transferSyntax] ?? OCTETS;

/** A refusal that names what can always be had, so that the next request is no guess (RFC 9110 §15.5.7). */
export const orAsStored = (found: Problem, forms: Iterable<string>): Problem =>
  found.code === 'unsupported-media'
    ? { ...found, text: `${found.text} As stored it can be had as ${[...new Set(forms)].slice(0, 8).join(' or ')}.` }
    : found;

/** How the bytes of a frame are named: every native syntax gives the same samples, in little endian. */
export const frameSyntax = (stored: string): string => (encodingOf(stored).encapsulated ? stored : EXPLICIT_LE);

export interface FrameForm {
  readonly multipart: boolean;
  /** Transfer syntaxes that may be sent, best first. */
  readonly acceptable: readonly string[];
  /** The one that will be. */
  readonly syntax: string;
}

/** How frames stored in `stored` are sent to who accepts `ranges`; null: not at all. */
export function frameForm(
  ranges: readonly MediaRange[],
  stored: string,
  single: boolean,
  canTranscode: (from: string, to: string) => boolean,
): FrameForm | null {
  const own = frameSyntax(stored);
  for (const range of ranges) {
    const multipart = range.type.startsWith('multipart/') || range.type === '*/*';
    if (!multipart && !single) continue;
    if (range.type.startsWith('multipart/') && !['multipart/related', 'multipart/*'].includes(range.type)) continue;
    const named = multipart ? (range.parameters.get('type')?.toLowerCase() ?? '*/*') : range.type;
    const acceptable = syntaxesOf(ALIASES[named] ?? named, range.parameters.get('transfer-syntax') ?? null, own);
    const syntax = acceptable.includes(own) ? own : acceptable.find((to) => canTranscode(own, to));
    if (syntax !== undefined) return { multipart, acceptable, syntax };
  }
  return null;
}

/** The transfer syntaxes that a media range takes, best first. */
function syntaxesOf(media: string, wanted: string | null, own: string): readonly string[] {
  if (media === '*/*' || media === 'application/*') return [own, EXPLICIT_LE];
  if (media === 'image/*') return own === EXPLICIT_LE ? [] : [own];
  // `octet-stream; transfer-syntax=*` is how viewers ask for the frame as it is, whatever that is. Otherwise octets are
  // native samples (table 8.7.3-5): who names a compressed syntax would take them for a bitstream.
  if (media === OCTETS) {
    if (wanted === '*') return [own, EXPLICIT_LE];
    return wanted === null || !encodingOf(wanted).encapsulated ? [EXPLICIT_LE] : [];
  }
  const all = Object.keys(COMPRESSED).filter((syntax) => COMPRESSED[syntax] === media);
  return wanted === null || wanted === '*' ? all : all.filter((syntax) => syntax === wanted);
}
