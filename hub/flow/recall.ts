/**
 * Location transparency: a reader of the index that also knows the images of studies that their hospital keeps. Who asks
 * for instances gets them as if they were here; the study is fetched for that, and the index is told nothing of it.
 */
import type { HubId, Uid } from '../core/identifier.ts';
import type { IndexReader, InstanceLocated, Log, SeriesLocated, StudyLocated, StudyRecall } from '../core/ports.ts';
import { Failure, problem } from '../core/problem.ts';
import type { InstanceRecord, PatientRef } from '../core/record.ts';
import type { InstanceView, PatientView, PersonView, SeriesView } from '../core/view.ts';

export interface RecallingParts {
  readonly reader: IndexReader;
  readonly recall: StudyRecall;
  readonly log: Log;
}

/** Rejects with a Failure where the hospital's archive does not answer, or holds the study for another patient. */
export function createRecallingReader({ reader, recall, log }: RecallingParts): IndexReader {
  const recalled = async (located: StudyLocated): Promise<StudyLocated> => {
    const { exam, study } = located;
    const fetched = await recall.fetch(study.site, study.studyUid);
    if (!fetched.ok) throw new Failure(fetched.problem);
    const { series, patients } = digestOf(fetched.value);
    if (!isSamePatient(exam.patient, patients, await reader.person(exam.personId))) {
      log.error(
        { site: study.site, study: study.studyId },
        'a hospital keeps a study for another patient than its exam; it was not shown',
      );
      throw new Failure(problem('patient-mismatch', '(0010,0020)', MISMATCH));
    }
    const instanceCount = fetched.value.length;
    return { ...located, study: { ...study, series, seriesCount: series.length, instanceCount } };
  };
  const study = async (studyUid: string): Promise<StudyLocated | null> => {
    const located = await reader.study(studyUid, { instances: true });
    return located && isAway(located) ? recalled(located) : located;
  };
  /** For a part that the index does not know: the study where the hospital keeps it, else null. */
  const keptStudy = async (studyUid: string): Promise<StudyLocated | null> => {
    const located = await reader.study(studyUid);
    return located && isAway(located) ? recalled(located) : null;
  };
  return {
    person: (personId) => reader.person(personId),
    exam: (examId) => reader.exam(examId),
    examOfStudy: (studyUid) => reader.examOfStudy(studyUid),
    study: (studyUid, options) => (options?.instances === true ? study(studyUid) : reader.study(studyUid, options)),
    async series(studyUid, seriesUid): Promise<SeriesLocated | null> {
      const known = await reader.series(studyUid, seriesUid);
      if (known) return known;
      const kept = await keptStudy(studyUid);
      const series = kept?.study.series.find((one) => one.seriesUid === seriesUid);
      return kept && series ? { ...kept, series } : null;
    },
    async instance(studyUid, seriesUid, sopUid): Promise<InstanceLocated | null> {
      const known = await reader.instance(studyUid, seriesUid, sopUid);
      if (known) return known;
      const kept = await keptStudy(studyUid);
      for (const series of kept?.study.series ?? []) {
        if (seriesUid !== null && series.seriesUid !== seriesUid) continue;
        const instance = series.instances.find((one) => one.sopUid === sopUid);
        if (kept && instance) return { ...kept, series, instance };
      }
      return null;
    },
  };
}

const MISMATCH = 'The hospital keeps this study for another patient; it must correct that.';

/** One image at the centre makes it the centre's study: what is here is shown, and nothing is mixed into it. */
const isAway = ({ study }: StudyLocated): boolean => study.availability === 'at-hospital' && study.series.length === 0;

/**
 * As images that arrive are held to their exam (core/fold): an image may name no patient, since its study UID ties it to
 * the exam; one that names another registration is of another person, unless the hospital merged the two.
 */
export function isSamePatient(of: PatientView, named: readonly PatientRef[], person: PersonView | null): boolean {
  const records = person?.records ?? [];
  const own = survivorOf(of, records);
  return named.every((ref) => {
    if (ref.authority === of.authority && ref.value === of.localId) return true;
    const other = records.find(
      ({ site, authority, localId }) => site === of.site && authority === ref.authority && localId === ref.value,
    );
    return other !== undefined && survivorOf(other, records) === own;
  });
}

/** The registration that stands after the hospital's merges. */
function survivorOf(record: PatientView, records: readonly PatientView[]): HubId {
  let at = record;
  for (let step = 0; step < 16 && at.mergedInto !== null; step++) {
    const next = records.find(({ recordId }) => recordId === at.mergedInto);
    if (next === undefined) return at.mergedInto;
    at = next;
  }
  return at.recordId;
}

interface Digest {
  readonly series: readonly SeriesView[];
  /** Each once; images that name nobody add nothing. */
  readonly patients: readonly PatientRef[];
}

/** A viewer asks for frame after frame of one fetched study: its views are made once. */
const digests = new WeakMap<readonly InstanceRecord[], Digest>();

function digestOf(records: readonly InstanceRecord[]): Digest {
  const known = digests.get(records);
  if (known) return known;
  const patients = new Map<string, PatientRef>();
  const bySeries = new Map<Uid, InstanceRecord[]>();
  for (const record of records) {
    if (record.patient) patients.set(`${record.patient.authority}|${record.patient.value}`, record.patient);
    const list = bySeries.get(record.series.uid) ?? [];
    list.push(record);
    bySeries.set(record.series.uid, list);
  }
  const series = [...bySeries.values()].map(seriesView).sort((a, b) => inOrder(a, b, (one) => one.seriesUid));
  const digest = { series, patients: [...patients.values()] };
  digests.set(records, digest);
  return digest;
}

/** What the series says comes from its first instance, as in the index. */
function seriesView(records: readonly InstanceRecord[]): SeriesView {
  const instances = records.map(instanceView).sort((a, b) => inOrder(a, b, (one) => one.sopUid));
  const first = records.find(({ instance }) => instance.uid === instances[0]?.sopUid)?.series;
  if (first === undefined) throw new Error('a series has an instance');
  return {
    seriesUid: first.uid,
    modality: first.modality,
    number: first.number ?? null,
    description: first.description ?? null,
    bodyPart: first.bodyPart ?? null,
    laterality: first.laterality ?? null,
    startedAt: first.startedAt ?? null,
    stationName: first.stationName ?? null,
    manufacturer: first.manufacturer ?? null,
    instanceCount: instances.length,
    instances,
  };
}

function instanceView({ instance }: InstanceRecord): InstanceView {
  const { uid: sopUid, number, rows, columns, frames, bitsAllocated, ...stored } = instance;
  return {
    ...stored,
    sopUid,
    number: number ?? null,
    rows: rows ?? null,
    columns: columns ?? null,
    frames: frames ?? null,
    bitsAllocated: bitsAllocated ?? null,
  };
}

/** By number, those without one last, then by UID. */
function inOrder<T extends { readonly number: number | null }>(a: T, b: T, uid: (one: T) => string): number {
  const [left, right] = [a.number ?? Infinity, b.number ?? Infinity];
  if (left !== right) return left < right ? -1 : 1;
  return uid(a) < uid(b) ? -1 : 1;
}
