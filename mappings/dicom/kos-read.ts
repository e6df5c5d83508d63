/**
 * Reads the manifests of others (KOS, IHE RAD TF-3 §4.68.4.1.2): which instances of which study a hospital's imaging source
 * holds, and as canonical records: the study is known, its images are where the manifest says.
 */
import type { StudyListing } from '../../hub/core/ports.ts';
import type { Mapped } from '../../hub/core/envelope.ts';
import { lenientUid } from '../../hub/core/identifier.ts';
import type { Uid } from '../../hub/core/identifier.ts';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import type { ExamKeys, StudyFields, StudyRecord } from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import type { ListedInstance } from '../../hub/core/view.ts';
import type { DataSet } from './data-set.ts';
import { HeaderSource } from './header-source.ts';
import { patientOf } from './instance-patient.ts';
import { parsePart10 } from './parse.ts';
import { TAG } from './tags.ts';
import { KEY_OBJECT_SELECTION } from './uids.ts';

export interface ManifestSeries {
  readonly seriesUid: Uid;
  /** Repository unique id of the imaging source; empty where the manifest does not tell. */
  readonly repositoryUid: string;
  readonly instances: readonly { readonly sopUid: Uid; readonly sopClass: string }[];
}

export interface ManifestStudy {
  readonly studyUid: Uid;
  readonly series: readonly ManifestSeries[];
}

export interface ManifestRead {
  readonly dataSet: DataSet;
  readonly sopUid: Uid;
  readonly studies: readonly ManifestStudy[];
}

const MAX_BYTES = 64 * 2 ** 20;
const MAX_INSTANCES = 100_000;
const malformed = (text: string, where?: string): Result<never> => fail(problem('malformed', where, text));

export function readManifest(bytes: Buffer): Result<ManifestRead> {
  if (bytes.length > MAX_BYTES)
    return fail(problem('too-large', undefined, `A manifest has at most ${String(MAX_BYTES)} bytes.`));
  const parsed = parsePart10(bytes);
  if (!parsed.ok) return parsed;
  const { dataSet } = parsed.value;
  if (dataSet.one(TAG.SOPClassUID) !== KEY_OBJECT_SELECTION)
    return malformed('The document is not a Key Object Selection.', '(0008,0016)');
  const sopUid = lenientUid(dataSet.one(TAG.SOPInstanceUID));
  if (!sopUid) return malformed('The manifest has no UID.', '(0008,0018)');
  const studies = new Map<Uid, ManifestSeries[]>();
  let count = 0;
  for (const study of dataSet.items(TAG.CurrentRequestedProcedureEvidenceSequence)) {
    const studyUid = lenientUid(study.one(TAG.StudyInstanceUID));
    if (!studyUid) return malformed('A study of the manifest has no UID.', '(0040,A375)');
    const list = studies.get(studyUid) ?? [];
    studies.set(studyUid, list);
    for (const item of study.items(TAG.ReferencedSeriesSequence)) {
      const series = readSeries(item);
      if (!series) return malformed('A series or an instance of the manifest has no UID.', '(0008,1115)');
      count += series.instances.length;
      if (count > MAX_INSTANCES)
        return fail(problem('limit-exceeded', undefined, 'The manifest names too many instances.'));
      list.push(series);
    }
  }
  if (count === 0) return malformed('The manifest names no instance.', '(0040,A375)');
  return ok({ dataSet, sopUid, studies: [...studies].map(([studyUid, series]) => ({ studyUid, series })) });
}

function readSeries(item: DataSet): ManifestSeries | null {
  const seriesUid = lenientUid(item.one(TAG.SeriesInstanceUID));
  const instances = item.items(TAG.ReferencedSOPSequence).map((reference) => ({
    sopUid: lenientUid(reference.one(TAG.ReferencedSOPInstanceUID)),
    sopClass: reference.one(TAG.ReferencedSOPClassUID),
  }));
  if (!seriesUid || instances.some(({ sopUid }) => sopUid === null)) return null;
  return {
    seriesUid,
    repositoryUid: item.one(TAG.RetrieveLocationUID),
    instances: instances.flatMap(({ sopUid, sopClass }) => (sopUid === null ? [] : [{ sopUid, sopClass }])),
  };
}

