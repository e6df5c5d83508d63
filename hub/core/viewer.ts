/** Opening the viewer from elsewhere: what a launch names, how it is opened once, and what the session it opens may see. */
import type { Caller } from './access.ts';
import type { HubId, Uid } from './identifier.ts';
import type { ExamView } from './view.ts';

/** As a code is made for it. */
export interface NewLaunch {
  readonly caller: Caller;
  /** The account in whose browser it must be opened; null: a system calls, and whoever has the code opens it. */
  readonly accountId: string | null;
  readonly personId: HubId;
  readonly studyUids: readonly Uid[];
}

export interface Launch extends NewLaunch {
  readonly launchId: string;
}

/** What became of a code that somebody brought. */
export type Opening =
  | { readonly kind: 'opened'; readonly launch: Launch }
  | { readonly kind: 'refused'; readonly why: 'unknown' | 'used' | 'expired'; readonly launch: Launch | null };

/** Codes and tokens reach the store only as their SHA-256. */
export interface ViewerLaunches {
  /** `endsAt` is when the code ends. */
  add(launch: NewLaunch, codeHash: Uint8Array, endsAt: Date): Promise<string>;
  /** Of several who bring one code at once, one opens it. */
  open(codeHash: Uint8Array): Promise<Opening>;
  /** Gives an opened launch a session of its own. */
  begin(launchId: string, tokenHash: Uint8Array, endsAt: Date): Promise<void>;
  /** The launch whose session this token is now; null: none. */
  session(launchId: string, tokenHash: Uint8Array): Promise<Launch | null>;
}

/** What stands beside the images. */
export interface PersonExams {
  /** Newest first, at most `limit`; of the person as he is linked now. */
  of(personId: HubId, limit: number): Promise<readonly ExamView[]>;
  /** Whose study this is now; null: nobody's here. */
  personOf(studyUid: Uid): Promise<HubId | null>;
}

/** How long a code may wait to be opened: long enough for a redirect, too short to be passed on. */
export const CODE_MS = 60_000;
/** How long the narrow session lasts; the system that launched it can launch it again. */
export const SESSION_MS = 30 * 60_000;
