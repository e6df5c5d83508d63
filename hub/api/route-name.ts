/**
 * The name of a request for logs, metrics and audit: its path with every part that a caller chose replaced by `*`, and
 * never its query. A caller may write a patient's name into a URL; it must not reach a log from there.
 */

const WORDS = new Set(
  `healthz readyz metrics docs openapi.json .well-known favicon.ico
   api v1 sites registrations orders exams void reports withdraw batch search journal counters raw retry reviews dismiss orphans
   clients audit institutions consortia practitioners steps consents persons notices present-codes redeem break-glass end review
   my-break-glass account-flags
   session activation totp enrolment password identity-providers accounts reset saml acs finish logout oauth token smart-configuration
   fhir metadata Patient Organization ServiceRequest ImagingStudy DiagnosticReport DocumentReference List Endpoint Provenance Consent AuditEvent
   Binary Bundle OperationOutcome _history _search $everything $ihe-pix
   dicomweb studies series instances frames bulkdata pixeldata rendered thumbnail wado
   xds registry repository imaging-source initiating-gateway responding-gateway subscription notify
   login patients persons exams compare timeline priors assets
   cds-services viewer launch launched own waiting key-images viewer-launches`.split(/\s+/),
);
const MAX_SEGMENTS = 10;

export function routeName(path: string): string {
  const segments = path.split('/').slice(1, MAX_SEGMENTS + 1);
  return `/${segments.map((segment) => (segment === '' || WORDS.has(segment) ? segment : '*')).join('/')}`;
}
