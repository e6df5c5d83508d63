/**
 * What of a registration is compared when the hub asks "who is this person": a flat, normalised view, made once per
 * registration, so that the live feed and the batch linkage of a first load use one matcher.
 */
import type { Sex } from '../record.ts';

/** A written name and its readings, normalised. */
export interface NameFeature {
  /** Comparable ideographic name (NFKC, variants folded, no blanks or middle dots); null: only Latin is known. */
  readonly ideographic: string | null;
  /** Latin or pinyin words as they came, upper case, in their order: family name first where the source says so. */
  readonly latin: readonly string[];
  /** Latin family and given name, normalised, where the source keeps them apart; null: it does not. */
  readonly family: string | null;
  readonly given: string | null;
  /** Toneless pinyin of the ideographic name, one entry a possible reading (heteronyms, surname readings), bounded. */
  readonly readings: readonly string[];
  /** 某某之子, 某某之女: the name is the mother's with a relation, not the child's own. */
  readonly childOf: 'son' | 'daughter' | 'child' | null;
  /** Which of several at one birth, where the name counts them: 张三之子2, 张三大双. */
  readonly ordinal: string | null;
  /** Replacement or private-use characters: `?` and the like match anything, weakly. */
  readonly damaged: boolean;
}

export interface Features {
  /** The registration's hub id, or the row's id in a batch. */
  readonly recordId: string;
  /** Who issued the local identifier; two registrations of one issuer are duplicates only on strong evidence. */
  readonly issuer: string;
  /** Valid canonical 18-character resident ID (GB 11643), never one of the deny list; null: none. */
  readonly residentId: string | null;
  /**
   * A valid resident ID whose birth date is years away from the registered one: a parent's on a child, a card that was
   * at hand. It is not this person's number, and whoever owns it is not this person.
   */
  readonly borrowedId: string | null;
  /** The resident ID tells a birth that no slip of the pen explains: it may be the card of a brother or sister. */
  readonly bornOtherwise?: true;
  /** What was given as resident ID and is not valid: compared for typing errors only. */
  readonly brokenResidentId: string | null;
  /** Passport, insurance and other numbers that are one person's: `type|authority|value`, normalised. */
  readonly identifiers: readonly string[];
  readonly names: readonly NameFeature[];
  /** `YYYY-MM-DD`, `YYYY-MM` or `YYYY`; placeholders (1900-01-01, 0001-01-01) are null. */
  readonly birthDate: string | null;
  readonly sex: Sex | null;
  /** Digits only, national form. */
  readonly phones: readonly string[];
  /** Normalised street address; null: none. */
  readonly address: string | null;
  /** City, district or suburb. */
  readonly locality: string | null;
  readonly postalCode: string | null;
}
