/**
 * Takes one DICOM instance from C-STORE or STOW-RS: its bytes go to the object store as they come, its header becomes
 * the index record, and the sender hears "stored" only when the object is durable and the journal names it or is sure to
 * (file-instances.ts). Bytes are never changed.
 */
import { createHash } from 'node:crypto';
import type { Envelope, Intake } from '../core/envelope.ts';
import type {
  FreshObject,
  InstanceArrival,
  InstanceIntake,
  InstanceSink,
  Log,
  ObjectStore,
  ObjectWriter,
  StoreOutcome,
} from '../core/ports.ts';
import { Failure, problem, problemClass } from '../core/problem.ts';
import type { Finding, Problem } from '../core/problem.ts';
import { hashed, noteAbout, type InstanceRecord, type UnhashedInstance } from '../core/record.ts';
import type { SiteProfile, Sites } from '../core/site.ts';
import { InstancePrefix } from '../../mappings/dicom/instance-prefix.ts';
import { settle, type Filing, type Ticket } from './file-instances.ts';
import { readInstance } from '../../mappings/dicom/instance.ts';
import { writePart10Head } from '../../mappings/dicom/write.ts';

export interface ReceiveOptions {
  readonly objects: ObjectStore;
  readonly intake: Intake;
  readonly sites: Sites;
  readonly filing: Filing;
  readonly log: Log;
  readonly clock: () => Date;
  /** Bytes of one instance above which it is refused; 16 GiB by default. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 16 * 2 ** 30;
/** Up to this size the journal row is written while the object goes to the disk, and committed after it. */
const OVERLAP_BYTES = 8 * 2 ** 20;
/**
 * Bytes that may wait to be hashed. A CT or MR object is hashed after its sender was answered, while that one opens its
 * next file: hashing takes a third of what it costs to receive it (measured).
 */
const HASH_BEHIND_BYTES = 1024 * 1024;
/** First folder of the keys of what came by C-STORE. */
export const STORED_BY_DIMSE = 'dicom';

export function createInstanceSink(options: ReceiveOptions): InstanceSink {
  return {
    async begin(arrival) {
      const site = options.sites.byId(arrival.site);
      if (!site) throw new Failure(problem('unknown-sender', undefined, 'The site of the sender is not known.'));
      const receivedAt = options.clock();
      const day = receivedAt.toISOString().slice(0, 10).replaceAll('-', '/');
      const kind = arrival.channel === 'dicom' ? STORED_BY_DIMSE : 'dicomweb';
      const object = await options.objects.writeFresh(`${kind}/${day}`, '.dcm');
      return new Receiving(options, arrival, site, receivedAt.toISOString(), object);
    },
    refuse: (arrival, head, why) => keepRefusal(options, arrival, head, why),
    paused: (sender) => void options.filing.paused(sender),
  };
}

/** How much is kept of what is refused unread (as of HL7 v2 frames). */
const HEAD_BYTES = 8192;

/** Every input ends as something: what is refused for good is in the journal. What failed for now comes again. */
async function keepRefusal(
  { intake, log }: ReceiveOptions,
  arrival: InstanceArrival,
  head: Uint8Array,
  why: Problem,
): Promise<void> {
  if (problemClass(why) !== 'permanent') return;
  const { channel, site, sender, peer, announced } = arrival;
  const bytes = Buffer.from(head.subarray(0, HEAD_BYTES));
  const controlId = announced?.sopUid ?? createHash('sha256').update(bytes).digest('hex');
  const named = { controlId, messageType: announced?.sopClass ?? 'unknown', contentType: 'application/octet-stream' };
  const rest = { bytes, patientKey: '', answer: Buffer.alloc(0) };
  try {
    await intake.refuse({ channel, site, sender, peer, ...named, ...rest }, why);
  } catch (cause) {
    // The refusal stands without its record: nothing was promised to the sender.
    log.error({ cause, code: why.code }, 'a refused instance could not be recorded');
  }
}

class Receiving implements InstanceIntake {
  readonly #options: ReceiveOptions;
  readonly #arrival: InstanceArrival;
  readonly #site: SiteProfile;
  readonly #receivedAt: string;
  readonly #object: FreshObject;
  readonly #key: string;
  readonly #writer: ObjectWriter;
  readonly #prefix: InstancePrefix;
  readonly #hash = createHash('sha256');
  #unhashed: Buffer[] = [];
  #unhashedBytes = 0;
  #digest: string | null = null;
  #headWritten = false;
  #size = 0;
  #dataSetSize = 0;
  #dataSetOffset = 0;
  /** Set where the bytes cannot be kept: the rest passes by. */
  #stopped: Problem | null = null;
  /** Set where the bytes are kept, but as refused. */
  #unreadable: Problem | null = null;
  /** Writes and the end run one after another, so that an abort never overtakes a write. */
  #turn: Promise<void> = Promise.resolve();

