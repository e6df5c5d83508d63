/** What a comparison of two registrations found, attribute by attribute: kept with every decision, shown to reviewers. */

export type Attribute =
  | 'residentId'
  | 'identifier'
  | 'name'
  | 'givenName'
  | 'familyName'
  | 'birthDate'
  | 'sex'
  | 'phone'
  | 'address'
  | 'locality'
  | 'postalCode';

/** How one attribute agreed, and what that adds to the log-odds (base 2) that the two are one person. */
export interface Contribution {
  readonly attribute: Attribute;
  /** The comparator's level: `equal`, `transposed`, `day-month-swapped`, `different` … Missing values have no contribution. */
  readonly level: string;
  /** Bits; positive speaks for one person. */
  readonly weight: number;
}

/** A hard rule above every score: the two are never linked by the hub alone. */
export type Veto =
  | 'resident-id-conflict'
  | 'newborn-with-mothers-id'
  | 'sex-contradicts'
  | 'birth-date-contradicts'
  | 'name-contradicts'
  | 'same-issuer';

export type MatchOutcome = 'link' | 'review' | 'none';

export interface Comparison {
  /** Sum of the contributions and the prior, in bits. */
  readonly weight: number;
  readonly outcome: MatchOutcome;
  readonly contributions: readonly Contribution[];
  readonly veto: Veto | null;
  /** Version of the rules that judged. */
  readonly rules: string;
}

/** Two registrations that were compared; `a` < `b`. */
export interface Pair {
  readonly a: string;
  readonly b: string;
  readonly comparison: Comparison;
}

/** What a person decided about two registrations; it stands above every score until it is taken back. */
export interface Ruling {
  readonly a: string;
  readonly b: string;
  readonly decision: 'same' | 'not-same';
  /** Resident IDs that who ruled knew of (of a hospital's merge the survivor's), and the conflicts that two people confirmed (`pairKey`). */
  readonly numbers?: readonly string[];
}

/** What becomes of a set of registrations: the groups are persons; a doubt waits for a person. */
export interface Clustering {
  readonly groups: readonly (readonly string[])[];
  readonly doubts: readonly Pair[];
}
