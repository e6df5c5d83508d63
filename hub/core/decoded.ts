/** A message field by field, for a person who looks at it: what stands where, what the place is called, and what is hidden. */
import type { ChannelKind } from './envelope.ts';
import type { HubId, SiteId } from './identifier.ts';
import type { Finding } from './problem.ts';

/** A message with its bytes, as the journal holds it. */
export interface JournalSource {
  readonly journalId: string;
  readonly site: SiteId | null;
  readonly channel: ChannelKind;
  readonly messageType: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
  /** Where the file of an image lies. */
  readonly object: string | null;
  readonly findings: readonly Finding[];
  /** Whose message it is, where its patient is registered. */
  readonly persons: readonly HubId[];
}

export interface DecodedRow {
  /** In the message's own tongue, as findings say it: `PID-5.1`, `(0010,0010)`, `examRecord.name`. */
  readonly where: string;
  /** What the place is called, in English and Chinese; empty where nobody knows. */
  readonly name: string;
  readonly nameZh: string;
  readonly value: string;
  readonly masked: boolean;
  /** 0 a segment or a field at the root. */
  readonly depth: number;
  /** Places in `findings` of what was found here. */
  readonly findings: readonly number[];
}

export interface DecodedMessage {
  readonly format: 'hl7v2' | 'json' | 'dicom' | 'xml' | 'unreadable';
  readonly charset: string | null;
  readonly rows: readonly DecodedRow[];
  readonly findings: readonly Finding[];
  /** There is more than is shown. */
  readonly truncated: boolean;
}
