/** What an interaction answers, before it is written in the format the caller asked for; and OperationOutcomes. */
import type { OperationOutcome, OperationOutcomeIssue } from 'fhir/r4.js';
import type { FhirBody, StoredVersion } from '../../core/fhir.ts';

/** Whose data an answer shows, and what of it: for the audit. */
export interface Touched {
  readonly persons: readonly string[];
  readonly objects: readonly string[];
  /** Of an answer that shows several persons: what it shows of each. */
  readonly each?: ReadonlyMap<string, readonly string[]>;
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
  const each = new Map<string, string[]>();
  const objects = new Set<string>();
  for (const version of versions) {
    const object = `${version.type}/${version.id}`;
    objects.add(object);
    for (const person of personsIn(version)) each.set(person, [...(each.get(person) ?? []), object]);
  }
  return { persons: [...each.keys()], objects: [...objects], ...(each.size > 1 ? { each } : {}) };
}

function personsIn({ type, id, body }: StoredVersion): ReadonlySet<string> {
  const { subject, target } = (body ?? {}) as {
    readonly subject?: { readonly reference?: unknown };
    readonly target?: readonly { readonly reference?: unknown }[];
  };
  const named = [subject?.reference, target?.[0]?.reference].flatMap((one) =>
    typeof one === 'string' && one.startsWith('Patient/') ? (one.split('/')[1] ?? '') : [],
  );
  return new Set(type === 'Patient' ? [id, ...named] : named);
}
