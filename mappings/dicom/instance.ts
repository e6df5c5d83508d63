/**
 * A stored DICOM instance as a canonical record: what the index needs of its header. Without its four UIDs an instance
 * cannot be named and is refused; everything else degrades to a finding, since the bytes are kept as they came.
 */
import type { Mapped } from '../../hub/core/envelope.ts';
import type { Uid } from '../../hub/core/identifier.ts';
import type { Coded, ExamKeys, InstanceRecord, SourceTime, UnhashedInstance } from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import type { Tag } from './dictionary.ts';
import { HeaderSource } from './header-source.ts';
import { demographicsOf, patientOf } from './instance-patient.ts';
import type { ParsedHeader } from './parse.ts';
import { TAG } from './tags.ts';
import { parseDateTime } from './time.ts';

export { readCharset } from './header-source.ts';

/** Where the instance's bytes already are. */
export interface StoredObject {
  readonly object: string;
  readonly size: number;
  readonly dataSetOffset: number;
  readonly transferSyntax: Uid;
}

/** Reads the index record of one instance. `receivedAt` stands in where the header has no time of its own. */
export function readInstance(
  header: ParsedHeader,
  site: SiteProfile,
  stored: StoredObject,
  receivedAt: SourceTime,
): Mapped<UnhashedInstance> {
  const source = new HeaderSource(header.dataSet, site);
  const study = source.uid(TAG.StudyInstanceUID);
  const series = source.uid(TAG.SeriesInstanceUID);
  const sop = source.uid(TAG.SOPInstanceUID);
  const sopClass = source.uid(TAG.SOPClassUID);
  for (const read of [study, series, sop, sopClass]) {
    if (typeof read !== 'string') return { ok: false, problem: read, findings: source.findings };
  }
  const uids = { study: study as Uid, series: series as Uid, sop: sop as Uid, sopClass: sopClass as Uid };
  const patient = patientOf(source);
  const record: UnhashedInstance = {
    kind: 'instance',
    site: site.id,
    at: assertedAt(source, receivedAt),
    patient,
    keys: { ...keysOf(source), studyUid: uids.study },
    demographics: demographicsOf(source, patient),
    study: studyOf(source),
    series: { uid: uids.series, ...seriesOf(source) },
    instance: {
      uid: uids.sop,
      sopClass: uids.sopClass,
      transferSyntax: stored.transferSyntax,
      ...imageOf(source),
      object: stored.object,
      size: stored.size,
      dataSetOffset: stored.dataSetOffset,
    },
  };
  return { ok: true, records: [record], findings: source.findings };
}

/** Modalities whose objects are about images, not images: they do not tell what kind of exam it was. */
const DERIVED = new Set(['', ...'KO PR SR SEG REG FID RTSTRUCT RTPLAN RTDOSE RTRECORD DOC AU PLAN OT'.split(' ')]);

function keysOf(source: HeaderSource): ExamKeys {
  const request = source.set.items(TAG.RequestAttributesSequence)[0];
  const either = (tag: Tag): string => source.identifier(tag) || (request ? source.identifier(tag, request) : '');
  const [accession, placer, filler] = [
    either(TAG.AccessionNumber),
    either(TAG.PlacerOrderNumberImagingServiceRequest),
    either(TAG.FillerOrderNumberImagingServiceRequest),
  ];
  if (accession === '')
    source.find('missing-optional', TAG.AccessionNumber, 'The instance names no order; its study UID alone ties it.');
  else checkAccessionIssuer(source);
  return {
    ...(accession === '' ? {} : { accession }),
    ...(placer === '' ? {} : { placer }),
    ...(filler === '' ? {} : { filler }),
  };
}

function checkAccessionIssuer(source: HeaderSource): void {
  const issuer = source.set.items(TAG.IssuerOfAccessionNumberSequence)[0];
  if (!issuer || source.site.accessionIssuer === undefined) return;
  const universal = source.text(TAG.UniversalEntityID, issuer);
  if (universal !== '' && universal !== source.site.accessionIssuer) {
    source.find(
      'identifier-suspect',
      TAG.IssuerOfAccessionNumberSequence,
      'The accession number was issued by another than this site.',
    );
  }
}

