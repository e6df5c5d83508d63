/**
 * What a physician looks at: a person found, every exam of theirs on one line, what an exam is called and shows, and which
 * others to compare it with. Pure; the ports at the end are of hub/store.
 */
import { regionOf, type BodyRegion } from './body-region.ts';
import type { ChannelKind, JournalState } from './envelope.ts';
import type { HubId, SiteId, Uid } from './identifier.ts';
import type { Finding } from './problem.ts';
import type { ReportContent, ReportStatus } from './record.ts';
import type { ExamView, PatientView, StudyView } from './view.ts';

/** One exam as a line of the time line. Times are UTC. */
export interface TimelineExam {
  readonly examId: HubId;
  readonly site: SiteId;
  /** When it was made; where that is not known when it was reported or ordered; null: nobody said. */
  readonly at: string | null;
  readonly modalities: readonly string[];
  readonly region: BodyRegion;
  readonly title: string | null;
  readonly department: string | null;
  readonly cancelled: boolean;
  readonly report: {
    readonly status: ReportStatus;
    readonly at: string;
    readonly impression: string;
    readonly critical: boolean;
    readonly positive: boolean | null;
    readonly revisions: number;
  } | null;
  readonly images: {
    readonly studyUid: Uid;
    readonly series: number;
    readonly instances: number;
    readonly availability: StudyView['availability'];
  } | null;
}

const IMPRESSION = 300;
/** Modalities that are no picture of the patient: reports, presentation states, key objects (PS3.3 C.7.3.1.1.1). */
const DERIVED = new Set(['SR', 'PR', 'KO', 'DOC', 'AU', 'SEG', 'REG', 'FID', 'PLAN', 'OT']);

export function timelineExam(exam: ExamView): TimelineExam {
  const { orders, report } = exam;
  const studies = exam.studies.filter(({ voided }) => !voided);
  const shown = studies.toSorted((a, b) => b.instanceCount - a.instanceCount)[0] ?? null;
  const said = [
    ...studies.flatMap((study) => [...study.modalities, study.fields.modality ?? '']),
    ...orders.map(({ fields }) => fields.modality ?? ''),
  ].filter((modality) => modality !== '');
  const pictures = said.filter((modality) => !DERIVED.has(modality));
  const [order] = orders;
  const title = first([order?.fields.procedure?.display, shown?.fields.description, report?.content.title]);
  return {
    examId: exam.examId,
    site: exam.site,
    at: first([
      ...studies.map(({ fields }) => fields.startedAt),
      order?.fields.startedAt,
      order?.fields.scheduledAt,
      report?.at,
      order?.fields.requestedAt,
      order?.at,
    ]),
    modalities: [...new Set(pictures.length > 0 ? pictures : said)].sort(),
    region: regionOf([
      ...orders.flatMap(({ fields }) => [fields.bodyPart?.display, fields.bodyPart?.code]),
      ...studies.map(({ fields }) => fields.bodyPart?.display),
      ...studies.flatMap(({ series }) => series.map(({ bodyPart }) => bodyPart)),
      title,
      shown?.fields.description,
    ]),
    title,
    department: first([order?.fields.requestingDepartment?.display, order?.fields.requestingDepartment?.code]),
    cancelled: exam.cancelled,
    report:
      report === null
        ? null
        : {
            status: report.status,
            at: report.at,
            impression: Array.from(report.content.impression ?? '')
              .slice(0, IMPRESSION)
              .join(''),
            critical: report.content.critical ?? false,
            positive: report.content.positive ?? null,
            revisions: report.supersedes + 1,
          },
    images:
      shown === null
        ? null
        : {
            studyUid: shown.studyUid,
            series: shown.seriesCount,
            instances: shown.instanceCount,
            availability: shown.availability,
          },
  };
}

const first = (texts: readonly (string | null | undefined)[]): string | null =>
  texts.find((text) => text !== null && text !== undefined && text !== '') ?? null;

/** Newest first; exams without any time last. */
export const byTime = (a: TimelineExam, b: TimelineExam): number =>
  (b.at ?? '').localeCompare(a.at ?? '') || a.examId.localeCompare(b.examId);

export interface TimelineFilter {
  readonly modality?: string;
  readonly region?: BodyRegion;
  readonly site?: string;
  /** `from` included, `to` excluded. */
  readonly from?: string;
  readonly to?: string;
}

