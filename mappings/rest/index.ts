/** The door of the REST mapping: one journal entry of channel `rest` into canonical records. Pure. */
import type { Envelope, JournalEntry, Mapped } from '../../hub/core/envelope.ts';
import type { Problem } from '../../hub/core/problem.ts';
import { problem } from '../../hub/core/problem.ts';
import type { CanonicalRecord, PatientRecord } from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { examOf, orderOf, reportOf, voidOf, withdrawalOf } from './exam.ts';
import { decodeText, parseObject } from './json.ts';
import { identityOf, refOf, registrationOf } from './person.ts';
import { Reading, type Kind } from './reading.ts';

export { decodeText, parseObject, type JsonObject, type JsonReading } from './json.ts';
export { canonical, type Kind } from './reading.ts';

/** Kind of message -> `messageType` of its envelope. */
export const MESSAGE_TYPES = {
  Registration: 'POST registration',
  Order: 'POST order',
  Exam: 'POST exam',
  ExamVoid: 'POST exam void',
  Report: 'POST report',
  ReportWithdrawal: 'POST report withdrawal',
} as const satisfies Record<Kind, string>;

const KINDS: ReadonlyMap<string, Kind> = new Map(
  (Object.keys(MESSAGE_TYPES) as Kind[]).map((kind) => [MESSAGE_TYPES[kind], kind]),
);

/** `authority|value` of the patient, as the other channels of the site spell it: messages of one patient keep their order. */
export function patientKeyOf(kind: Kind, body: Readonly<Record<string, unknown>>, site: SiteProfile): string {
  const ref = refOf(new Reading(kind, body, site, ''));
  return ref === null ? '' : `${ref.authority}|${ref.value}`;
}

/** A hospital that names another hospital in the body is mistaken about where it sends: nothing may be applied. */
function otherHospital(reading: Reading): Problem | null {
  const told = reading.text('hospitalCode');
  const { id, institutionCode, uscc } = reading.site;
  if (told === undefined || [id, institutionCode, uscc].includes(told)) return null;
  return problem('invalid-value', 'hospitalCode', 'This names another hospital than the path of the request.');
}

/** The registration comes first, so that the exam finds its patient. */
function recordsOf(kind: Kind, reading: Reading): readonly CanonicalRecord[] {
  const at = reading.time('eventTime') ?? reading.receivedAt;
  const patient = refOf(reading);
  if (patient === null) return [];
  const person = (fields: PatientRecord['fields']): PatientRecord => ({
    kind: 'patient',
    site: reading.site.id,
    at,
    patient,
    fields,
  });
  switch (kind) {
    case 'Registration': {
      reading.wanted('name', 'sex', 'birthDate', 'idNumber');
      const prior = refOf(reading, 'priorPatientId');
      const registered = person(registrationOf(reading));
      return prior === null
        ? [registered]
        : [registered, { kind: 'merge', site: reading.site.id, at, survivor: patient, victim: prior }];
    }
    case 'Order':
      return [person(identityOf(reading)), orderOf(reading, at)];
    case 'Exam':
      return [person(identityOf(reading)), ...examOf(reading, at)];
    case 'ExamVoid':
      return voidOf(reading, at);
    case 'Report':
      return [person(identityOf(reading)), reportOf(reading)];
    case 'ReportWithdrawal':
      return [withdrawalOf(reading, at)];
  }
}

export function mapRest(
  entry: JournalEntry | (Envelope & { readonly receivedAt: string }),
  site: SiteProfile,
): Mapped<CanonicalRecord> {
  const refused = (reason: Problem, findings: Reading['findings'] = []): Mapped<CanonicalRecord> => ({
    ok: false,
    problem: reason,
    findings,
  });
  const kind = KINDS.get(entry.messageType);
  if (kind === undefined) return refused(problem('unsupported-message'));
  const text = decodeText(entry.bytes, entry.contentType);
  if (!text.ok) return refused(text.problem);
  const body = parseObject(text.value);
  if (!body.ok) return refused(body.problem);
  const reading = new Reading(kind, body.value, site, entry.receivedAt);
  const mistaken = otherHospital(reading);
  if (mistaken !== null) return refused(mistaken, reading.findings);
  const records = recordsOf(kind, reading);
  if (records.length === 0) return refused(problem('required-missing', 'patientId'), reading.findings);
  return { ok: true, records, findings: reading.findings };
}
