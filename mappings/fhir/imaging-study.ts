/** ImagingStudy: what images there are and how complete, with what an archive would be asked for them. */
import type { Coding, ImagingStudy, ImagingStudySeries, ImagingStudySeriesInstance } from 'fhir/r4.js';
import type { ExamView, SeriesView, StudyView } from '../../hub/core/view.ts';
import { EXTENSIONS, PROFILES, SYSTEMS, type FhirContext } from './context.ts';
import { coding, compact, concept, dateTime, extension, list, meta, named, text } from './datatypes.ts';
import { readableName } from '../dicom/person-name.ts';
import { examIdentifiers, orderReferences, subjectOf } from './exam-links.ts';
import { endpointId } from './organization.ts';

export function imagingStudy(exam: ExamView, study: StudyView, ctx: FhirContext): ImagingStudy {
  const order = exam.orders[0];
  const procedure = concept(order?.fields.procedure);
  const reason = text(order?.fields.reason);
  const accessUrl = text(study.fields.accessUrl);
  return compact<ImagingStudy>({
    resourceType: 'ImagingStudy',
    id: study.studyId,
    meta: meta(PROFILES.ImagingStudy),
    extension: list(
      extension(EXTENSIONS.availability, 'valueCode', study.availability),
      extension(
        EXTENSIONS.accessUrl,
        'valueUrl',
        accessUrl !== undefined && /^\S+$/.test(accessUrl) ? accessUrl : null,
      ),
    ),
    identifier: [
      { system: SYSTEMS.dicomUid, value: `urn:oid:${study.studyUid}` },
      ...examIdentifiers(exam, exam.keys, ctx, ['ACSN', 'index']),
    ],
    status: statusOf(exam, study),
    modality: modalitiesOf(study),
    subject: subjectOf(exam),
    started: dateTime(study.fields.startedAt),
    basedOn: orderReferences(exam),
    referrer: named(readableName(study.fields.referringPhysician ?? '') || order?.fields.requester),
    endpoint:
      study.availability === 'registered' || study.voided
        ? undefined
        : [{ reference: `Endpoint/${endpointId(study.site, 'wado', ctx)}` }],
    numberOfSeries: study.series.length > 0 ? study.seriesCount : (study.fields.seriesCount ?? study.seriesCount),
    numberOfInstances:
      study.series.length > 0 ? study.instanceCount : (study.fields.instanceCount ?? study.instanceCount),
    procedureCode: list(procedure),
    reasonCode: reason === undefined ? undefined : [{ text: reason }],
    description: text(study.fields.description),
    series: study.series.map((series) => seriesOf(series, study)),
  });
}

/** PS3.3 says nothing of voiding; R4 `cancelled` is "unavailable because it was not started or not completed". */
function statusOf(exam: ExamView, study: StudyView): ImagingStudy['status'] {
  if (study.voided || exam.cancelled) return 'cancelled';
  return study.availability === 'registered' ? 'registered' : 'available';
}

const modality = (code: string): Coding | undefined => coding(SYSTEMS.dcm, code);

function modalitiesOf(study: StudyView): Coding[] {
  const codes = study.modalities.length > 0 ? study.modalities : list(study.fields.modality);
  return list(...[...new Set(codes)].map(modality));
}

function seriesOf(series: SeriesView, study: StudyView): ImagingStudySeries {
  const description = text(series.description);
  return compact<ImagingStudySeries>({
    uid: series.seriesUid,
    number: unsigned(series.number),
    modality: modality(series.modality) ?? { system: SYSTEMS.dcm, code: 'OT' },
    description,
    numberOfInstances: series.instanceCount,
    bodySite: bodySite(series.bodyPart, study),
    laterality: laterality(series.laterality),
    started: dateTime(series.startedAt),
    instance: series.instances.map((instance) =>
      compact<ImagingStudySeriesInstance>({
        uid: instance.sopUid,
        sopClass: { system: SYSTEMS.uri, code: `urn:oid:${instance.sopClass}` },
        number: unsigned(instance.number),
      }),
    ),
  });
}

/** (0020,0013) may be negative in DICOM; R4 wants unsignedInt and can do without. */
const unsigned = (value: number | null): number | undefined =>
  value !== null && Number.isInteger(value) && value >= 0 && value <= 2_147_483_647 ? value : undefined;

/** The order's coded body part is trusted over (0018,0015), which often is a device default (CODES §4). */
function bodySite(bodyPart: string | null, study: StudyView): Coding | undefined {
  const coded = concept(study.fields.bodyPart);
  const first = coded?.coding?.[0];
  if (first) return coded.text !== undefined && first.display === undefined ? { ...first, display: coded.text } : first;
  return bodyPart === null ? undefined : coding(SYSTEMS.bodyPartExamined, bodyPart);
}

/** (0020,0060) and PS3.16 CID 244. */
const LATERALITY: Readonly<Record<string, Coding>> = {
  L: { system: SYSTEMS.snomed, code: '7771000', display: 'Left' },
  R: { system: SYSTEMS.snomed, code: '24028007', display: 'Right' },
  B: { system: SYSTEMS.snomed, code: '51440002', display: 'Right and left' },
  U: { system: SYSTEMS.snomed, code: '66459002', display: 'Unilateral' },
};
const laterality = (code: string | null): Coding | undefined => (code === null ? undefined : LATERALITY[code]);
