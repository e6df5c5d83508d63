/** What the hub keeps of hospitals that run their own XDS domain: whom it asked about, and which manifests it was told of. */
import type { HubId, SiteId } from './identifier.ts';
import type { SourceTime } from './record.ts';

/** A patient of the site, as registered there. */
export interface HospitalPatient {
  readonly recordId: HubId;
  readonly personId: HubId;
  readonly authority: string;
  readonly localId: string;
}

export interface FiledManifest {
  readonly site: SiteId;
  readonly documentUid: string;
  readonly recordId: HubId;
  /** Empty where it was refused. */
  readonly studyUids: readonly string[];
  readonly object: string;
  readonly madeAt: SourceTime;
}

export interface HospitalShelf {
  /** Takes those that were not asked about since `before`, longest ago first; they count as asked about from now. */
  takeDue(site: SiteId, before: Date, limit: number): Promise<readonly HospitalPatient[]>;
  /** Could not be asked about: the next turn is theirs again. */
  putBack(recordId: HubId): Promise<void>;
  /**
   * The hospital told of news of these patients, numbers of its own authority: the next turns are theirs. Gives their
   * persons; who is not registered has no turn.
   */
  wake(site: SiteId, authority: string, localIds: readonly string[]): Promise<readonly HubId[]>;
  /** Which of these documents were filed before. */
  known(site: SiteId, documentUids: readonly string[]): Promise<ReadonlySet<string>>;
  file(manifest: FiledManifest): Promise<void>;
  /** These are all that the registry tells of the patient now: others are withdrawn, and those that are back stand. */
  standing(site: SiteId, recordId: HubId, documentUids: readonly string[]): Promise<void>;
  /** Object of the latest manifest that stands. */
  manifestOf(site: SiteId, studyUid: string): Promise<string | null>;
}
