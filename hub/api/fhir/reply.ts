/** What an interaction answers, before it is written in the format the caller asked for; and OperationOutcomes. */
import type { OperationOutcome, OperationOutcomeIssue } from 'fhir/r4.js';
import type { FhirBody, StoredVersion } from '../../core/fhir.ts';

/** Whose data an answer shows, and what of it: for the audit. */
export interface Touched {
  readonly persons: readonly string[];
  readonly objects: readonly string[];
}

export interface Reply {
  readonly status: number;
  readonly body: FhirBody | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly touched: Touched;
}

export interface Fault {
  readonly status: number;
  readonly code: OperationOutcomeIssue['code'];
  readonly text: string;
  /** FHIRPath, or the name of the search parameter. */
  readonly expression?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value });

export const faulty = (status: number, code: Fault['code'], text: string, expression?: string): Parsed<never> => ({
  ok: false,
  fault: { status, code, text, ...(expression === undefined ? {} : { expression }) },
});

export const NOBODY: Touched = { persons: [], objects: [] };

export function outcome(
  severity: OperationOutcomeIssue['severity'],
  issues: readonly Pick<Fault, 'code' | 'text' | 'expression'>[],
): OperationOutcome {
  return {
    resourceType: 'OperationOutcome',
    issue: issues.map(({ code, text, expression }) => ({
      severity,
      code,
      diagnostics: text,
      ...(expression === undefined ? {} : { expression: [expression] }),
    })),
  };
}

export const refusal = (fault: Fault): Reply => ({
  status: fault.status,
  body: outcome('error', [fault]),
  headers: fault.headers ?? {},
  touched: NOBODY,
});

export const etag = (version: number): string => `W/"${String(version)}"`;
/** RFC 9110 §8.8.2: whole seconds. */
export const httpDate = (instant: string): string => new Date(instant).toUTCString();

/** Many enough for every answer within the limits of a page and its includes. */
export function touchedBy(versions: readonly StoredVersion[]): Touched {
  const persons = new Set<string>();
  const objects = new Set<string>();
  for (const { type, id, body } of versions) {
    objects.add(`${type}/${id}`);
    if (type === 'Patient') persons.add(id);
    const subject = (body as { subject?: { reference?: unknown } } | null)?.subject?.reference;
    if (typeof subject === 'string' && subject.startsWith('Patient/')) persons.add(subject.slice('Patient/'.length));
    const target = (body as { target?: readonly { reference?: unknown }[] } | null)?.target?.[0]?.reference;
    if (typeof target === 'string' && target.startsWith('Patient/')) persons.add(target.split('/')[1] ?? '');
  }
  return { persons: [...persons], objects: [...objects] };
}
