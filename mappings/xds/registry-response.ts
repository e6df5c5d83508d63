/** rs:RegistryResponse with its RegistryErrorList (ITI TF-3 §4.2.4): written for every transaction that answers with it, and read back. */
import { REGISTRY_ERRORS } from '../../hub/core/document.ts';
import type { RegistryErrorCode, RegistryProblem } from '../../hub/core/document.ts';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { childNamed, childrenNamed, is, xml } from './xml.ts';
import type { XmlElement } from './xml.ts';

export const RS = 'urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0';

export type ResponseStatus = 'success' | 'failure' | 'partial';

export const RESPONSE_STATUSES: Readonly<Record<ResponseStatus, string>> = {
  success: 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success',
  failure: 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure',
  partial: 'urn:ihe:iti:2007:ResponseStatusType:PartialSuccess',
};
const SEVERITY = 'urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:';
const severityUrn = (severity: RegistryProblem['severity']): string =>
  `${SEVERITY}${severity === 'error' ? 'Error' : 'Warning'}`;

/** With nothing but warnings all was done (ITI TF-3 §4.2.4.2). */
export const statusOf = (problems: readonly RegistryProblem[], some = false): ResponseStatus =>
  problems.some((one) => one.severity === 'error') ? (some ? 'partial' : 'failure') : 'success';

/** `location` stands where a problem names none: who found it. The `rs` prefix is bound by the element itself. */
export function writeRegistryResponse(
  problems: readonly RegistryProblem[],
  options: { readonly status?: ResponseStatus; readonly location?: string } = {},
): string {
  const status = RESPONSE_STATUSES[options.status ?? statusOf(problems)];
  const list = writeErrorList(problems, options.location);
  return `<rs:RegistryResponse xmlns:rs="${RS}" status="${status}"${list === '' ? '/>' : `>${list}</rs:RegistryResponse>`}`;
}

/** Empty where there is nothing to tell. The `rs` prefix must be bound around it. */
export function writeErrorList(problems: readonly RegistryProblem[], location?: string): string {
  if (problems.length === 0) return '';
  const highest = severityUrn(problems.some((one) => one.severity === 'error') ? 'error' : 'warning');
  const errors = problems.map((one) => {
    const where = one.location ?? location;
    return `<rs:RegistryError errorCode="${one.code}" codeContext="${xml(one.context)}" severity="${severityUrn(one.severity)}"${where === undefined ? '' : ` location="${xml(where)}"`}/>`;
  });
  return `<rs:RegistryErrorList highestSeverity="${highest}">${errors.join('')}</rs:RegistryErrorList>`;
}

export interface RegistryResponse {
  readonly status: ResponseStatus;
  readonly problems: readonly RegistryProblem[];
}

const KNOWN: ReadonlySet<string> = new Set(REGISTRY_ERRORS);

/** Reads what another registry answered: an AdhocQueryResponse has the same attributes and list. */
export function readRegistryResponse(element: XmlElement): Result<RegistryResponse> {
  const urn = element.attributes.get('status')?.trim();
  if (urn === undefined || (!is(element, RS, 'RegistryResponse') && element.name !== 'AdhocQueryResponse'))
    return fail(problem('unsupported-message', 'Body', 'The body is not a RegistryResponse.'));
  const status =
    urn === RESPONSE_STATUSES.success ? 'success' : urn === RESPONSE_STATUSES.partial ? 'partial' : 'failure';
  const list = childNamed(element, RS, 'RegistryErrorList');
  const problems = (list ? childrenNamed(list, RS, 'RegistryError') : [])
    .slice(0, 1_000)
    .map((error): RegistryProblem => {
      const code = error.attributes.get('errorCode')?.trim() ?? '';
      const location = error.attributes.get('location');
      const known = KNOWN.has(code);
      const context = (error.attributes.get('codeContext') ?? '').slice(0, 1_000);
      return {
        code: known ? (code as RegistryErrorCode) : 'XDSRegistryError',
        severity: error.attributes.get('severity')?.trim() === severityUrn('warning') ? 'warning' : 'error',
        context: known ? context : `${code.slice(0, 100)}: ${context}`,
        ...(location === undefined || location === '' ? {} : { location: location.slice(0, 1_000) }),
      };
    });
  return ok({ status, problems });
}
