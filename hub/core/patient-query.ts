/**
 * Asking who a patient is, as PIX and PDQ ask on every wire (ITI-9, 21, 22, 45, 47): the other numbers of a patient, and
 * the patients that demographics fit. Access and audit are the face's duty.
 */
import type { Caller } from './access.ts';
import type { Sight } from './access-ports.ts';
import type { PersonName, Sex } from './record.ts';
import type { VisitDemand, VisitView } from './visit.ts';

/** `authority` is an OID, or a namespace's name. */
export interface PatientNumber {
  readonly authority: string;
  readonly value: string;
}

export type CrossReference =
  | {
      readonly kind: 'known';
      readonly personId: string;
      /** In the domains asked for, without the one that was asked with; empty: none there. */
      readonly numbers: readonly PatientNumber[];
    }
  | { readonly kind: 'unknown-domain' }
  | { readonly kind: 'unknown-patient' }
  /** Places in the list of target domains, from 0. */
  | { readonly kind: 'unknown-targets'; readonly at: readonly number[] };

/** A text that must be equal, but for case, accents and blanks; or with which the other begins. */
export interface AskedText {
  readonly text: string;
  readonly begins: boolean;
}

/** All that is given must hold. */
export interface Demand {
  readonly numbers: readonly { readonly value: string; readonly authority: string | null }[];
  readonly names: readonly (AskedText & { readonly part: 'any' | 'family' | 'given' })[];
  /** YYYY, YYYY-MM or YYYY-MM-DD. */
  readonly birthDate: string | null;
  readonly sex: Sex | null;
  readonly phone: string | null;
  /** Each stands somewhere in the address. */
  readonly address: readonly string[];
  /** Who has a visit of which all this holds. */
  readonly visits?: VisitDemand;
}

/** Nothing that a person is found by: everybody is a man or a woman. */
export const saysNobody = ({ numbers, names, birthDate, phone, address }: Demand): boolean =>
  numbers.length + names.length + address.length === 0 && birthDate === null && phone === null;

/** A patient as a demographics answer shows it, under the rules by which attributes survive. */
export interface FoundPatient {
  readonly personId: string;
  readonly numbers: readonly (PatientNumber & { readonly type: string })[];
  readonly names: readonly PersonName[];
  readonly sex: Sex | null;
  readonly birthDate: string | null;
  readonly phones: readonly string[];
  readonly addresses: readonly { readonly text: string; readonly postalCode?: string }[];
  /** Where visits are told: the one that this answer is about; null: none is known. */
  readonly visit?: VisitView | null;
}

export interface FoundPage {
  readonly patients: readonly FoundPatient[];
  /** How many match in all, and how many come after these. */
  readonly total: number;
  readonly remaining: number;
  /** Continues the answer; null: this is the end of it. */
  readonly pointer: string | null;
}

export type Demographics =
  | { readonly kind: 'found'; readonly page: FoundPage }
  | { readonly kind: 'unknown-domains'; readonly at: readonly number[] }
  /** More than any page-turner would read, or too slow to find: to be narrowed. */
  | { readonly kind: 'too-many' }
  | { readonly kind: 'unknown-pointer' };

/** Whose answer it is, and of which query: a pointer is good for its asker and its query only. */
export interface Asking {
  readonly callerId: string;
  readonly tag: string;
  readonly limit: number;
  /** One answer a visit, whoever has none one without (ITI-22); else one a patient. */
  readonly each?: 'visit';
}

export interface PatientQueries {
  /** The same questions, answered with what this caller may see. */
  seenBy(sight: Sight): PatientQueries;
  /** `targets` empty: all domains. */
  crossReference(source: PatientNumber, targets: readonly string[]): Promise<CrossReference>;
  /** `domains`: those whose numbers are wanted; who has none there is not found. */
  find(demand: Demand, domains: readonly string[], asking: Asking): Promise<Demographics>;
  /** By the pointer of the answer before; or from a place in the whole answer, from 0. */
  more(from: string | number, asking: Asking): Promise<Demographics>;
  /** Pointers of this query lead nowhere from now on. */
  cancel(asking: Pick<Asking, 'callerId' | 'tag'>): Promise<void>;
}

/** The questions for adapters, which know who asks and no desk: answered with what that caller may see. */
export type PatientsSeen = (caller: Caller) => Promise<PatientQueries>;
