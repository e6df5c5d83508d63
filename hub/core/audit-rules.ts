/**
 * Odd access: which records of the audit an auditor should look at, as rules over what an actor did and usually does. Pure,
 * thresholds are data; how to tune them is in openapi/audit.md (SECURITY L3-PI2).
 */
import type { AuditRecord } from './audit.ts';
import { isEmergencyAccess } from './audit.ts';
import { nameOfReader, surnameOf } from './audit-access.ts';
import type { Page, PageRequest } from './operation.ts';
import type { Result } from './problem.ts';

export const RULES = [
  'no-relation',
  'same-surname',
  'own-record',
  'colleague',
  'many-patients',
  'sensitive',
  'night',
  'many-refusals',
] as const;
export type RuleName = (typeof RULES)[number];

export interface Thresholds {
  /** Patients of one actor in an hour, in a day; above the higher of these and the habit, a flag. */
  readonly hour: number;
  readonly day: number;
  /** So many times the actor's own median day. */
  readonly habit: number;
  /** Days of which a habit is made; with fewer there is none. */
  readonly habitDays: number;
  readonly nightPatients: number;
  readonly night: readonly [from: number, to: number];
  readonly refusals: number;
  /** Hours east of UTC. */
  readonly zone: number;
}

export const THRESHOLDS: Thresholds = {
  ...{ hour: 40, day: 200, habit: 3, habitDays: 5, nightPatients: 10, night: [23, 6], refusals: 10, zone: 8 },
};

/** The thirty most common surnames are two in three persons: who shares one of them is nobody's kin for it. */
const COMMON = new Set('王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹');

export interface Actor {
  /** Stable over sessions: account, or system and user behind it. */
  readonly id: string;
  readonly name: string | null;
  readonly institution: string | null;
}

/** Who did it: the person where one is known, else the system. */
export function actorOf(record: Omit<AuditRecord, 'detail'>): Actor {
  const { onBehalfOf: user, callerId, institution } = record;
  return {
    id: user === undefined ? callerId : `${callerId}|${user.issuer}|${user.userId}`,
    name: nameOfReader(record),
    institution: institution ?? user?.organization ?? null,
  };
}

/** What is known beside the record when it is judged; counts are of the record's own hour and day, itself included. */
export interface ActorFacts {
  readonly patientsThisHour: number;
  readonly patientsToday: number;
  readonly refusalsThisHour: number;
  /** Patients a day in the last weeks, days without any left out. */
  readonly habit: readonly number[];
  /** Names of the patients of the record. */
  readonly patientNames: readonly string[];
  /** Names of users of the same institution. */
  readonly colleagues: ReadonlySet<string>;
}

export interface Raised {
  readonly rule: RuleName;
  readonly explanation: string;
}

export function judge(record: AuditRecord, facts: ActorFacts, limits: Thresholds = THRESHOLDS): readonly Raised[] {
  const actor = actorOf(record);
  if (record.outcome === 'refused') {
    const many = facts.refusalsThisHour > limits.refusals;
    return many ? [raised('many-refusals', `${String(facts.refusalsThisHour)} refusals within the hour`)] : [];
  }
  const isLook = record.action === 'read' || record.action === 'search' || record.action === 'export';
  // What a system does by itself is judged by who runs it; here there is no habit and no kin.
  if (!isLook || record.outcome !== 'success' || actor.name === null || record.persons.length === 0) return [];
  // What a patient saw was their own: nobody explains why they looked at that.
  if (record.callerRole === 'patient') return [];
  return [...kin(record, actor.name, facts), ...amount(record, facts, limits), ...labelled(record)];
}

const raised = (rule: RuleName, explanation: string): Raised => ({ rule, explanation });

/** A ground that stands: treating, ordered, consent; `none` and what is not told is none. */
const hasGround = ({ basis }: AuditRecord): boolean =>
  basis !== undefined && basis !== '' && !/(^|\W)none\b/.test(basis);

