/**
 * Searches below the study (QIDO-RS of series and instances) where its hospital keeps the images: a viewer that opens such
 * a study asks for its series first. Answered from the recalled study, whose patient was compared; the index stays as it is.
 */
import type { DicomIndex, DicomMatch, DicomQuery, IndexReader, StudyLocated } from '../core/ports.ts';
import type { InstanceView, SeriesView } from '../core/view.ts';

/** `reader` recalls. Only searches that name the study are answered: to search what a hospital holds is its own affair. */
export function createRecallingIndex(index: DicomIndex, reader: IndexReader): DicomIndex {
  return {
    async find(query) {
      const found = await index.find(query);
      const [studyUid, ...others] = listOf(query.match['StudyInstanceUID']);
      if (found.length > 0 || studyUid === undefined || others.length > 0) return found;
      if (query.level !== 'SERIES' && query.level !== 'IMAGE') return found;
      const isBelow = ([key]: readonly [string, unknown]): boolean => BELOW.has(key);
      const asked = Object.entries(query.match);
      const match = Object.fromEntries(asked.filter((entry) => !isBelow(entry)));
      const studies = await index.find({ ...query, level: 'STUDY', match, limit: 10, offset: 0 });
      const away = studies.find(({ attributes }) => attributes['InstanceAvailability'] === 'NEARLINE');
      const located = away && (await reader.study(studyUid, { instances: true }));
      const study = located && studies.find(({ personId }) => personId === located.personId);
      if (!study) return found;
      return rows(located, study, query.level)
        .filter(({ attributes }) => asked.filter(isBelow).every(([key, wanted]) => holds(attributes[key], wanted)))
        .slice(query.offset, query.offset + query.limit);
    },
  };
}

const SERIES = [
  'SeriesInstanceUID',
  'Modality',
  'SeriesNumber',
  'SeriesDescription',
  'BodyPartExamined',
  'Laterality',
  'StationName',
  'Manufacturer',
  'NumberOfSeriesRelatedInstances',
];
const BELOW: ReadonlySet<string> = new Set([...SERIES, 'SOPInstanceUID', 'SOPClassUID', 'InstanceNumber']);

function rows({ study }: StudyLocated, match: DicomMatch, level: DicomQuery['level']): DicomMatch[] {
  const row = (more: Readonly<Record<string, string | number | null>>): DicomMatch => ({
    ...match,
    attributes: { ...match.attributes, ...present(more) },
  });
  return study.series.flatMap((series) =>
    level === 'SERIES'
      ? [row(ofSeries(series))]
      : series.instances.map((instance) => row({ ...ofSeries(series), ...ofInstance(instance) })),
  );
}

const present = (all: Readonly<Record<string, string | number | null>>): Record<string, string | number> =>
  Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string | number] => entry[1] !== null));

const ofSeries = (series: SeriesView): Record<string, string | number | null> => ({
  SeriesInstanceUID: series.seriesUid,
  Modality: series.modality,
  SeriesNumber: series.number,
  SeriesDescription: series.description,
  BodyPartExamined: series.bodyPart,
  Laterality: series.laterality,
  StationName: series.stationName,
  Manufacturer: series.manufacturer,
  NumberOfSeriesRelatedInstances: series.instanceCount,
});

const ofInstance = (instance: InstanceView): Record<string, string | number | null> => ({
  SOPInstanceUID: instance.sopUid,
  SOPClassUID: instance.sopClass,
  AvailableTransferSyntaxUID: instance.transferSyntax,
  InstanceNumber: instance.number,
  Rows: instance.rows,
  Columns: instance.columns,
  NumberOfFrames: instance.frames,
  BitsAllocated: instance.bitsAllocated,
});

const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/** PS3.4 §C.2.2.2: single values, lists and wildcards. */
function holds(value: DicomMatch['attributes'][string] | undefined, wanted: string | readonly string[]): boolean {
  const text = value === undefined ? '' : String(value);
  return listOf(wanted).some((one) => isLike(text, one));
}

/** `*` is any text and `?` one character; never backtracks further than the last `*`, since the pattern is foreign. */
function isLike(text: string, pattern: string): boolean {
  let [at, wanted, star, resumed] = [0, 0, -1, 0];
  while (at < text.length) {
    const one = pattern[wanted];
    if (one === '*') {
      star = wanted++;
      resumed = at;
    } else if (one === '?' || one === text[at]) {
      wanted++;
      at++;
    } else if (star >= 0) {
      wanted = star + 1;
      at = ++resumed;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(wanted));
}
