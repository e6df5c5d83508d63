/**
 * The master index as one caller may see it: the same ports, with what is hidden left out as if it did not exist, so that
 * no face can forget to ask.
 */
import type { AccessDesk, Seeing, Sight } from '../core/access-ports.ts';
import { SearchTimeout } from '../core/fhir.ts';
import type { HubId } from '../core/identifier.ts';
import type { ExamSearch } from '../core/operation.ts';
import type { DicomIndex, DicomMatch, DicomQuery, IndexReader } from '../core/ports.ts';
import type { ExamView } from '../core/view.ts';

export function sightedReader(reader: IndexReader, sight: Sight): IndexReader {
  if (sight.whole) return reader;
  const seesStudy = async (uid: string): Promise<boolean> => (await sight.studies([uid])).has(uid);
  return {
    async person(personId) {
      const found = await reader.person(personId);
      return found !== null && (await sight.persons([found.personId])).has(found.personId) ? found : null;
    },
    async exam(examId) {
      const found = await reader.exam(examId);
      return found !== null && (await sight.exams([found.examId])).has(found.examId) ? found : null;
    },
    async examOfStudy(studyUid) {
      const found = await reader.examOfStudy(studyUid);
      return found !== null && (await sight.exams([found.examId])).has(found.examId) ? found : null;
    },
    study: async (studyUid, options) => ((await seesStudy(studyUid)) ? reader.study(studyUid, options) : null),
    series: async (studyUid, seriesUid) => ((await seesStudy(studyUid)) ? reader.series(studyUid, seriesUid) : null),
    instance: async (studyUid, seriesUid, sopUid) =>
      (await seesStudy(studyUid)) ? reader.instance(studyUid, seriesUid, sopUid) : null,
  };
}

/** Studies alone, for faces that give images and nothing else. */
export const sightedStudies = (reader: Pick<IndexReader, 'study'>, sight: Sight): Pick<IndexReader, 'study'> => ({
  study: async (uid, options) =>
    sight.whole || (await sight.studies([uid])).has(uid) ? reader.study(uid, options) : null,
});

/** The index for an adapter that knows who asks and no desk. */
export const createSeeing =
  (access: AccessDesk, index: DicomIndex, reader: IndexReader): Seeing =>
  async (caller) => {
    const sight = await access.sight(caller);
    return { sight, index: sightedDicom(index, sight), reader: sightedReader(reader, sight) };
  };

/** Matches looked at once, and looked through for one answer: a question wider than this must be narrowed. */
const BATCH = 500;
const MOST_LOOKED_AT = 20_000;

export function sightedDicom(index: DicomIndex, sight: Sight): DicomIndex {
  if (sight.whole) return index;
  return {
    async find(query) {
      const seen: DicomMatch[] = [];
      const wanted = query.offset + query.limit;
      for (let offset = 0; seen.length < wanted; offset += BATCH) {
        if (offset >= MOST_LOOKED_AT) throw new SearchTimeout('too much is looked through for what may be seen of it');
        const found = await index.find({ ...query, limit: BATCH, offset });
        const uids = await sight.studies([...new Set(found.flatMap(({ studyUid }) => studyUid ?? []))]);
        const persons = await sight.persons([
          ...new Set(found.flatMap(({ studyUid, personId }) => (studyUid === null ? [personId] : []))),
        ]);
        const shown = found.filter((one) =>
          one.studyUid === null ? persons.has(one.personId) : uids.has(one.studyUid),
        );
        seen.push(...(await byWhatIsSeen(index, sight, query, shown)));
        if (found.length < BATCH) break;
      }
      return seen.slice(query.offset, wanted);
    },
  };
}

/**
 * Patients asked for by keys of their studies are those with such a study that may be seen: else whoever asks for patients
 * with a certain accession, or description, would hear of the studies that are hidden.
 */
async function byWhatIsSeen(
  index: DicomIndex,
  sight: Sight,
  query: DicomQuery,
  patients: readonly DicomMatch[],
): Promise<readonly DicomMatch[]> {
  const isOfStudies = Object.keys(query.match).some((keyword) => !keyword.includes('Patient'));
  if (query.level !== 'PATIENT' || !isOfStudies || patients.length === 0) return patients;
  const found = await index.find({ ...query, level: 'STUDY', limit: MOST_LOOKED_AT, offset: 0 });
  if (found.length === MOST_LOOKED_AT) throw new SearchTimeout('too much is looked through for what may be seen of it');
  const uids = await sight.studies(found.flatMap(({ studyUid }) => studyUid ?? []));
  const numberOf = ({ attributes: { PatientID, IssuerOfPatientID } }: DicomMatch): string =>
    JSON.stringify([PatientID, IssuerOfPatientID]);
  const seen = new Set(found.filter(({ studyUid }) => studyUid !== null && uids.has(studyUid)).map(numberOf));
  return patients.filter((one) => seen.has(numberOf(one)));
}

/** Questions that one page may take: a person has hundreds of exams, not thousands. */
const MOST_TURNS = 200;

/**
 * By exact identifier: who asks knows of the person, so the sight is told (a way to them may be shown). A page ends at an
 * exam that is seen, and has a next one only where another is seen: neither tells of what is hidden between.
 */
export function sightedExams(search: ExamSearch, sight: Sight): ExamSearch {
  if (sight.whole) return search;
  return {
    async byPatient(identifier, page) {
      const items: ExamView[] = [];
      let personIds: readonly HubId[] = [];
      let [after, end] = [page.after, page.after];
      for (let turn = 0; turn < MOST_TURNS; turn++) {
        const limit = page.limit - items.length || 1;
        const found = await search.byPatient(identifier, { limit, ...(after === undefined ? {} : { after }) });
        if (turn === 0) {
          await sight.identified(found.personIds);
          const persons = await sight.persons(found.personIds);
          personIds = found.personIds.filter((id) => persons.has(id));
        }
        const seen = await sight.exams(found.items.map(({ examId }) => examId));
        const shown = found.items.filter(({ examId }) => seen.has(examId));
        if (items.length === page.limit && shown.length > 0) return { items, next: end ?? null, personIds };
        items.push(...shown);
        if (found.next === null) return { items, next: null, personIds };
        after = found.next;
        if (shown.length > 0) end = after;
      }
      throw new SearchTimeout('too many exams are looked through for what may be seen of them');
    },
  };
}
