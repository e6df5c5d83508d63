/** What the resources of one exam share: its identifiers, its subject and its references to each other. */
import type { Identifier, Reference } from 'fhir/r4.js';
import type { ExamKeys } from '../../hub/core/record.ts';
import type { ExamView } from '../../hub/core/view.ts';
import { CANONICAL, type FhirContext } from './context.ts';
import { identifierSystem, list, typedIdentifier } from './datatypes.ts';
import { unique } from './patient.ts';

export const subjectOf = (exam: ExamView): Reference => ({ reference: `Patient/${exam.personId}` });

export function performerOf(exam: ExamView, ctx: FhirContext): Reference {
  const site = ctx.site(exam.site);
  return { reference: `Organization/${exam.site}`, ...(site ? { display: site.name } : {}) };
}

export const orderReferences = (exam: ExamView): Reference[] =>
  exam.orders.map((order) => ({ reference: `ServiceRequest/${order.orderId}` }));

export const studyReferences = (exam: ExamView): Reference[] =>
  exam.studies.map((study) => ({ reference: `ImagingStudy/${study.studyId}` }));

const siteSystem = (exam: ExamView, kind: string): string =>
  `${CANONICAL}/NamingSystem/site/${encodeURIComponent(exam.site)}/${kind}`;

/** ACSN under the issuer that the site declares, PLAC and FILL under the site itself, and the provincial exam index. */
export function examIdentifiers(
  exam: ExamView,
  keys: ExamKeys,
  ctx: FhirContext,
  kinds: readonly ('ACSN' | 'PLAC' | 'FILL' | 'index')[],
): Identifier[] {
  const site = ctx.site(exam.site);
  const assigner = performerOf(exam, ctx);
  const issuer = site?.accessionIssuer ? identifierSystem(site.accessionIssuer) : siteSystem(exam, 'accession');
  const made = kinds.flatMap((kind) => {
    switch (kind) {
      case 'ACSN':
        return [typedIdentifier('ACSN', issuer, keys.accession ?? exam.keys.accession, assigner)];
      case 'PLAC':
        return [typedIdentifier('PLAC', siteSystem(exam, 'placer'), keys.placer, assigner)];
      case 'FILL':
        return [typedIdentifier('FILL', siteSystem(exam, 'filler'), keys.filler, assigner)];
      case 'index':
        return [exam.index?.value, ...(exam.index?.aliases ?? [])].map((value) =>
          typedIdentifier(null, `urn:oid:${ctx.examIndexOid}`, value),
        );
    }
  });
  return unique(list(...made), (identifier) => `${identifier.system ?? ''}\n${identifier.value ?? ''}`);
}
