/** One exam: the report as it stands and as it was, the images, the order, what to compare it with, and how it came here. */
import { Alert } from 'antd';
import type { ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas } from '../../api.ts';
import { useAsked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { Facts } from './facts.tsx';
import { dateTime, wordOf } from './format.ts';
import { ExamImages } from './exam-images.tsx';
import { PatientLine } from './patient-banner.tsx';
import { Priors } from './priors.tsx';
import { ProvenanceSection } from './provenance.tsx';
import { ReasonFirst } from './reason.tsx';
import { Revisions } from './revisions.tsx';
import { ViewButton } from './view-button.tsx';
import { closedBy, usePersonBefore, WayIn } from './way-in.tsx';

type Exam = Schemas['ExamRecord'];

export function ExamPage(): ReactNode {
  const { id = '' } = useParams();
  const asked = useAsked(id, (signal) => ask(api.GET('/exams/{id}', { params: { path: { id } }, signal })));
  const personId = usePersonBefore();
  const closed = closedBy(asked, 403, 404);
  if (closed !== null) return <WayIn trouble={closed} personId={personId} done={asked.again} />;
  return (
    <ReasonFirst asked={asked} about={{ examId: id }}>
      {(exam) => <ExamShown key={exam.examId} exam={exam} />}
    </ReasonFirst>
  );
}

/** When it was made, as far as anything tells; ISO 8601, empty: nothing does. */
export const timeOf = (exam: Exam): string =>
  exam.studies.find(({ startedAt }) => startedAt !== undefined)?.startedAt ??
  exam.orders[0]?.startedAt ??
  exam.report?.at ??
  exam.orders[0]?.at ??
  '';

/** Where and when, beside the title: on a platform of many hospitals a report without them is nobody's. */
export function ExamOrigin({ exam }: { readonly exam: Exam }): ReactNode {
  const at = dateTime(timeOf(exam));
  return <span className="exam-origin">{at === '' ? exam.siteName : `${exam.siteName} · ${at}`}</span>;
}

export const titleOf = (exam: Exam, untitled: string): string =>
  exam.orders[0]?.procedure?.display ?? exam.studies[0]?.description ?? exam.report?.title ?? untitled;

function ExamShown({ exam }: { readonly exam: Exam }): ReactNode {
  const words = useText(clinical).exam;
  const hasImages = exam.studies.some(({ voided, availability }) => !voided && availability !== 'registered');
  return (
    <>
      <section className="panel patient" aria-label={useText(clinical).person.banner}>
        <PatientLine person={exam.patient} />
        <span className="fine">{exam.patient.localId}</span>
        <Link to={`/persons/${exam.personId}`}>{words.backToTimeline}</Link>
      </section>
      <div className="page-head">
        <h1>{titleOf(exam, words.untitled)}</h1>
        <ExamOrigin exam={exam} />
        {exam.cancelled ? <span className="closed">{words.cancelled}</span> : null}
        {exam.report?.critical === true ? <span className="critical">{words.critical}</span> : null}
        {hasImages ? <ViewButton examId={exam.examId} primary /> : null}
      </div>
      <div className="two">
        <div>
          <ReportSection report={exam.report} />
          <Revisions examId={exam.examId} />
        </div>
        <div>
          <ExamImages exam={exam} />
          <OrderSection exam={exam} />
        </div>
      </div>
      <Priors examId={exam.examId} />
      <ProvenanceSection examId={exam.examId} />
    </>
  );
}

export function ReportSection({ report }: { readonly report: Exam['report'] }): ReactNode {
  const words = useText(clinical).exam;
  if (report === null)
    return (
      <section className="panel">
        <h2>{words.report}</h2>
        <p className="fine">{words.noReport}</p>
      </section>
    );
  const { findings, impression, suggestion } = report;
  return (
    <section className="panel report" aria-labelledby={`report-${report.reportId}`}>
      <h2 id={`report-${report.reportId}`}>
        {words.report} <span className="status">{wordOf(words.statuses, report.status)}</span>{' '}
        {report.critical === true ? <span className="critical">{words.critical}</span> : null}{' '}
        {report.positive === undefined || report.positive === null ? null : (
          <span className={report.positive ? 'positive' : 'fine'}>
            {report.positive ? words.positive : words.negative}
          </span>
        )}
      </h2>
      {report.status === 'preliminary' ? <Alert type="warning" showIcon title={words.unsigned} /> : null}
      <ReportText title={words.findings} text={findings} />
      <ReportText title={words.impression} text={impression} strong />
      <ReportText title={words.suggestion} text={suggestion} />
      <Facts
        facts={[
          [words.reporter, report.reporter],
          [words.reportedAt, dateTime(report.reportedAt)],
          [words.auditor, report.auditor],
          [words.auditedAt, dateTime(report.auditedAt)],
        ]}
      />
    </section>
  );
}

/** As the doctor wrote it: line breaks stand, and nothing in it is ever markup. */
function ReportText(props: {
  readonly title: string;
  readonly text: string | undefined;
  readonly strong?: boolean;
}): ReactNode {
  if (props.text === undefined || props.text === '') return null;
  return (
    <>
      <h3>{props.title}</h3>
      <p className={props.strong === true ? 'text strong' : 'text'}>{props.text}</p>
    </>
  );
}

function OrderSection({ exam }: { readonly exam: Exam }): ReactNode {
  const words = useText(clinical).exam;
  return (
    <section className="panel">
      <h2>{words.order}</h2>
      {exam.orders.length === 0 ? <p className="fine">{words.noOrder}</p> : null}
      {exam.orders.map((order) => (
        <Facts
          key={order.orderId}
          facts={[
            [words.procedure, order.procedure?.display ?? order.procedure?.code],
            [words.bodyPart, order.bodyPart?.display ?? order.bodyPart?.code],
            [words.orderStatus, wordOf(words.orderStatuses, order.status)],
            [words.priority, order.priority === undefined ? undefined : wordOf(words.priorities, order.priority)],
            [words.department, order.requestingDepartment?.display ?? order.requestingDepartment?.code],
            [words.requester, order.requester],
            [words.reason, order.reason],
            [words.diagnosis, order.diagnosis?.display ?? order.diagnosis?.code],
            [words.requestedAt, dateTime(order.requestedAt)],
            [words.scheduledAt, dateTime(order.scheduledAt)],
            [words.at, dateTime(order.startedAt)],
          ]}
        />
      ))}
      <Facts
        facts={[
          [words.accession, exam.keys.accession],
          [words.index, exam.provincialIndex],
        ]}
      />
    </section>
  );
}
