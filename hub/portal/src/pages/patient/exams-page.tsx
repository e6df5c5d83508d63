/** My exams: each with its hospital, whether the report is there, and its images. */
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas } from '../../api.ts';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { patient } from '../../text/patient.ts';
import { ModalityTag, useExamTitle } from '../clinical/exam-marks.tsx';
import { dateTime } from '../clinical/format.ts';
import { ViewButton } from '../clinical/view-button.tsx';
import { OwnPage, PagedList, usePaged } from './own.tsx';

type Exam = Schemas['TimelineExam'];

export function MyExamsPage(): ReactNode {
  const words = useText(patient).exams;
  return <OwnPage title={words.title}>{(personId) => <Exams personId={personId} />}</OwnPage>;
}

function Exams({ personId }: { readonly personId: string }): ReactNode {
  const words = useText(patient).exams;
  const loaded = usePaged<Exam>(personId, (after) =>
    ask(
      api.GET('/persons/{id}/timeline', {
        params: { path: { id: personId }, query: { limit: 50, ...(after === undefined ? {} : { after }) } },
      }),
    ),
  );
  return (
    <>
      {loaded.state === 'end' && loaded.items.length > 0 ? (
        <p className="fine" role="status">
          {words.total(loaded.items.length)}
        </p>
      ) : null}
      <PagedList loaded={loaded} none={words.none} moreText={words.more}>
        {(exam) => <ExamRow key={exam.examId} exam={exam} />}
      </PagedList>
      <p className="fine">{words.note}</p>
      <p className="fine">{words.notAdvice}</p>
    </>
  );
}

function ExamRow({ exam }: { readonly exam: Exam }): ReactNode {
  const words = useText(patient).exams;
  const { availability } = useText(clinical).exam;
  const title = useExamTitle()(exam);
  const hasReport = exam.report !== null;
  return (
    <li className="exam-row">
      <ModalityTag modalities={exam.modalities} />
      <div className="row-main">
        <strong>{title}</strong>
        <p className="fine">
          {dateTime(exam.at, { date: true }) || words.undated} · {exam.siteName}
          {exam.cancelled ? ` · ${words.cancelled}` : ''}
        </p>
        {hasReport ? null : <p className="fine">{words.waiting}</p>}
      </div>
      <div className="row-acts">
        <Link to={`/my/exams/${exam.examId}`} aria-label={`${hasReport ? words.open : words.details}: ${title}`}>
          {hasReport ? words.open : words.details}
        </Link>
        {exam.images === null ? null : exam.images.availability === 'registered' ? (
          <span className="fine">{availability.registered}</span>
        ) : (
          <ViewButton examId={exam.examId} />
        )}
      </div>
    </li>
  );
}