  constructor(
    options: ReceiveOptions,
    arrival: InstanceArrival,
    site: SiteProfile,
    receivedAt: string,
    object: FreshObject,
  ) {
    this.#options = options;
    this.#arrival = arrival;
    this.#site = site;
    this.#receivedAt = receivedAt;
    this.#object = object;
    this.#key = object.key;
    this.#writer = object.writer;
    this.#prefix = new InstancePrefix(arrival.announced?.transferSyntax ?? null);
  }

  /** Never rejects: what went wrong is the outcome of `finish`, and bytes after it pass by. */
  write(chunk: Uint8Array): Promise<void> {
    this.#turn = this.#turn.then(() => this.#write(chunk));
    return this.#turn;
  }

  async #write(chunk: Uint8Array): Promise<void> {
    if (this.#stopped) return;
    if (this.#size + chunk.length > (this.#options.maxBytes ?? MAX_BYTES)) {
      this.#stop(problem('too-large', undefined, 'The instance is larger than the hub takes.'));
      return;
    }
    try {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      if (this.#headWritten) {
        if (this.#prefix.open) this.#prefix.add(bytes);
        await this.#append(bytes);
        return;
      }
      this.#prefix.add(bytes);
      if (this.#arrival.announced) {
        await this.#head(this.#arrival.announced);
        await this.#append(bytes);
      } else if (!this.#prefix.short) await this.#openFile();
    } catch (cause) {
      this.#fail(cause);
    }
  }

  /** The Part-10 head of a data set that came without one (PS3.10 §7.1). */
  async #head(head: Parameters<typeof writePart10Head>[0]): Promise<void> {
    const bytes = writePart10Head(head);
    await this.#writer.write(bytes);
    this.#size = bytes.length;
    this.#dataSetOffset = bytes.length;
    this.#headWritten = true;
  }

  /** A file as it was posted: kept whole where it is Part-10, else its data set gets a head. */
  async #openFile(): Promise<void> {
    const start = this.#prefix.startOfFile();
    if (!start.ok) this.#unreadable = start.problem;
    const { bytes, dataSetOffset, head } = start.ok ? start.value : this.#prefix.unread();
    if (head) await this.#head(head);
    else {
      const meta = bytes.subarray(0, dataSetOffset);
      await this.#writer.write(meta);
      this.#size = meta.length;
      this.#dataSetOffset = dataSetOffset;
      this.#headWritten = true;
    }
    await this.#append(bytes.subarray(dataSetOffset));
  }

  async #append(bytes: Buffer): Promise<void> {
    this.#unhashed.push(bytes);
    this.#unhashedBytes += bytes.length;
    if (this.#unhashedBytes > HASH_BEHIND_BYTES) this.#hashAll();
    this.#size += bytes.length;
    this.#dataSetSize += bytes.length;
    await this.#writer.write(bytes);
  }

