/** What a channel hands to the journal: the bytes as they came, and just enough around them to file them. */
import type { SiteId } from './identifier.ts';
import type { Finding, Problem } from './problem.ts';

export type ChannelKind = 'hl7v2' | 'rest' | 'dicom' | 'dicomweb' | 'xds' | 'fhir' | 'hl7v3';

export interface Envelope {
  readonly channel: ChannelKind;
  /** null: the sender belongs to no site (kept as refused). */
  readonly site: SiteId | null;
  /** Who sent it in its own tongue: `RIS|H1`, an AE title, a client's name. No patient data. */
  readonly sender: string;
  /** Peer address, for the audit. */
  readonly peer: string;
  /** The sender's own id of this message: MSH-10, Idempotency-Key, SOP Instance UID. Unique per site, channel and sender. */
  readonly controlId: string;
  /** Type in the channel's own tongue: `ADT^A04`, `POST /exams`, a SOP class UID. */
  readonly messageType: string;
  readonly contentType: string;
  /** The bytes; for a DICOM instance the JSON of its InstanceRecord, the file itself being durable at `object`. */
  readonly bytes: Uint8Array;
  readonly object?: string;
  /** SHA-256 (hex) of what identifies the content, where that is not `bytes`: the data set of a DICOM instance. */
  readonly digest?: string;
  /**
   * What orders messages of one patient: `authority|value` as read from the message's fixed place, or empty.
   * Only used to serialise work and to let a message that must wait hold up nobody else.
   */
  readonly patientKey: string;
  /** The answer the sender gets for this message, given again when it repeats it. */
  readonly answer: Uint8Array;
}

export type Receipt =
  | { readonly kind: 'accepted'; readonly journalId: string }
  /** Same control id, same bytes: the first answer again. */
  | {
      readonly kind: 'duplicate';
      readonly journalId: string;
      readonly answer: Uint8Array;
      /** Where the first one's bytes lie, while the journal knows. */
      readonly object?: string;
    }
  /** Same control id, other bytes: refused, and kept as refused. */
  | { readonly kind: 'conflict'; readonly journalId: string; readonly problem: Problem };

/**
 * The door that every adapter knocks at: the hub's journal, or a gateway's spool. `accept` resolves only after the
 * bytes are durable; it rejects (throws) when they could not be made durable, and then nothing may be acknowledged.
 */
export interface Intake {
  /** `kept`: the bytes at `object` are durable when it resolves. Nothing is committed before, nor if it rejects. */
  accept(envelope: Envelope, kept?: Promise<unknown>): Promise<Receipt>;
  /** Keeps what cannot be accepted, with the reason; resolves when durable. */
  refuse(envelope: Envelope, problem: Problem): Promise<{ journalId: string }>;
}

/** The hub's own intake, which can be asked before something is handed in. */
export interface Journal extends Intake {
  /** Whether something of this control id was accepted before. */
  seen(envelope: Pick<Envelope, 'site' | 'channel' | 'sender' | 'controlId'>): Promise<boolean>;
  /** What waits of these patients of a site is applied now, not when more of it may have come. */
  hasten(site: SiteId, patientKeys: readonly string[]): Promise<void>;
}

export type JournalState = 'received' | 'applied' | 'refused' | 'review';

export interface JournalEntry extends Envelope {
  readonly journalId: string;
  readonly receivedAt: string;
  readonly state: JournalState;
  readonly attempts: number;
}

/** What a mapping makes of one entry. */
export type Mapped<R> =
  | { readonly ok: true; readonly records: readonly R[]; readonly findings: readonly Finding[] }
  | { readonly ok: false; readonly problem: Problem; readonly findings: readonly Finding[] };
