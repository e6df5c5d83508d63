/** Packages of ITI-41 written line by line, as other stacks write them and as nobody should. */
import { ITI41_REQUEST, writeProvideRequest } from '../../mappings/xds/document-set.ts';
import { writeSubmission } from '../../mappings/xds/ebrim-write.ts';
import { soap } from './repository-hub.ts';
import { objectsOf, sent } from './submission.ts';
import type { SentDocument } from './submission.ts';

/** Every byte, and what looks like a boundary and is none. */
export const BYTES = Buffer.from([...Array(256).keys(), 13, 10, 45, 45, 66, 13, 10, 45, 45, 0, 10]);
export const document = (): SentDocument => ({ ...sent(''), bytes: BYTES });

export const ROOT = 'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\n';
export const related = (boundary: string, more = ''): string =>
  `multipart/related; type="application/xop+xml"; ${more}boundary="${boundary}"`;
export const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Of a submission of one document, whose bytes are written as `content`. */
export function envelopeOf(one: SentDocument, content: string): string {
  const list = writeProvideRequest(writeSubmission(objectsOf([one])), [{ id: one.name, contentId: 'TEMPLATE' }]);
  return soap(ITI41_REQUEST, list.replace(/<xop:Include[^>]*\/>/, content));
}

export const include = (href: string): string =>
  `<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="${href}"/>`;

/** One package of an envelope and a part, its lines as given. */
export const packageOf = (root: string, envelope: string, part: string, bytes: Buffer, boundary = 'b'): Buffer =>
  Buffer.concat([
    Buffer.from(`--${boundary}\r\n${root}\r\n${envelope}\r\n--${boundary}\r\n${part}\r\n`),
    bytes,
    latin1(`\r\n--${boundary}--\r\n`),
  ]);