function studyOf(source: HeaderSource): InstanceRecord['study'] {
  const modality = modalityOf(source);
  const startedAt = source.moment(TAG.StudyDate, TAG.StudyTime);
  const bodyPart = bodyPartOf(source);
  return {
    ...(DERIVED.has(modality) ? {} : { modality }),
    ...(bodyPart === null || DERIVED.has(modality) ? {} : { bodyPart }),
    ...(startedAt === null ? {} : { startedAt }),
    ...source.optional({
      description: TAG.StudyDescription,
      studyId: TAG.StudyID,
      // The whole PN: queries and manifests give it as it came.
      referringPhysician: TAG.ReferringPhysicianName,
    }),
    ...(DERIVED.has(modality) ? {} : source.optional({ device: TAG.StationName })),
  };
}

function modalityOf(source: HeaderSource): string {
  return source.set.one(TAG.Modality).toUpperCase().slice(0, 16);
}

function bodyPartOf(source: HeaderSource): Coded | null {
  const text = source.text(TAG.BodyPartExamined);
  if (text === '') return null;
  const mapped = source.site.codes.lookup('body-part', text);
  if (mapped) return mapped;
  // A defined term of PS3.16 Annex L is the province's own code; free text is not.
  if (/^[A-Z0-9_ ]{2,32}$/.test(text)) return { code: text, system: BODY_PARTS };
  source.find('unmapped-code', TAG.BodyPartExamined, 'The body part is not in the table of the site.');
  return { code: text, system: `${BODY_PARTS}.${source.site.id}`, display: text, source: { code: text } };
}

function seriesOf(source: HeaderSource): Omit<InstanceRecord['series'], 'uid'> {
  const modality = modalityOf(source);
  if (modality === '') source.find('missing-optional', TAG.Modality, 'The series has no modality; OT is used.');
  const number = source.integer(TAG.SeriesNumber);
  const startedAt = source.moment(TAG.SeriesDate, TAG.SeriesTime);
  return {
    modality: modality === '' ? 'OT' : modality,
    ...(number === null ? {} : { number }),
    ...(startedAt === null ? {} : { startedAt }),
    ...source.optional({
      description: TAG.SeriesDescription,
      bodyPart: TAG.BodyPartExamined,
      laterality: TAG.Laterality,
      stationName: TAG.StationName,
      manufacturer: TAG.Manufacturer,
    }),
  };
}

function imageOf(
  source: HeaderSource,
): Pick<InstanceRecord['instance'], 'number' | 'rows' | 'columns' | 'frames' | 'bitsAllocated'> {
  const read = {
    number: source.integer(TAG.InstanceNumber),
    rows: source.set.number(TAG.Rows),
    columns: source.set.number(TAG.Columns),
    frames: source.integer(TAG.NumberOfFrames),
    bitsAllocated: source.set.number(TAG.BitsAllocated),
  };
  return Object.fromEntries(
    Object.entries(read).filter(([, value]) => value !== null && (value >= 0 || value === read.number)),
  );
}

/** When the header was true: as it was made; never later than it arrived, for clocks of devices run wrong. */
function assertedAt(source: HeaderSource, receivedAt: SourceTime): SourceTime {
  const acquired = source.set.one(TAG.AcquisitionDateTime);
  const moment =
    source.quietly(TAG.InstanceCreationDate, TAG.InstanceCreationTime) ??
    source.quietly(TAG.ContentDate, TAG.ContentTime) ??
    (acquired === '' ? null : parseDateTime(acquired, source.zone)) ??
    source.quietly(TAG.AcquisitionDate, TAG.AcquisitionTime) ??
    source.quietly(TAG.SeriesDate, TAG.SeriesTime) ??
    source.quietly(TAG.StudyDate, TAG.StudyTime);
  return moment !== null && moment <= receivedAt ? moment : receivedAt;
}

/** System of the provincial body part codes: the terms of PS3.16 Annex L. */
const BODY_PARTS = 'urn:oid:2.999.156.4.2';
