/** rs:RegistryResponse with its RegistryErrorList (ITI TF-3 §4.2.4): written for every transaction that answers with it, and read back. */
import { REGISTRY_ERRORS } from '../../hub/core/document.ts';
import type { RegistryErrorCode, RegistryProblem } from '../../hub/core/document.ts';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { readErrors, readStatus, RS, statusOf as statusOfErrors, statusUri, writeErrors } from './ebrs-errors.ts';
import type { EbrsStatus } from './ebrs-errors.ts';
import { is } from './xml.ts';
import type { XmlElement } from './xml.ts';

export const statusOf = (problems: readonly RegistryProblem[], some = false): EbrsStatus =>
  statusOfErrors(some, problems);

/** `location` stands where a problem names none: who found it. */
export function writeRegistryResponse(
  problems: readonly RegistryProblem[],
  options: { readonly status?: EbrsStatus; readonly location?: string } = {},
): string {
  const status = statusUri(options.status ?? statusOf(problems));
  const list = writeErrors(problems, options.location);
  return `<rs:RegistryResponse xmlns:rs="${RS}" status="${status}"${list === '' ? '/>' : `>${list}</rs:RegistryResponse>`}`;
}

export interface RegistryResponse {
  readonly status: EbrsStatus;
  readonly problems: readonly RegistryProblem[];
}

const KNOWN: ReadonlySet<string> = new Set(REGISTRY_ERRORS);

/** Reads what another registry answered: an AdhocQueryResponse has the same attributes and list. */
export function readRegistryResponse(element: XmlElement): Result<RegistryResponse> {
  if (
    !element.attributes.has('status') ||
    (!is(element, RS, 'RegistryResponse') && element.name !== 'AdhocQueryResponse')
  )
    return fail(problem('unsupported-message', 'Body', 'The body is not a RegistryResponse.'));
  const problems = readErrors(element).map(({ code, context, ...rest }): RegistryProblem => {
    if (KNOWN.has(code)) return { ...rest, code: code as RegistryErrorCode, context };
    return { ...rest, code: 'XDSRegistryError', context: `${code.slice(0, 100)}: ${context}` };
  });
  return ok({ status: readStatus(element), problems });
}