  async finish(): Promise<StoreOutcome> {
    await this.#turn;
    if (!this.#stopped && !this.#headWritten) await this.#write(Buffer.alloc(0));
    if (!this.#stopped && !this.#headWritten)
      await this.#openFile().catch((cause: unknown) => {
        this.#fail(cause);
      });
    if (this.#stopped) {
      const why = this.#stopped;
      await this.abort('refused');
      await keepRefusal(this.#options, this.#arrival, this.#prefix.unread().bytes, why);
      return this.#refused(why);
    }
    try {
      const kept = this.#writer.commit();
      kept.catch(() => undefined); // reported where it is awaited
      // A large object takes its time: no transaction waits for it.
      if (this.#size > OVERLAP_BYTES) await kept;
      return await this.#conclude(kept);
    } catch (cause) {
      return this.#refused(this.#fail(cause));
    }
  }

  /** The journal is asked what it knows of this instance while the header is read and the disk writes. */
  async #conclude(kept: Promise<unknown>): Promise<StoreOutcome> {
    const asked = this.#ticket();
    asked.catch(() => undefined); // reported where it is awaited
    try {
      const read = this.#read();
      if (read.ok) return await this.#accept(read.record, read.findings, kept, await asked);
      await kept;
      return await this.#refuse(read.problem);
    } finally {
      (await asked.catch(() => null))?.release();
    }
  }

  #hashAll(): void {
    for (const bytes of this.#unhashed) this.#hash.update(bytes);
    this.#unhashed = [];
    this.#unhashedBytes = 0;
  }

  /** SHA-256 of the data set, hex; nothing is appended after it was asked for. */
  #digestHex(): string {
    if (this.#digest === null) {
      this.#hashAll();
      this.#digest = this.#hash.digest('hex');
    }
    return this.#digest;
  }

  /** The same after the sender was answered, by the store where it can. */
  async #digestBehind(): Promise<string> {
    const isWhole = this.#digest === null && this.#unhashedBytes === this.#dataSetSize;
    if (isWhole) this.#digest = (await this.#object.digest?.(this.#dataSetOffset)) ?? null;
    return this.#digestHex();
  }

  async abort(reason: string): Promise<void> {
    await this.#turn;
    this.#stop(problem('internal', undefined, reason));
    await this.#writer.abort();
  }

