/** Two exams of one patient side by side, the newer on the left; below each other where the screen is narrow. */
import { Alert } from 'antd';
import type { ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Answer, Schemas } from '../../api.ts';
import { Shown, useAsked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { problems } from '../../text/problem.ts';
import { ExamImages } from './exam-images.tsx';
import { ExamOrigin, ReportSection, timeOf, titleOf } from './exam-page.tsx';
import { PatientLine } from './patient-banner.tsx';
import { ViewButton } from './view-button.tsx';

type Exam = Schemas['ExamRecord'];

export function ComparePage(): ReactNode {
  const { id = '', other = '' } = useParams();
  const asked = useAsked(`${id} ${other}`, async (signal): Promise<Answer<readonly [Exam, Exam]>> => {
    const examOf = (of: string): Promise<Answer<Exam>> =>
      ask(api.GET('/exams/{id}', { params: { path: { id: of } }, signal }));
    const [one, two] = await Promise.all([examOf(id), examOf(other)]);
    if (!one.ok) return one;
    return two.ok ? { ok: true, value: [one.value, two.value] } : two;
  });
  return <Shown asked={asked}>{(exams) => <Compared exams={exams} />}</Shown>;
}

function Compared({ exams }: { readonly exams: readonly [Exam, Exam] }): ReactNode {
  const words = useText(clinical);
  const mismatch = useText(problems).code['patient-mismatch'];
  const [newer, older] = [...exams].sort((a, b) => timeOf(b).localeCompare(timeOf(a))) as [Exam, Exam];
  // Two patients are never compared, whatever an address says.
  if (newer.personId !== older.personId) return <Alert type="error" showIcon role="alert" title={mismatch} />;
  const days = Math.round((Date.parse(timeOf(newer)) - Date.parse(timeOf(older))) / 86_400_000);
  return (
    <>
      <section className="panel patient" aria-label={words.person.banner}>
        <PatientLine person={newer.patient} />
        <Link to={`/persons/${newer.personId}`}>{words.exam.backToTimeline}</Link>
        {Number.isNaN(days) ? null : <span className="fine">{words.compare.gap(days)}</span>}
      </section>
      <h1 className="page-head">{words.compare.title}</h1>
      <div className="two equal">
        {[newer, older].map((exam, at) => (
          <article key={exam.examId} aria-labelledby={`exam-${String(at)}`}>
            <div className="page-head">
              <h2 id={`exam-${String(at)}`}>
                <Link to={`/exams/${exam.examId}`}>{titleOf(exam, words.exam.untitled)}</Link>
              </h2>
              <span className="status">{at === 0 ? words.compare.newer : words.compare.older}</span>
              <ExamOrigin exam={exam} />
              {exam.cancelled ? <span className="closed">{words.exam.cancelled}</span> : null}
              {exam.studies.some(({ voided, availability }) => !voided && availability !== 'registered') ? (
                <ViewButton examId={exam.examId} />
              ) : null}
            </div>
            <ReportSection report={exam.report} />
            <ExamImages exam={exam} />
          </article>
        ))}
      </div>
    </>
  );
}