/** What a manifest lists; its patient was compared when it was filed. */
export function listingOf({ series }: ManifestStudy): StudyListing {
  const instancesOf = (one: ManifestSeries): ListedInstance[] =>
    one.instances.flatMap(({ sopUid, sopClass }, at) => {
      const named = lenientUid(sopClass);
      return named === null ? [] : [{ sopUid, sopClass: named, number: at + 1, frames: null }];
    });
  return {
    patients: [],
    series: series.map((one, at) => ({
      seriesUid: one.seriesUid,
      modality: modalityOf(one.instances.map(({ sopClass }) => sopClass)) ?? '',
      number: at + 1,
      description: null,
      startedAt: null,
      instances: instancesOf(one),
    })),
  };
}

/** One study record for each study: declared by its manifest, with as many series and instances as it names. */
export function mapManifest(bytes: Buffer, site: SiteProfile, receivedAt: string): Mapped<StudyRecord> {
  const read = readManifest(bytes);
  if (!read.ok) return { ok: false, problem: read.problem, findings: [] };
  const { dataSet, studies } = read.value;
  const source = new HeaderSource(dataSet, site);
  const patient = patientOf(source);
  const made = source.quietly(TAG.ContentDate, TAG.ContentTime);
  // A manifest of several studies can be about one order at most.
  const keys = studies.length === 1 ? keysOf(source) : {};
  const startedAt = studies.length === 1 ? source.quietly(TAG.StudyDate, TAG.StudyTime) : null;
  const records = studies.map(({ studyUid, series }): StudyRecord => {
    const instances = series.flatMap((one) => one.instances);
    const modality = modalityOf(instances.map(({ sopClass }) => sopClass));
    const fields: StudyFields = {
      seriesCount: series.length,
      instanceCount: new Set(instances.map(({ sopUid }) => sopUid)).size,
      ...(modality === null ? {} : { modality }),
      ...(startedAt === null ? {} : { startedAt }),
      ...(studies.length === 1 ? source.optional({ description: TAG.StudyDescription }) : {}),
    };
    return {
      kind: 'study',
      site: site.id,
      at: made !== null && made <= receivedAt ? made : receivedAt,
      patient,
      keys: { ...keys, studyUid },
      fields,
    };
  });
  return { ok: true, records, findings: source.findings };
}

/** (0040,A370), else the accession number of the header. */
function keysOf(source: HeaderSource): ExamKeys {
  const request = source.set.items(TAG.ReferencedRequestSequence)[0];
  const told = (tag: number): string => (request ? source.text(tag, request) : '') || source.text(tag);
  const [accession, placer, filler] = [
    told(TAG.AccessionNumber),
    told(TAG.PlacerOrderNumberImagingServiceRequest),
    told(TAG.FillerOrderNumberImagingServiceRequest),
  ];
  return {
    ...(accession === '' ? {} : { accession }),
    ...(placer === '' ? {} : { placer }),
    ...(filler === '' ? {} : { filler }),
  };
}

/** A manifest names storage classes, not modalities: those of which the class tells one (PS3.3 §C.7.3.1.1.1, PS3.4 §B.5). */
const MODALITIES: Readonly<Record<string, string>> = {
  '1': 'CR',
  '1.1': 'DX',
  '1.1.1': 'DX',
  '1.2': 'MG',
  '1.2.1': 'MG',
  '1.3': 'IO',
  '1.3.1': 'IO',
  '2': 'CT',
  '2.1': 'CT',
  '2.2': 'CT',
  '3.1': 'US',
  '4': 'MR',
  '4.1': 'MR',
  '4.3': 'MR',
  '4.4': 'MR',
  '6.1': 'US',
  '6.2': 'US',
  '12.1': 'XA',
  '12.1.1': 'XA',
  '12.2': 'RF',
  '12.2.1': 'RF',
  '13.1.3': 'MG',
  '20': 'NM',
  '77.1.1': 'ES',
  '77.1.1.1': 'ES',
  '77.1.4': 'XC',
  '77.1.5.1': 'OP',
  '128': 'PT',
  '130': 'PT',
};
const STORAGE = '1.2.840.10008.5.1.4.1.1.';

function modalityOf(classes: readonly string[]): string | null {
  for (const sopClass of classes) {
    const modality = sopClass.startsWith(STORAGE) ? MODALITIES[sopClass.slice(STORAGE.length)] : undefined;
    if (modality !== undefined) return modality;
  }
  return null;
}