  /** The header as a record, or why it is none; the sender's announcement must agree with it (PS3.7 §9.1.1.1.4). */
  #read():
    | { readonly ok: true; readonly record: UnhashedInstance; readonly findings: readonly Finding[] }
    | { readonly ok: false; readonly problem: Problem } {
    if (this.#unreadable) return { ok: false, problem: this.#unreadable };
    const header = this.#prefix.header(this.#dataSetSize);
    if (!header.ok) return header;
    const stored = {
      object: this.#key,
      size: this.#size,
      dataSetOffset: this.#dataSetOffset,
      transferSyntax: header.value.transferSyntax,
    };
    const mapped = readInstance(header.value, this.#site, stored, this.#receivedAt);
    if (!mapped.ok) return mapped;
    const [read] = mapped.records;
    if (!read) throw new Error('a mapped instance has one record');
    const { announced, noteOf } = this.#arrival;
    const record = noteOf === undefined ? read : noteAbout(read, noteOf);
    if (announced && announced.sopUid !== record.instance.uid) {
      const text = 'The SOP Instance UID of the request is not that of the data set.';
      return { ok: false, problem: problem('conflict', '(0008,0018)', text) };
    }
    if (announced && announced.sopClass !== record.instance.sopClass) {
      const text = 'The SOP Class UID of the request is not that of the data set.';
      return { ok: false, problem: problem('conflict', '(0008,0016)', text) };
    }
    return { ok: true, record, findings: mapped.findings };
  }

  async #accept(
    record: UnhashedInstance,
    findings: readonly Finding[],
    kept: Promise<unknown>,
    ticket: Ticket | null,
  ): Promise<StoreOutcome> {
    const { intake, objects, log } = this.#options;
    const { uid: sopUid, sopClass } = record.instance;
    const envelope = (digest: string): Envelope => instanceEnvelope(this.#arrival, this.#key, hashed(record, digest));
    const stored = { ok: true, sopClass, sopUid, studyUid: record.keys.studyUid, findings } as const;
    if (ticket !== null) {
      await kept;
      ticket.file(async () => envelope(await this.#digestBehind()), this.#object);
      return { ...stored, duplicate: false };
    }
    const receipt = await intake.accept(envelope(this.#digestHex()), kept);
    if (receipt.kind === 'conflict') {
      // The object stays as evidence of the refusal, which names it.
      this.#object.filed();
      return { ok: false, problem: receipt.problem, sopClass, sopUid };
    }
    if (receipt.kind === 'duplicate') await this.#discard();
    else await settle(receipt, this.#object, objects, log);
    return { ...stored, duplicate: receipt.kind === 'duplicate' };
  }

  /**
   * May the sender be answered before the journal? The head that the hub wrote names the sender: after a crash the object
   * alone tells all that the journal needs.
   */
  #ticket(): Promise<Ticket | null> {
    const { channel, site, sender, announced } = this.#arrival;
    if (!this.#object.listed || channel !== 'dicom' || announced === undefined) return Promise.resolve(null);
    return this.#options.filing.ticket({ channel, site, sender, controlId: announced.sopUid });
  }

  /** Keeps bytes that cannot be indexed, with the reason, for a person to look at. */
  async #refuse(why: Problem): Promise<StoreOutcome> {
    const announced = this.#arrival.announced;
    const digest = this.#digestHex();
    const kept = { ...announced, object: this.#key, size: this.#size, digest, dataSetOffset: this.#dataSetOffset };
    // Without an announcement the bytes themselves are all there is to tell one file from another.
    const controlId = announced?.sopUid ?? digest;
    const named = { controlId, messageType: announced?.sopClass ?? 'unknown' };
    await this.#options.intake.refuse(envelopeOf(this.#arrival, this.#key, digest, named, kept), why);
    this.#object.filed();
    return this.#refused(why);
  }

  /** A repeated instance is held already; a copy that cannot be removed wastes room and hurts nobody. */
  async #discard(): Promise<void> {
    try {
      await this.#options.objects.remove(this.#key);
      this.#object.filed();
    } catch (cause) {
      this.#options.log.warn({ cause, object: this.#key }, 'the copy of a repeated instance was not removed');
    }
  }

  #refused(why: Problem): StoreOutcome {
    const announced = this.#arrival.announced;
    if (!announced) return { ok: false, problem: why };
    return { ok: false, problem: why, sopClass: announced.sopClass, sopUid: announced.sopUid };
  }

  #stop(why: Problem): void {
    this.#stopped ??= why;
  }

  #fail(cause: unknown): Problem {
    this.#options.log.error({ cause, object: this.#key }, 'an instance could not be stored');
    const why = cause instanceof Failure ? cause.problem : problem('unavailable');
    this.#stop(why);
    return why;
  }
}

/** An accepted instance as the journal takes it. */
export function instanceEnvelope(
  arrival: Pick<InstanceArrival, 'channel' | 'site' | 'sender' | 'peer'>,
  object: string,
  record: InstanceRecord,
): Envelope {
  const { patient, instance } = record;
  const named = { controlId: instance.uid, messageType: instance.sopClass };
  const envelope = envelopeOf(arrival, object, instance.digest, named, record);
  return patient ? { ...envelope, patientKey: `${patient.authority}|${patient.value}` } : envelope;
}

/** What the journal keeps of an object, whoever sent it. */
export function envelopeOf(
  { channel, site, sender, peer }: Pick<Envelope, 'channel' | 'site' | 'sender' | 'peer'>,
  object: string,
  digest: string,
  named: Pick<Envelope, 'controlId' | 'messageType'>,
  content: object,
): Envelope {
  return {
    channel,
    site,
    sender,
    peer,
    ...named,
    contentType: 'application/json',
    bytes: Buffer.from(JSON.stringify(content)),
    object,
    digest,
    patientKey: '',
    answer: Buffer.alloc(0),
  };
}