/** Who looks at messages, queues and logs by office has no relation to anybody in them, and needs none. */
const BY_OFFICE: ReadonlySet<string> = new Set([
  ...['administrator', 'operator', 'interface-engineer', 'system-administrator', 'security-administrator', 'auditor'],
]);

function kin(record: AuditRecord, name: string, { patientNames, colleagues }: ActorFacts): readonly Raised[] {
  const found: Raised[] = [];
  if (patientNames.includes(name)) found.push(raised('own-record', 'the patient has the name of the reader'));
  if (hasGround(record) || isEmergencyAccess(record) || record.action === 'search') return found;
  // A record that tells a purpose was decided with grounds known; one that tells neither is of a face without them.
  if (record.purpose !== undefined && !BY_OFFICE.has(record.callerRole))
    found.push(raised('no-relation', 'read without a relation to the patient'));
  const surname = surnameOf(name);
  if (!COMMON.has(surname) && patientNames.some((one) => one !== name && surnameOf(one) === surname))
    found.push(raised('same-surname', 'the patient has the surname of the reader, which is rare'));
  if (patientNames.some((one) => one !== name && colleagues.has(one)))
    found.push(raised('colleague', 'the patient has the name of a user of the same institution'));
  return found;
}

function amount(record: AuditRecord, facts: ActorFacts, limits: Thresholds): readonly Raised[] {
  const { patientsThisHour: hour, patientsToday: today, habit } = facts;
  const found: Raised[] = [];
  const usual = habit.length < limits.habitDays ? 0 : median(habit);
  const most = Math.max(limits.day, usual * limits.habit);
  // A habit that is great in itself excuses a great hour as well.
  const mostHour = Math.max(limits.hour, (usual * limits.habit) / 4);
  if (hour > mostHour)
    found.push(
      raised('many-patients', `${String(hour)} patients within the hour, above ${String(Math.round(mostHour))}`),
    );
  else if (today > most)
    found.push(raised('many-patients', `${String(today)} patients today, above ${String(Math.round(most))}`));
  if (isNight(record.at, limits) && hour > limits.nightPatients && !isEmergencyAccess(record))
    found.push(raised('night', `${String(hour)} patients within an hour of the night`));
  return found;
}

const labelled = (record: AuditRecord): readonly Raised[] =>
  record.action !== 'search' && /(^|\W)label(led)?:/.test(record.basis ?? '')
    ? [raised('sensitive', 'a record with a sensitivity label')]
    : [];

function isNight(at: string, { night: [from, to], zone }: Thresholds): boolean {
  const hour = (new Date(at).getUTCHours() + zone) % 24;
  return from > to ? hour >= from || hour < to : hour >= from && hour < to;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** A flag as auditors see it: one a rule, actor and day. */
export interface AuditFlag {
  readonly flagId: string;
  readonly rule: RuleName;
  readonly actor: string;
  readonly actorName: string;
  readonly institution: string | null;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly events: number;
  readonly persons: readonly string[];
  /** AuditEvent ids of the newest records. */
  readonly records: readonly string[];
  readonly explanation: string;
  /** The auditor who looks into it. */
  readonly taken: { readonly at: string; readonly by: string } | null;
  readonly closed: {
    readonly at: string;
    readonly by: string;
    readonly verdict: Verdict;
    readonly reason: string | null;
  } | null;
}

export type Verdict = 'proper' | 'improper' | 'unclear';

export interface FlagDesk {
  /** Newest first. */
  list(filter: { readonly open?: boolean; readonly rule?: string }, page: PageRequest): Promise<Page<AuditFlag>>;
  /** One auditor looks into it; taken up again by the same it stays. Problems: `not-found`; `conflict` where another has, or it is closed. */
  take(id: string, by: string): Promise<Result<AuditFlag>>;
  /** Problems: `not-found`; `conflict` where it is closed. */
  close(id: string, by: string, verdict: Verdict, reason: string | null): Promise<Result<AuditFlag>>;
}

/** Reads what is new in the audit and flags what is odd; answers how many records it read. */
export interface AuditWatch {
  read(limit: number): Promise<number>;
}