export const shows = (exam: TimelineExam, filter: TimelineFilter): boolean =>
  (filter.modality === undefined || exam.modalities.includes(filter.modality)) &&
  (filter.region === undefined || exam.region === filter.region) &&
  (filter.site === undefined || exam.site === filter.site) &&
  (filter.from === undefined || (exam.at !== null && exam.at >= filter.from)) &&
  (filter.to === undefined || (exam.at !== null && exam.at < filter.to));

export interface Prior {
  readonly exam: TimelineExam;
  readonly sameRegion: boolean;
  readonly sameModality: boolean;
  readonly earlier: boolean;
}

/** What to compare an exam with: of the same region by the same modality first, then the nearest in time before it. */
export function priorsOf(exam: TimelineExam, others: readonly TimelineExam[]): readonly Prior[] {
  const likeness = ({ sameRegion, sameModality, earlier }: Prior): number =>
    (sameRegion ? 4 : 0) + (sameModality ? 2 : 0) + (earlier ? 1 : 0);
  return others
    .filter((other) => other.examId !== exam.examId && !other.cancelled)
    .map((other) => ({
      exam: other,
      sameRegion: other.region !== 'other' && other.region === exam.region,
      sameModality: other.modalities.some((modality) => exam.modalities.includes(modality)),
      earlier: (other.at ?? '') <= (exam.at ?? ''),
    }))
    .sort((a, b) => likeness(b) - likeness(a) || byTime(a.exam, b.exam));
}

/** One way of asking for a person; numbers as they were written. */
export type PersonQuestion =
  | { readonly by: 'resident-id'; readonly residentId: string }
  /** Of a patient or of an exam. */
  | { readonly by: 'number'; readonly number: string; readonly sites: readonly string[] }
  | { readonly by: 'phone'; readonly phone: string }
  /** `birthDate`: YYYYMMDD. */
  | { readonly by: 'name'; readonly name: string; readonly birthDate: string; readonly sex?: 'male' | 'female' };

/** Whether who asks has shown to know the person: a number names one, a name or a phone may name a stranger. */
export const isExact = ({ by }: PersonQuestion): boolean => by === 'resident-id' || by === 'number';

/** An exam of a person as a list of persons counts it. */
export interface ExamMark {
  readonly examId: HubId;
  readonly personId: HubId;
  readonly site: SiteId;
  readonly at: string;
  readonly modalities: readonly string[];
}

export interface PersonSearch {
  /** Persons of today, by id, at most `limit`. */
  find(question: PersonQuestion, limit: number): Promise<readonly HubId[]>;
  /** Registrations of these persons, those merged away left out, at most 50 of each. */
  registrations(persons: readonly HubId[]): Promise<ReadonlyMap<HubId, readonly PatientView[]>>;
  /** Exams that were not cancelled, at most `limit` of each person, newest first. */
  marks(persons: readonly HubId[], limit: number): Promise<readonly ExamMark[]>;
}

export interface ReportRevision {
  readonly number: string;
  readonly status: ReportStatus;
  readonly at: string;
  readonly recordedAt: string;
  readonly journalId: string;
  readonly content: Omit<ReportContent, 'document'>;
}

/** A message that told of an exam or of its patient. */
export interface Origin {
  readonly journalId: string;
  readonly of: 'patient' | 'exam' | 'images';
  /** How many images it brought, or where several brought images all of theirs. */
  readonly count: number;
  readonly receivedAt: string | null;
  readonly site: SiteId | null;
  readonly channel: ChannelKind | null;
  readonly sender: string | null;
  readonly messageType: string | null;
  readonly state: JournalState | null;
  readonly settledAt: string | null;
  readonly findings: readonly Finding[];
}

export interface ExamHistory {
  /** Exams of a person, newest first, at most `limit`. */
  examsOf(person: HubId, limit: number): Promise<readonly ExamView[]>;
  /** Oldest first. */
  revisions(examId: HubId): Promise<readonly ReportRevision[]>;
  /** Oldest first, at most 200; what retention dropped from the journal has no more than its id. */
  origins(exam: Pick<ExamView, 'examId' | 'recordId'>): Promise<readonly Origin[]>;
  /** When the hospital listed what it keeps of the exam's studies, and when documents of it were published. */
  listings(exam: Pick<ExamView, 'recordId' | 'studies'>): Promise<readonly string[]>;
}
