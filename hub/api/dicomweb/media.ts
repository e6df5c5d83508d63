/** Media types of pixel data (PS3.18 tables 8.7.3-2 to 8.7.3-5): which transfer syntax travels under which name. */
import type { Uid } from '../../core/identifier.ts';
import type { MediaRange } from './accept.ts';
import { DEFLATED_LE, encodingOf } from '../../../mappings/dicom/uids.ts';

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

export const mediaOf = (transferSyntax: Uid): string => COMPRESSED[transferSyntax] ?? OCTETS;

/** Little endian, whole and in place: what octet-stream promises (PS3.18 §8.7.3.5.2). */
export const isPlain = (transferSyntax: Uid): boolean => {
  const encoding = encodingOf(transferSyntax);
  return !encoding.encapsulated && encoding.littleEndian && transferSyntax !== DEFLATED_LE;
};

export interface FrameForm {
  readonly multipart: boolean;
  /** false: decode to octets, uncompressed little endian. */
  readonly asStored: boolean;
}

/** How frames stored in `stored` are sent to who accepts `ranges`; null: not at all. */
export function frameForm(ranges: readonly MediaRange[], stored: Uid, single: boolean): FrameForm | null {
  const media = mediaOf(stored);
  const encapsulated = encodingOf(stored).encapsulated;
  for (const range of ranges) {
    const multipart = range.type.startsWith('multipart/') || range.type === '*/*';
    if (!multipart && !single) continue;
    if (range.type.startsWith('multipart/') && !['multipart/related', 'multipart/*'].includes(range.type)) continue;
    const named = multipart ? (range.parameters.get('type')?.toLowerCase() ?? '*/*') : range.type;
    const wanted = ALIASES[named] ?? named;
    const syntax = range.parameters.get('transfer-syntax') ?? null;
    const free = syntax === null || syntax === '*';
    if (wanted === OCTETS || wanted === 'application/*') {
      if (isPlain(stored) || (encapsulated && syntax === '*')) return { multipart, asStored: true };
      return { multipart, asStored: false };
    }
    const takesStored = wanted === '*/*' || wanted === media || (wanted === 'image/*' && media.startsWith('image/'));
    if (takesStored && (free || syntax === stored)) return { multipart, asStored: encapsulated || isPlain(stored) };
  }
  return null;
}
