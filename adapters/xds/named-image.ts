/**
 * Whether the bytes of an image from another community are of the instance that its answer calls them (RAD TF-2 §4.75): the
 * first of them are read before any is passed on. Bytes that cannot be read as DICOM tell nothing, and pass.
 */
import { lenientUid } from '../../hub/core/identifier.ts';
import { Failure, problem } from '../../hub/core/problem.ts';
import { parsePart10Header } from '../../mappings/dicom/parse.ts';
import type { RetrievedDocument } from './peer.ts';

/** SOP Instance UID is among the first elements of a data set (PS3.6: group 0008). */
const HEAD = 16 * 1024;

export async function* namedImages(documents: AsyncIterable<RetrievedDocument>): AsyncGenerator<RetrievedDocument> {
  for await (const { given, body } of documents) yield { given, body: held(given.documentUniqueId, body) };
}

async function* held(sopUid: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Uint8Array[] | null = [];
  let size = 0;
  for await (const chunk of body) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head.push(chunk);
    size += chunk.length;
    if (size < HEAD) continue;
    yield judged(sopUid, head);
    head = null;
  }
  if (head !== null && size > 0) yield judged(sopUid, head);
}

function judged(sopUid: string, head: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(head);
  const read = parsePart10Header(bytes.subarray(0, HEAD));
  const named = read.ok ? lenientUid(read.value.dataSet.one(0x00080018)) : null;
  if (named !== null && named !== lenientUid(sopUid))
    throw new Failure(problem('conflict', '(0008,0018)', 'The community sent another instance than it named.'));
  return bytes;
}
