/**
 * What the access decision is fed with: facts of a person's records as they stand, read from the store in one go for as
 * many subjects as an answer holds. hub/store/access-facts.ts implements it.
 */
import type { Caller } from './access.ts';
import type { StandingConsent } from './consent.ts';
import type { HubId, SiteId } from './identifier.ts';
import type { InstitutionCode, InstitutionMap } from './institution.ts';
import type { DicomIndex, IndexReader } from './ports.ts';
import { NOBODY_KNOWN, type SubjectFacts } from './subject.ts';
import type { BreakGlassGrant, Relation, Subject, SubjectDecision } from './subject.ts';

/** What restricts anybody at all, as it stands: read once and kept for a moment. */
export interface AccessGround {
  readonly institutions: InstitutionMap;
  /** Whether any exam carries a label or any rule could give one, and whether any refusal stands: without both, systems are not looked into. */
  readonly anyLabel: boolean;
  readonly anyRefusal: boolean;
}

/** Who asks, in the words of the facts. */
export interface FactsQuery {
  readonly institution: InstitutionCode | null;
  /** Sites whose patients are the reader's; empty for who belongs to no institution. */
  readonly sites: readonly SiteId[];
  readonly practitionerId: string | null;
  readonly accountId: string | null;
  readonly at: string;
}

export interface AccessFacts {
  ground(): Promise<AccessGround>;
  /** Facts by person; a person of whom nothing is known is absent. Bounded by who asks: at most `FACTS_LIMIT` persons. */
  of(persons: readonly HubId[], query: FactsQuery): Promise<ReadonlyMap<HubId, SubjectFacts>>;
  /** Consents and grants alone: all that can stop or help a system. */
  consentsOf(persons: readonly HubId[], query: FactsQuery): Promise<ReadonlyMap<HubId, SubjectFacts>>;
}

/** Consents and break-glass grants, as d-consent's tables hold them. */
export interface ConsentFacts {
  /** Whether any refusal stands at all. */
  anyRefusal(): Promise<boolean>;
  /** Consents of these persons that stand, by person; their rules say when (hub/store/consent-reader.ts). */
  consentsOf(persons: readonly HubId[], at: string): Promise<ReadonlyMap<HubId, readonly StandingConsent[]>>;
  /** Grants of this account over these persons that are in force at `at`. */
  grantsOf(
    accountId: string,
    persons: readonly HubId[],
    at: string,
  ): Promise<ReadonlyMap<HubId, readonly BreakGlassGrant[]>>;
}

/** Relations that later capabilities know of: consultations, recognitions, shares. */
export interface RelationFacts {
  relationsOf(persons: readonly HubId[], query: FactsQuery): Promise<ReadonlyMap<HubId, readonly Relation[]>>;
}

/** What a face's own object is about: found in the index by what the face has in hand. */
export interface SubjectIndex {
  /** Subjects of FHIR resources by `Type/id`; one that is about nobody (Organization) is absent. */
  ofResources(type: string, ids: readonly string[]): Promise<ReadonlyMap<string, readonly Subject[]>>;
  ofExams(exams: readonly HubId[]): Promise<ReadonlyMap<HubId, Subject>>;
  ofStudies(studies: readonly string[]): Promise<ReadonlyMap<string, Subject>>;
  /** Documents of the affinity domain by their uniqueId. */
  ofDocuments(uniqueIds: readonly string[]): Promise<ReadonlyMap<string, readonly Subject[]>>;
}

/** Whom an account has asked for by an exact identifier: it knows that they exist. */
export interface KnownPersons {
  note(accountId: string, persons: readonly HubId[], at: string): Promise<void>;
  /** Those of these that the account has asked for lately. */
  knownTo(accountId: string, persons: readonly HubId[], at: string): Promise<ReadonlySet<HubId>>;
}

/** One desk for every face (hub/flow/access-desk.ts). */
export interface AccessDesk {
  /** What this caller may see, for one request: it also keeps what was withheld, for the audit. */
  sight(caller: Caller): Promise<Sight>;
  /** An institution, and which of these are its patients: registered or active there lately. */
  house(institution: string, persons: readonly string[]): Promise<House>;
}

export interface House {
  /** Codes of the institution and its parts. */
  readonly parts: ReadonlySet<string>;
  readonly patients: ReadonlySet<string>;
}

/**
 * What may be seen of what a face has in hand; the rest is as if it did not exist. Objects that are about nobody
 * (Organization) may be seen, objects that nobody knows may not.
 */
export interface Sight {
  /** Nothing is ever withheld: faces go on as if there were no desk. */
  readonly whole: boolean;
  /** Reports that nobody has signed, or that were withdrawn, are not there either: to the patient they are not told yet. */
  readonly signedOnly: boolean;
  decide(subjects: readonly Subject[]): Promise<readonly SubjectDecision[]>;
  persons(ids: readonly string[]): Promise<ReadonlySet<string>>;
  exams(ids: readonly string[]): Promise<ReadonlySet<string>>;
  studies(uids: readonly string[]): Promise<ReadonlySet<string>>;
  /** FHIR resources by id. */
  resources(type: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Documents of the affinity domain by uniqueId. */
  documents(uniqueIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** These persons were asked for by an exact identifier. */
  identified(persons: readonly string[]): Promise<void>;
  /** Whether anything of a person was withheld whom the caller has asked for by identifier: they may be told the way. */
  mayBeTold(): Promise<boolean>;
  told(): SightTold;
}

/** The index as a caller sees it, for adapters: they know who asks and no desk. */
export type Seeing = (
  caller: Caller,
) => Promise<{ readonly sight: Sight; readonly index: DicomIndex; readonly reader: IndexReader }>;

/** What was withheld up to now, and on what grounds the rest was shown. */
export interface SightTold {
  readonly withheld: readonly { readonly person: HubId; readonly exam?: HubId; readonly reason: string }[];
  readonly bases: readonly string[];
}

/** What an audit record says of it: whose, what, and why not. Null: nothing was withheld. */
export function refusalOf({ withheld }: SightTold): {
  readonly persons: readonly string[];
  readonly objects: readonly string[];
  readonly reason: string;
} | null {
  if (withheld.length === 0) return null;
  const persons = withheld.map(({ person }) => person).filter((person) => person !== NOBODY_KNOWN);
  const objects = withheld.flatMap(({ exam }) => (exam === undefined ? [] : [`exam/${exam}`]));
  const reasons = withheld.map(({ reason }) => reason);
  return { persons: [...new Set(persons)], objects: [...new Set(objects)], reason: [...new Set(reasons)].join(' ') };
}

/** What of it an audit record says: the grounds of what was shown. */
export const groundsOf = ({ bases }: SightTold): { readonly basis?: string } =>
  bases.length === 0 ? {} : { basis: bases.join(' ') };
