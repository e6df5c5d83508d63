/**
 * Registrations and exams as rows hold them: what identifies a person and what a doctor wrote lies in one sealed member
 * beside the rest, which SQL still reads (stamps, codes, names; ADR 0022 tells why names stay).
 */
import type { ExamState, ReportVersion } from '../core/exam.ts';
import type { HubId } from '../core/identifier.ts';
import type { Register, Registers } from '../core/register.ts';
import { SealBroken, type Sealer, type Vault } from '../core/sealing.ts';
import { openJson, sealJson } from './sealed.ts';

const SEALED = '~sealed';
const isSecret = (field: string): boolean =>
  field === 'phone' || field === 'address' || field.startsWith('identifier|');

type Secrets = Record<string, unknown>;
const patientContext = (recordId: HubId): string => `patient_record.facts ${recordId}`;

/** The stamps stay with their fields, since access looks for the last word of a source. */
export function sealFacts(fields: Sealer, facts: Registers, recordId: HubId): Registers {
  const secrets: Secrets = {};
  const kept: Record<string, Register> = {};
  for (const [field, register] of Object.entries(facts)) {
    const told = isSecret(field) && register[1] !== null;
    if (told) secrets[field] = register[1];
    kept[field] = told ? [register[0], null] : register;
  }
  if (Object.keys(secrets).length === 0) return facts;
  return { ...kept, [SEALED]: ['', sealJson(fields, secrets, patientContext(recordId))] };
}

export function openFacts(fields: Sealer, stored: Registers, recordId: HubId): Registers {
  const { [SEALED]: sealed, ...kept } = stored;
  const clear = Object.entries(kept).some(([field, register]) => isSecret(field) && register[1] !== null);
  if (clear && !fields.acceptsClear) throw new SealBroken('clear');
  if (sealed === undefined) return stored;
  const opened: Record<string, Register> = { ...kept };
  const secrets = openJson<Secrets>(fields, sealed[1] as string, patientContext(recordId));
  for (const [field, value] of Object.entries(secrets)) opened[field] = [kept[field]?.[0] ?? '', value];
  return opened;
}

export type ExamFacts = Omit<ExamState, 'examId'>;

/** What doctors wrote: reasons of orders and contents of reports, in their order. */
interface Written {
  readonly reasons: readonly unknown[];
  readonly contents: readonly ReportVersion['content'][];
}

export type StoredExam = ExamFacts & { readonly [SEALED]?: string };
const examContext = (examId: HubId): string => `exam.facts ${examId}`;

export function sealExam(fields: Sealer, facts: ExamFacts, examId: HubId): StoredExam {
  const reasons = facts.orders.map((order) => order.facts['reason']?.[1] ?? null);
  const contents = facts.reports.map((report) => report.content);
  if (contents.length === 0 && reasons.every((reason) => reason === null)) return facts;
  const orders = facts.orders.map((order) => withReason(order, null));
  const reports = facts.reports.map((report) => ({ ...report, content: {} }));
  const written: Written = { reasons, contents };
  return { ...facts, orders, reports, [SEALED]: sealJson(fields, written, examContext(examId)) };
}

function withReason(order: ExamFacts['orders'][number], reason: unknown): ExamFacts['orders'][number] {
  const register = order.facts['reason'];
  return register === undefined ? order : { ...order, facts: { ...order.facts, reason: [register[0], reason] } };
}

export function openExam(fields: Sealer, stored: StoredExam, examId: HubId): ExamFacts {
  const { [SEALED]: sealed, ...facts } = stored;
  const clear =
    facts.reports.some((report) => Object.keys(report.content).length > 0) ||
    facts.orders.some((order) => (order.facts['reason']?.[1] ?? null) !== null);
  if (clear && !fields.acceptsClear) throw new SealBroken('clear');
  if (sealed === undefined) return facts;
  const { reasons, contents } = openJson<Written>(fields, sealed, examContext(examId));
  return {
    ...facts,
    orders: facts.orders.map((order, at) => withReason(order, reasons[at] ?? null)),
    reports: facts.reports.map((report, at) => ({ ...report, content: contents[at] ?? report.content })),
  };
}

/** The sealed member of stored facts; null: none. */
export function sealedText(stored: Registers | StoredExam): string | null {
  const member = stored[SEALED];
  return Array.isArray(member) ? (member[1] as string) : typeof member === 'string' ? member : null;
}

export const reportContext = (number: string, stamp: string): string => `report_version.content ${number} ${stamp}`;
export const featuresContext = (recordId: string): string => `match_record.features ${recordId}`;

/** What a resident ID is found by in `patient_record.resident_id`, and in the numbers of a ruling. */
export const residentKey = (vault: Vault, residentId: string): string =>
  vault.hash('resident', residentId).toString('base64url');

/**
 * A blocking key as `match_key` holds it: 64 bits of a keyed hash, since a telephone number is soon guessed. No text, in which
 * its digits could be taken for an ID number (store/sealed-numbers.ts).
 */
export const matchKey = (vault: Vault, key: string): bigint => vault.hash('match', key).readBigInt64BE(0);
