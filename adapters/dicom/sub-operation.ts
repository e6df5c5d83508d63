/**
 * Sends one stored instance by C-STORE, as it is: the data set's bytes pass from the image source to the peer without
 * being decoded. Only where the peer takes no context of that encoding is the injected transcoder asked.
 */
import type { Uid } from '../../hub/core/identifier.ts';
import type { ImageSource, InstanceLocated } from '../../hub/core/ports.ts';
import { parsePart10Header } from '../../mappings/dicom/parse.ts';
import type { AcceptedContext, Association } from './association.ts';
import { COMMAND } from './command.ts';
import type { Command } from './command.ts';

/** Re-encodes a whole Part-10 file; the archive's codecs behind it never alter a pixel of a lossless target. */
export type Transcode = (part10: Buffer, target: Uid) => Promise<Buffer>;

/** Objects above this are not held in memory to be transcoded. */
const TRANSCODE_LIMIT = 256 * 1024 * 1024;
const HEAD_LIMIT = 1024 * 1024;

export interface SubOperations {
  readonly images: ImageSource;
  readonly transcode?: Transcode;
  /** C-MOVE names its originator (PS3.7 §9.1.1.1). */
  readonly originator?: { readonly aeTitle: string; readonly messageId: number };
}

/** The status of the C-STORE response; null where it could not be sent: `text` says why, without patient data. */
export interface SubOutcome {
  readonly status: number | null;
  readonly text: string;
}

export async function sendInstance(
  association: Association,
  located: InstanceLocated,
  with_: SubOperations,
): Promise<SubOutcome> {
  const { instance } = located;
  const contexts = [...association.contexts.values()].filter(
    (context) => context.scu && context.abstractSyntax === instance.sopClass,
  );
  const same = contexts.find((context) => context.transferSyntax === instance.transferSyntax);
  const [other] = contexts;
  if (!same && !other) return { status: null, text: 'the peer takes no instance of this class' };
  if (!same && !with_.transcode) return { status: null, text: 'the peer takes no context of this transfer syntax' };
  if (same) {
    const stream = await with_.images.open(located);
    try {
      return await store(association, same, located, with_, withoutHead(stream));
    } finally {
      stream.destroy();
    }
  }
  if (!other || !with_.transcode || instance.size > TRANSCODE_LIMIT) {
    return { status: null, text: 'the instance is too large to be transcoded' };
  }
  const part10 = await gather(await with_.images.open(located));
  const transcoded = await with_.transcode(part10, other.transferSyntax as Uid);
  return store(association, other, located, with_, withoutHead([transcoded]));
}

async function store(
  association: Association,
  context: AcceptedContext,
  { instance }: InstanceLocated,
  { originator }: SubOperations,
  dataSet: AsyncIterable<Buffer>,
): Promise<SubOutcome> {
  const command: Command = {
    commandField: COMMAND.storeRq,
    affectedSopClass: instance.sopClass,
    affectedSopInstance: instance.sopUid,
    messageId: association.messageId(),
    priority: 0,
    dataSetType: 0,
    ...(originator ? { moveOriginatorAe: originator.aeTitle, moveOriginatorMessageId: originator.messageId } : {}),
  };
  let outcome: SubOutcome = { status: null, text: 'no response' };
  await association.call(context, command, dataSet, ({ command: response }) => {
    outcome = { status: response.status ?? 0, text: response.errorComment ?? '' };
  });
  return outcome;
}

/** The data set of a Part-10 file that streams by: everything after the file meta information (PS3.10 §7.1). */
async function* withoutHead(source: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of source) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const offset = dataSetOffset(head);
    if (offset === null || offset > head.length) continue;
    yield head.subarray(offset);
    head = null;
  }
  if (head !== null) throw new Error('a stored instance has no data set');
}

/** null: more bytes are needed. */
function dataSetOffset(head: Buffer): number | null {
  if (head.length < 144) return null;
  const grouped = head.toString('latin1', 128, 132) === 'DICM' && head.readUInt32LE(132) === 0x00000002;
  if (grouped && head.toString('latin1', 136, 138) === 'UL') return 144 + head.readUInt32LE(140);
  const parsed = parsePart10Header(head);
  if (parsed.ok) return parsed.value.dataSetOffset;
  if (head.length > HEAD_LIMIT) throw new Error('a stored instance has no file meta information');
  return null;
}

async function gather(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > TRANSCODE_LIMIT) throw new Error('an instance is larger than the index says');
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}
