/** The small signs of an exam that every list shows alike: what it is, and what must not be overlooked. */
import { Tag } from 'antd';
import type { ReactNode } from 'react';
import type { Schemas } from '../../api.ts';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { dateTime, wordOf } from './format.ts';

type Exam = Schemas['TimelineExam'];

export function useExamTitle(): (exam: Pick<Exam, 'title' | 'modalities' | 'region'>) => string {
  const words = useText(clinical);
  return ({ title, modalities, region }) => {
    if (title !== null) return title;
    const kinds = modalities.map((modality) => wordOf(words.modalities, modality)).join('、');
    return kinds === '' ? words.exam.untitled : `${words.regions[region]} ${kinds}`;
  };
}

export function ModalityTag({ modalities }: { readonly modalities: readonly string[] }): ReactNode {
  const words = useText(clinical).modalities;
  return (
    <span className="modality" title={modalities.map((one) => wordOf(words, one)).join(' ')}>
      {modalities.length === 0 ? '—' : modalities.slice(0, 2).join('/')}
    </span>
  );
}

/** A critical value stands out by word, shape and colour: colour alone is not enough (WCAG 1.4.1). */
export function ReportMarks({ report }: { readonly report: Exam['report'] }): ReactNode {
  const words = useText(clinical).exam;
  if (report === null) return <span className="fine">{words.noReport}</span>;
  return (
    <span className="marks">
      {report.critical ? <span className="critical">{words.critical}</span> : null}
      <Tag variant="outlined">{wordOf(words.statuses, report.status)}</Tag>
      {report.positive === null ? null : (
        <span className={report.positive ? 'positive' : 'fine'}>
          {report.positive ? words.positive : words.negative}
        </span>
      )}
      {report.revisions > 1 ? <span className="fine">{words.revision(report.revisions)}</span> : null}
    </span>
  );
}

export function ExamPlace({ exam }: { readonly exam: Exam }): ReactNode {
  const words = useText(clinical);
  return (
    <span className="fine">
      {[dateTime(exam.at), exam.siteName, exam.department ?? '', words.regions[exam.region]]
        .filter((part) => part !== '')
        .join(' · ')}
    </span>
  );
}
