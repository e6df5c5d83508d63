/** The archive inside h3, which keeps its images: a small DICOM node on loopback made of the hub's own adapter over generated files. */
import { Readable } from 'node:stream';
import { createDimseChannel } from '../../adapters/dicom/index.ts';
import { loadSites } from '../../adapters/sites/load.ts';
import type { Channel } from '../../adapters/channel.ts';
import type { HubId, Uid } from '../../hub/core/identifier.ts';
import { siteId } from '../../hub/core/identifier.ts';
import type { DicomMatch, DicomQuery, IndexReader, InstanceLocated, Log, StudyLocated } from '../../hub/core/ports.ts';
import { problem } from '../../hub/core/problem.ts';
import type { SiteProfile, Sites } from '../../hub/core/site.ts';
import type { InstanceView, PatientView, SeriesView, StudyView } from '../../hub/core/view.ts';
import { EXPLICIT_LE } from '../../mappings/dicom/uids.ts';
import type { Exam } from '../province/exams.ts';
import type { DicomFile } from '../province/images.ts';
import { seeingAll } from '../support/access.ts';

export interface Kept {
  readonly exam: Exam;
  readonly files: readonly DicomFile[];
}

const uid = (text: string): Uid => text as Uid;
const hubId = (text: string): HubId => text as HubId;
const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

/** Serves `kept` to the hub's AE title only, at `port`. */
export async function startPacs(options: {
  aeTitle: string;
  port: number;
  hubAe: string;
  hubPort: number;
  sitesDir: string;
  kept: readonly Kept[];
}): Promise<Channel> {
  const h3 = (await loadSites(options.sitesDir)).byId('h3');
  if (!h3) throw new Error('the demo has no site h3');
  const bytes = new Map(options.kept.flatMap(({ files }) => files.map((file) => [file.sopUid, file.bytes] as const)));
  const channel = createDimseChannel({
    host: '127.0.0.1',
    port: options.port,
    aeTitle: options.aeTitle,
    sites: callers(h3, options.hubAe, options.hubPort),
    sink: {
      begin: () =>
        Promise.resolve({
          write: () => Promise.resolve(),
          finish: () => Promise.resolve({ ok: false, problem: problem('forbidden') }),
          abort: () => Promise.resolve(),
        }),
      refuse: () => Promise.resolve(),
      paused: () => undefined,
    },
    seeing: seeingAll({ find: (query) => Promise.resolve(matches(options.kept, query)) }, readerOf(options.kept)),
    images: {
      open: (located, range) => {
        const file = bytes.get(located.instance.sopUid);
        return file
          ? Promise.resolve(Readable.from([file.subarray(range?.start ?? 0, range?.end)]))
          : Promise.reject(new Error('no such instance'));
      },
    },
    audit: { record: () => Promise.resolve() },
    log: silent,
  });
  await channel.start();
  return channel;
}

/** The archive knows one caller: the hub. */
function callers(h3: SiteProfile, hubAe: string, hubPort: number): Sites {
  const hub: SiteProfile = {
    ...h3,
    id: siteId('hub'),
    dicom: {
      ...h3.dicom,
      aeTitles: [hubAe],
      query: true,
      nodes: [{ aeTitle: hubAe, host: '127.0.0.1', port: hubPort }],
    },
  };
  return {
    all: [hub],
    byId: (id) => (id === 'hub' ? hub : null),
    byHl7Sender: () => null,
    byAeTitle: (title) => (title === hubAe ? hub : null),
  };
}

function matches(kept: readonly Kept[], query: DicomQuery): DicomMatch[] {
  const asked = (keyword: string, value: string): boolean => {
    const wanted = query.match[keyword];
    if (wanted === undefined) return true;
    return typeof wanted === 'string' ? wanted === value || wanted === '*' : wanted.includes(value);
  };
  const found: DicomMatch[] = [];
  for (const { exam, files } of kept) {
    const patient = exam.person.local[exam.site] ?? '';
    if (
      !asked('StudyInstanceUID', exam.studyUid) ||
      !asked('PatientID', patient) ||
      !asked('AccessionNumber', exam.accession)
    )
      continue;
    const study = {
      PatientID: patient,
      PatientName: exam.person.name,
      StudyInstanceUID: exam.studyUid,
      StudyDate: exam.startedAt.slice(0, 8),
      StudyTime: exam.startedAt.slice(8),
      AccessionNumber: exam.accession,
      StudyDescription: exam.procedure[1],
      ModalitiesInStudy: exam.modality,
    };
    const listed =
      query.level === 'IMAGE' ? files : query.level === 'SERIES' ? firstOfSeries(files) : files.slice(0, 1);
    for (const [index, file] of listed.entries()) {
      if (query.level !== 'STUDY' && query.level !== 'PATIENT' && !asked('SeriesInstanceUID', file.seriesUid)) continue;
      if (query.level === 'IMAGE' && !asked('SOPInstanceUID', file.sopUid)) continue;
      const series =
        query.level === 'SERIES' || query.level === 'IMAGE'
          ? { SeriesInstanceUID: file.seriesUid, Modality: exam.modality }
          : {};
      const image =
        query.level === 'IMAGE'
          ? { SOPInstanceUID: file.sopUid, SOPClassUID: file.sopClass, InstanceNumber: String(index + 1) }
          : {};
      found.push({
        attributes: { ...study, ...series, ...image },
        personId: hubId('h3'),
        studyUid: uid(exam.studyUid),
      });
    }
  }
  return found.slice(query.offset, query.offset + query.limit);
}

