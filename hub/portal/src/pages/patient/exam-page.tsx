/** One exam of mine: the signed report as the doctor wrote it, and the images. */
import type { ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas } from '../../api.ts';
import { Shown, useAsked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { patient } from '../../text/patient.ts';
import { ExamImages } from '../clinical/exam-images.tsx';
import { ReportSection, titleOf } from '../clinical/exam-page.tsx';
import { Facts } from '../clinical/facts.tsx';
import { dateTime } from '../clinical/format.ts';
import { useSites } from '../operations/parts.tsx';
import { ViewButton } from '../clinical/view-button.tsx';

type Exam = Schemas['ExamRecord'];

export function MyExamPage(): ReactNode {
  const { id = '' } = useParams();
  const words = useText(patient).exam;
  const asked = useAsked(id, (signal) => ask(api.GET('/exams/{id}', { params: { path: { id } }, signal })));
  return (
    <section className="mine">
      <p>
        <Link to="/my/exams">{words.back}</Link>
      </p>
      <Shown asked={asked}>{(exam) => <ExamShown exam={exam} />}</Shown>
    </section>
  );
}

function ExamShown({ exam }: { readonly exam: Exam }): ReactNode {
  const words = useText(patient);
  const { untitled, cancelled } = useText(clinical).exam;
  const sites = useSites();
  const hasImages = exam.studies.some(({ voided, availability }) => !voided && availability !== 'registered');
  const at = exam.studies[0]?.startedAt ?? exam.orders[0]?.startedAt ?? exam.report?.reportedAt;
  return (
    <>
      <div className="page-head">
        <h1>{titleOf(exam, untitled)}</h1>
        {exam.cancelled ? <span className="closed">{cancelled}</span> : null}
        {hasImages ? <ViewButton examId={exam.examId} primary /> : null}
      </div>
      <Facts
        facts={[
          [words.exam.place, sites.find(({ id }) => id === exam.site)?.name ?? exam.site],
          [words.exam.at, dateTime(at)],
        ]}
      />
      {exam.report === null ? <p className="empty">{words.exam.waiting}</p> : <ReportSection report={exam.report} />}
      <ExamImages exam={exam} />
      <p className="fine">{words.exams.notAdvice}</p>
    </>
  );
}
