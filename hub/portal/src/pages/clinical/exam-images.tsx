/** The series of an exam with a picture of each, and whether the images are here. */
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Schemas } from '../../api.ts';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';

type Exam = Schemas['ExamRecord'];
type Study = Exam['studies'][number];
type Series = NonNullable<Study['series']>[number];
/** Series without pictures of the patient. */
const NO_PICTURE = new Set(['SR', 'PR', 'KO', 'DOC', 'AU', 'REG']);

export function ExamImages({ exam }: { readonly exam: Exam }): ReactNode {
  const words = useText(clinical).exam;
  const studies = exam.studies.filter(({ voided }) => !voided);
  return (
    <section className="panel">
      <h2>{words.images}</h2>
      {studies.length === 0 ? <p className="fine">{words.noImages}</p> : null}
      {studies.map((study) => (
        <StudyShown key={study.studyInstanceUid} study={study} />
      ))}
    </section>
  );
}

function StudyShown({ study }: { readonly study: Study }): ReactNode {
  const words = useText(clinical).exam;
  const { availability, seriesCount, instanceCount, series = [] } = study;
  return (
    <>
      <p>
        <span className={`availability ${availability}`}>{words.availability[availability]}</span>{' '}
        {instanceCount === 0 ? null : (
          <span className="fine">
            {words.series(seriesCount)} · {words.instances(instanceCount)}
          </span>
        )}
      </p>
      <ul className="series">
        {series.map((one) => (
          <li key={one.seriesInstanceUid}>
            <Thumbnail study={study.studyInstanceUid} series={one} />
            <SeriesWords series={one} />
          </li>
        ))}
      </ul>
    </>
  );
}

function SeriesWords({ series }: { readonly series: Series }): ReactNode {
  const words = useText(clinical).exam;
  return (
    <>
      <span className="series-title">
        {series.modality} {series.description ?? words.seriesTitle(String(series.number ?? ''))}
      </span>
      <span className="fine">{words.instances(series.instanceCount)}</span>
    </>
  );
}

/** Drawn by the hub from the middle of the series, with the reader's own session. */
function Thumbnail({ study, series }: { readonly study: string; readonly series: Series }): ReactNode {
  const words = useText(clinical).exam;
  const [failed, setFailed] = useState(false);
  const title = series.description ?? words.seriesTitle(String(series.number ?? ''));
  if (failed || NO_PICTURE.has(series.modality)) return <span className="no-picture">{series.modality}</span>;
  return (
    <img
      loading="lazy"
      width={96}
      height={96}
      alt={words.thumbnail(title)}
      src={`/dicomweb/studies/${study}/series/${series.seriesInstanceUid}/thumbnail`}
      onError={() => setFailed(true)}
    />
  );
}
