/** The door of the FHIR mapping: views of the index in, R4 resources with their search values out. Pure. */
import type { ProjectedResource } from '../../hub/core/fhir.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import type { ExamView, PersonView } from '../../hub/core/view.ts';
import { SYSTEMS, type FhirContext } from './context.ts';
import { identifierSystem } from './datatypes.ts';
import { diagnosticReport } from './diagnostic-report.ts';
import { manifestBinary, reportBinary } from './document.ts';
import { manifestDocument, reportDocument } from './document-reference.ts';
import { projected } from './extract.ts';
import { imagingStudy } from './imaging-study.ts';
import { endpoints, organization } from './organization.ts';
import { patient } from './patient.ts';
import { serviceRequest } from './service-request.ts';

export type { ProjectedResource } from '../../hub/core/fhir.ts';
export type { FhirContext } from './context.ts';
export { provenance as renderProvenance } from './provenance.ts';

/** Assigning authorities as the identifier systems under which patients are asked for; that of resident ids is one. */
export const identifierSystems = (authorities: readonly string[]): ReadonlySet<string> =>
  new Set([SYSTEMS.residentId, ...authorities.map(identifierSystem)]);

/** Patient; inactive and linked to its replacement where the person was joined to another. */
export function projectPerson(person: PersonView, ctx: FhirContext): readonly ProjectedResource[] {
  return [projected(patient(person, ctx))];
}

/** ServiceRequest per order, ImagingStudy per study, the report with its document, the manifests. */
export function projectExam(exam: ExamView, ctx: FhirContext): readonly ProjectedResource[] {
  const resources = [
    ...exam.orders.map((order) => projected(serviceRequest(exam, order, ctx))),
    ...exam.studies.map((study) => projected(imagingStudy(exam, study, ctx))),
    ...exam.manifests.flatMap((manifest) => [
      projected(manifestDocument(exam, manifest, ctx)),
      projected(manifestBinary(exam, manifest, ctx)),
    ]),
  ];
  const report = exam.report;
  if (report === null) return resources;
  resources.push(projected(diagnosticReport(exam, report, ctx)));
  if (report.document)
    resources.push(
      projected(reportDocument(exam, report, report.document, ctx)),
      projected(reportBinary(exam, report, report.document)),
    );
  return resources;
}

/** Organization and the Endpoints at which the hub serves its images. */
export function projectSite(site: SiteProfile, ctx: FhirContext): readonly ProjectedResource[] {
  return [projected(organization(site, ctx)), ...endpoints(site, ctx).map(projected)];
}
