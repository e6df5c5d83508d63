/**
 * What a patient agreed to and refused (PIPL 15, 23, 29, 31; GB/T 39725), as pure rules over FHIR R4 Consent reduced to
 * what the hub can hold to: permit or deny by institution (who would see, whose data), purpose, class, label and period.
 *
 * Order of precedence among the rules that fit a question:
 * 1. an exception inside a consent stands above what it is an exception of;
 * 2. a narrower rule stands above a wider one: nearer in who sees, whose data, purpose, class, label and time, and wider in
 *    none of them;
 * 3. among what is left a refusal stands above a permission.
 * No rule that fits: `silent`, and whoever asks decides by the relation to the patient. An emergency stands above refusals
 * where the policy says so, and never turns silence into a permission: that is the grant's work (core/break-glass.ts).
 */
import type { Purpose } from './access.ts';

export type ConsentEffect = 'permit' | 'deny';

/** Alternatives within each list; an empty list names none in particular: all. */
export interface ConsentScope {
  /** Codes of institutions, or of what they belong to (parent, consortium), that would see. */
  readonly recipients: readonly string[];
  /** The same of whose data it is. */
  readonly sources: readonly string[];
  readonly purposes: readonly Purpose[];
  /** Kinds of what is seen, as FHIR resource types: `ImagingStudy`, `DiagnosticReport`. */
  readonly classes: readonly string[];
  /**
   * Labels of sensitivity (core/subject.ts). A refusal reaches a record that bears any of them; a permission one whose
   * labels are all among them, so that it reaches a sensitive record only where it says so (GB/T 39725 level 5).
   */
  readonly labels: readonly string[];
  /** ISO 8601 UTC; included, and excluded. null: open. */
  readonly from: string | null;
  readonly until: string | null;
}

export interface ConsentRule extends ConsentScope {
  readonly effect: ConsentEffect;
  /** Position, in the consent's own list, of the rule that this is an exception of; always earlier. null: of none. */
  readonly exceptionOf: number | null;
}

export interface StandingConsent {
  readonly consentId: string;
  readonly version: number;
  readonly rules: readonly ConsentRule[];
  /** Given over registrations that are another person since: what it refuses still binds, what it permits no longer does. */
  readonly refusalsOnly?: true;
}

export interface ConsentQuestion {
  /** The institution that would see, nearest first: itself, what it belongs to. Empty: the platform, for nobody's sake. */
  readonly recipient: readonly string[];
  /**
   * The institution whose data it is, likewise. Empty: not known, so that a refusal that names any binds. null: of none in
   * particular, as who the patient is.
   */
  readonly source: readonly string[] | null;
  readonly purpose: Purpose;
  /** null: of several kinds at once, or not known. */
  readonly class: string | null;
  readonly labels: readonly string[];
  /** ISO 8601 UTC. */
  readonly at: string;
}

export type ConsentAnswer =
  | { readonly effect: 'silent' }
  | { readonly effect: ConsentEffect; readonly consentId: string; readonly version: number; readonly rule: number };

/** How near a rule is in each dimension, 0 the nearest; absent from the list of the fitting: it does not fit. */
interface Fit {
  readonly consentId: string;
  readonly version: number;
  readonly rule: number;
  readonly effect: ConsentEffect;
  readonly ranks: readonly number[];
  readonly from: string;
  readonly until: string;
  readonly above: ReadonlySet<number>;
}

const ANY = Number.POSITIVE_INFINITY;
/** Before and after everything that ISO 8601 writes. */
const [ALWAYS, FOREVER] = ['', '~'];

export function askConsents(consents: readonly StandingConsent[], question: ConsentQuestion): ConsentAnswer {
  const fitting = consents.flatMap((consent) => fitsOf(consent, question));
  const standing = fitting.filter((one) => !fitting.some((other) => isAbove(other, one)));
  const deciding = standing.find(({ effect }) => effect === 'deny') ?? standing[0];
  if (deciding === undefined) return { effect: 'silent' };
  const { effect, consentId, version, rule } = deciding;
  return { effect, consentId, version, rule };
}

function fitsOf({ consentId, version, rules, refusalsOnly }: StandingConsent, question: ConsentQuestion): Fit[] {
  const found = new Map<number, Fit>();
  for (const [at, rule] of rules.entries()) {
    const within = rule.exceptionOf === null ? null : found.get(rule.exceptionOf);
    // An exception is one only where what it is an exception of holds.
    if (within === undefined) continue;
    const ranks = ranksOf(rule, question);
    if (ranks === null) continue;
    const [from, until] = [rule.from ?? ALWAYS, rule.until ?? FOREVER];
    const fit = { consentId, version, rule: at, effect: rule.effect, ranks, from, until, above: new Set<number>() };
    found.set(at, within === null ? fit : inside(fit, within));
  }
  return [...found.values()].filter(({ effect }) => refusalsOnly !== true || effect === 'deny');
}