const firstOfSeries = (files: readonly DicomFile[]): DicomFile[] =>
  [...new Map([...files].reverse().map((file) => [file.seriesUid, file])).values()].reverse();

function readerOf(kept: readonly Kept[]): IndexReader {
  const study = (studyUid: string): StudyLocated | null => {
    const one = kept.find(({ exam }) => exam.studyUid === studyUid);
    return one ? located(one) : null;
  };
  const instance = (studyUid: string, seriesUid: string | null, sopUid: string): InstanceLocated | null => {
    const found = study(studyUid);
    for (const series of found?.study.series ?? [])
      for (const one of series.instances)
        if (found && one.sopUid === sopUid && (seriesUid === null || seriesUid === series.seriesUid))
          return { ...found, series, instance: one };
    return null;
  };
  return {
    person: () => Promise.resolve(null),
    exam: () => Promise.resolve(null),
    examOfStudy: (studyUid) => Promise.resolve(study(studyUid)?.exam ?? null),
    study: (studyUid) => Promise.resolve(study(studyUid)),
    series: (studyUid, seriesUid) => {
      const found = study(studyUid);
      const series = found?.study.series.find((one) => one.seriesUid === seriesUid);
      return Promise.resolve(found && series ? { ...found, series } : null);
    },
    instance: (studyUid, seriesUid, sopUid) => Promise.resolve(instance(studyUid, seriesUid, sopUid)),
  };
}

function located({ exam, files }: Kept): StudyLocated {
  const unknown = {
    number: null,
    description: null,
    bodyPart: null,
    laterality: null,
    startedAt: null,
    stationName: null,
    manufacturer: null,
  };
  const series = firstOfSeries(files).map((first): SeriesView => {
    const instances = files.filter((file) => file.seriesUid === first.seriesUid).map(instanceOf);
    return {
      seriesUid: uid(first.seriesUid),
      modality: exam.modality,
      ...unknown,
      instanceCount: instances.length,
      instances,
    };
  });
  const study: StudyView = {
    studyId: hubId(exam.studyUid),
    studyUid: uid(exam.studyUid),
    site: siteId('hub'),
    fields: {},
    modalities: [exam.modality],
    seriesCount: series.length,
    instanceCount: files.length,
    availability: 'complete',
    voided: false,
    changedAt: '2026-03-01T08:30:00.000Z',
    series,
  };
  const patient: PatientView = {
    recordId: hubId('h3'),
    site: siteId('hub'),
    authority: '2.999.156.1.3',
    localId: exam.person.local.h3 ?? '',
    names: [{ text: exam.person.name, representation: 'ideographic' }],
    sex: null,
    birthDate: null,
    identifiers: [],
    phone: null,
    address: null,
    maritalStatus: null,
    ethnicGroup: null,
    nationality: null,
    deceased: null,
    residentId: null,
    mergedInto: null,
  };
  const ids = { examId: hubId(exam.accession), recordId: hubId('h3'), personId: hubId('h3') };
  const rest = { index: null, cancelled: false, orders: [], report: null, manifests: [] };
  return {
    exam: { ...ids, site: siteId('hub'), patient, keys: { accession: exam.accession }, studies: [study], ...rest },
    study,
    personId: hubId('h3'),
  };
}

function instanceOf(file: DicomFile): InstanceView {
  return {
    sopUid: uid(file.sopUid),
    sopClass: uid(file.sopClass),
    transferSyntax: EXPLICIT_LE,
    number: null,
    rows: null,
    columns: null,
    frames: null,
    bitsAllocated: 16,
    object: file.sopUid,
    size: file.bytes.length,
    digest: '',
    dataSetOffset: 144 + file.bytes.readUInt32LE(140),
  };
}
