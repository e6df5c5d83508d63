/** Who asks in the demo's checks, and how what is seen is held against what was sent. */
import { createHash } from 'node:crypto';
import type { Exam } from '../province/exams.ts';
import type { DicomFile } from '../province/images.ts';
import type { DemoHub } from './hub.ts';
import type { Abroad } from './neighbour.ts';
import type { Played } from './play.ts';
import type { Told } from './senders.ts';

export interface Asker {
  readonly hub: DemoHub;
  readonly query: string;
  readonly operator: string;
  readonly feed: string;
  readonly played: Played;
  readonly told: readonly Told[];
  /** The exam of a person of ours in the neighbouring province. */
  readonly abroad: Abroad;
}

export interface Check {
  readonly name: string;
  /** Empty: it holds; else what was seen instead. */
  readonly holds: (asker: Asker) => Promise<string>;
}

export const same = (what: string, seen: unknown, wanted: unknown): string =>
  JSON.stringify(seen) === JSON.stringify(wanted)
    ? ''
    : `${what}: saw ${JSON.stringify(seen)}, wanted ${JSON.stringify(wanted)}`;

export const filesOf = ({ played }: Asker, exam: Exam): readonly DicomFile[] => played.files.get(exam) ?? [];
export const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
/** The hub writes the head of a C-STORE file itself: what counts is every byte of the data set. */
export const dataSet = (file: Buffer): Buffer => file.subarray(144 + file.readUInt32LE(140));
export const digests = (files: readonly Buffer[]): string[] => files.map((file) => digest(dataSet(file))).sort();