/** What an exception does not say it has from what it is an exception of. */
const inside = (fit: Fit, within: Fit): Fit => ({
  ...fit,
  ranks: fit.ranks.map((rank, at) => Math.min(rank, within.ranks[at] ?? ANY)),
  from: fit.from > within.from ? fit.from : within.from,
  until: fit.until < within.until ? fit.until : within.until,
  above: new Set([...within.above, within.rule]),
});

function ranksOf(rule: ConsentRule, question: ConsentQuestion): readonly number[] | null {
  if (question.at < (rule.from ?? ALWAYS) || question.at >= (rule.until ?? FOREVER)) return null;
  const refuses = rule.effect === 'deny';
  const ranks = [
    nearness(rule.recipients, question.recipient, false),
    nearness(rule.sources, question.source ?? [], refuses && question.source !== null),
    nearness(rule.purposes, [question.purpose], false),
    nearness(rule.classes, question.class === null ? [] : [question.class], refuses),
    rule.labels.length === 0 ? ANY : 0,
  ];
  if (!reachesLabels(rule, question.labels)) return null;
  const named = [rule.recipients, rule.sources, rule.purposes, rule.classes, rule.labels];
  return ranks.every((rank, at) => rank !== ANY || named[at]?.length === 0) ? ranks : null;
}

function reachesLabels({ effect, labels }: ConsentRule, borne: readonly string[]): boolean {
  if (labels.length === 0) return effect === 'deny' || borne.length === 0;
  const named = (label: string): boolean => labels.includes(label);
  return effect === 'deny' ? borne.some(named) : borne.length > 0 && borne.every(named);
}

/** Place of the first of `nearest` that is named; ANY where none is. `unknown`: what is not known counts as named. */
function nearness(named: readonly string[], nearest: readonly string[], unknown: boolean): number {
  if (named.length === 0) return ANY;
  if (nearest.length === 0) return unknown ? 0 : ANY;
  const at = nearest.findIndex((one) => named.includes(one));
  return at < 0 ? ANY : at;
}

function isAbove(one: Fit, other: Fit): boolean {
  if (one === other) return false;
  if (one.consentId === other.consentId && one.above.has(other.rule)) return true;
  const nowhereWider = one.ranks.every((rank, at) => rank <= (other.ranks[at] ?? ANY));
  const inTime = one.from >= other.from && one.until <= other.until;
  if (!nowhereWider || !inTime) return false;
  const nearer = one.ranks.some((rank, at) => rank < (other.ranks[at] ?? ANY));
  return nearer || one.from > other.from || one.until < other.until;
}

/** What an emergency stands above. */
export interface EmergencyPolicy {
  /** Refusals of the patient. */
  readonly refusals: boolean;
  /** Labels that stay closed even then; none by default: no doctor is stopped in an emergency. */
  readonly closedLabels: readonly string[];
}

export const EMERGENCY_POLICY: EmergencyPolicy = { refusals: true, closedLabels: [] };

export const opensInEmergency = (
  answer: ConsentAnswer,
  labels: readonly string[],
  policy: EmergencyPolicy = EMERGENCY_POLICY,
): boolean =>
  (answer.effect !== 'deny' || policy.refusals) && !labels.some((label) => policy.closedLabels.includes(label));

/** In whose name a consent is given. */
export type ConsentGiver = 'patient' | 'guardian' | 'representative';

/** PIPL 31: for whom is younger than this a guardian consents. */
const OF_AGE_YEARS = 14;

/**
 * Whether a guardian must give it: of a date that is not known to the day the youngest counts; of none at all, the desk
 * that saw the patient. `birthDate`: YYYY, YYYY-MM or YYYY-MM-DD; `today`: YYYY-MM-DD.
 */
export function needsGuardian(birthDate: string | null, today: string): boolean {
  if (birthDate === null || !/^\d{4}(-\d{2}){0,2}$/.test(birthDate)) return false;
  const latest = `${birthDate}${'-12-31'.slice(birthDate.length - 4)}`.slice(0, 10);
  const year = Number(latest.slice(0, 4)) + OF_AGE_YEARS;
  return today < `${String(year).padStart(4, '0')}${latest.slice(4)}`;
}
