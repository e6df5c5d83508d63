/**
 * Status and RegistryErrorList (ebRS 3.0 §2.2, IHE ITI TF-3 §4.2.4), the one codec of every transaction that has them. Codes
 * are text: those of other communities are passed on as they are, since only their registries know what they mean.
 */
import { childNamed, childrenNamed, xml } from './xml.ts';
import type { XmlElement } from './xml.ts';

export interface EbrsError {
  readonly code: string;
  /** For a person; names no patient where the hub wrote it. */
  readonly context: string;
  readonly severity: 'error' | 'warning';
  /** Across communities: the home community id of the one that is meant (ITI TF-2 §3.38.4.1.3). */
  readonly location?: string;
}

export type EbrsStatus = 'success' | 'failure' | 'partial';

export const RS = 'urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0';

const STATUSES: Readonly<Record<EbrsStatus, string>> = {
  success: 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success',
  failure: 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure',
  partial: 'urn:ihe:iti:2007:ResponseStatusType:PartialSuccess',
};
const SEVERITY = 'urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:';
const MAX_ERRORS = 1_000;
const MAX_TEXT = 1_000;

export const statusUri = (status: EbrsStatus): string => STATUSES[status];

/** What is not known to be a success is none. */
export function readStatus(element: XmlElement): EbrsStatus {
  const uri = element.attributes.get('status')?.trim() ?? '';
  return uri === STATUSES.success ? 'success' : uri === STATUSES.partial ? 'partial' : 'failure';
}

export function readErrors(element: XmlElement): EbrsError[] {
  const list = childNamed(element, RS, 'RegistryErrorList');
  if (!list) return [];
  return childrenNamed(list, RS, 'RegistryError')
    .slice(0, MAX_ERRORS)
    .map((error) => {
      const text = (name: string): string => (error.attributes.get(name) ?? '').slice(0, MAX_TEXT);
      const location = text('location');
      return {
        code: text('errorCode').trim(),
        context: text('codeContext'),
        severity: text('severity').trim().endsWith(':Warning') ? ('warning' as const) : ('error' as const),
        ...(location === '' ? {} : { location }),
      };
    });
}

/** With its own declaration of the namespace; nothing where there is no error. `otherwise`: where an error names no place. */
export function writeErrors(errors: readonly EbrsError[], otherwise?: string): string {
  if (errors.length === 0) return '';
  const highest = errors.some(({ severity }) => severity === 'error') ? 'Error' : 'Warning';
  const list = errors.map(
    ({ code, context, severity, location = otherwise }) =>
      `<rs:RegistryError errorCode="${xml(code)}" codeContext="${xml(context)}" severity="${SEVERITY}${severity === 'error' ? 'Error' : 'Warning'}"${location === undefined ? '' : ` location="${xml(location)}"`}/>`,
  );
  return `<rs:RegistryErrorList xmlns:rs="${RS}" highestSeverity="${SEVERITY}${highest}">${list.join('')}</rs:RegistryErrorList>`;
}

/** ITI TF-3 §4.2.4.2: warnings alone do not spoil a success. `given`: whether anything was found or done. */
export function statusOf(given: boolean, errors: readonly EbrsError[]): EbrsStatus {
  if (errors.every(({ severity }) => severity === 'warning')) return 'success';
  return given ? 'partial' : 'failure';
}
