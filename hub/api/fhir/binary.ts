/** A document as a Binary resource, for clients that ask for FHIR rather than for the bytes. */
import type { Binary } from 'fhir/r4.js';
import type { ObjectStore } from '../../core/ports.ts';
import type { StoredBinary } from '../../../mappings/fhir/document.ts';
import { faulty, parsed, type Parsed } from './reply.ts';

/** Larger documents are read as bytes: a resource is held in memory whole, a third larger than its document. */
const LARGEST = 8 * 1024 * 1024;

export async function binaryBody(objects: Pick<ObjectStore, 'readAll'>, stored: StoredBinary): Promise<Parsed<Binary>> {
  if (stored.size > LARGEST) return faulty(413, 'too-long', 'this document is too large for a resource');
  const { meta } = stored as { meta?: Binary['meta'] };
  return parsed({
    resourceType: 'Binary',
    id: stored.id,
    ...(meta === undefined ? {} : { meta }),
    contentType: stored.contentType,
    securityContext: stored.securityContext,
    data: (await objects.readAll(stored.object)).toString('base64'),
  });
}

/** Whether Accept (RFC 9110 §12.5.1) takes a media type; parameters other than q do not narrow it. */
export function accepts(accept: string | undefined, type: string): boolean {
  if (accept === undefined || accept.trim() === '') return true;
  const plain = type.split(';')[0]?.trim().toLowerCase() ?? '';
  const ranges = accept
    .slice(0, 1000)
    .toLowerCase()
    .split(',')
    .map((range) => range.split(';').map((part) => part.trim()));
  return ranges.some(([range = '', ...parameters]) => {
    if (parameters.some((one) => /^q=0(\.0*)?$/.test(one))) return false;
    return range === '*/*' || range === plain || (range.endsWith('/*') && plain.startsWith(range.slice(0, -1)));
  });
}
