/** Other exams of the patient to compare this one with, the most alike first. */
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { api, ask } from '../../api.ts';
import { Shown, useAsked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { ExamPlace, ModalityTag, ReportMarks, useExamTitle } from './exam-marks.tsx';

const MOST = 10;

export function Priors({ examId }: { readonly examId: string }): ReactNode {
  const words = useText(clinical).exam;
  const titleOf = useExamTitle();
  const asked = useAsked(examId, (signal) =>
    ask(api.GET('/exams/{id}/priors', { params: { path: { id: examId }, query: { limit: MOST } }, signal })),
  );
  return (
    <section className="panel">
      <h2>{words.priors}</h2>
      <Shown asked={asked}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="fine">{words.noPriors}</p>
          ) : (
            <ul className="line">
              {items.map(({ exam, sameRegion, sameModality, earlier }) => (
                <li key={exam.examId} className="exam-row">
                  <ModalityTag modalities={exam.modalities} />
                  <div className="row-main">
                    <div className="exam-title">
                      <Link to={`/exams/${exam.examId}`}>{titleOf(exam)}</Link>
                      <ReportMarks report={exam.report} />
                    </div>
                    <ExamPlace exam={exam} />{' '}
                    <span className="fine">
                      {[
                        sameRegion ? words.sameRegion : '',
                        sameModality ? words.sameModality : '',
                        earlier ? '' : words.later,
                      ]
                        .filter((part) => part !== '')
                        .join(' · ')}
                    </span>
                  </div>
                  <div className="row-acts">
                    <Link className="as-button" to={`/compare/${examId}/${exam.examId}`}>
                      {words.compare}
                    </Link>
                  </div>
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </section>
  );
}
