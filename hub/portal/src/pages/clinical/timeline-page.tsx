/** Every exam of a patient at every hospital on one line, newest first. */
import { Button } from 'antd';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Answer, Schemas, Trouble } from '../../api.ts';
import { TroubleAlert, useKept } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { ExamPlace, ModalityTag, ReportMarks, useExamTitle } from './exam-marks.tsx';
import { dateTime, wordOf } from './format.ts';
import { PatientBanner } from './patient-banner.tsx';
import { ReasonFirst } from './reason.tsx';
import { ViewButton } from './view-button.tsx';
import { closedBy, WayIn } from './way-in.tsx';

type Exam = Schemas['TimelineExam'];
type Region = Schemas['BodyRegion'];

interface Filters {
  readonly modality: string;
  readonly region: string;
  readonly site: string;
  readonly period: 'all' | 'year1' | 'year3' | 'year5';
}

const NONE: Filters = { modality: '', region: '', site: '', period: 'all' };
const YEARS = { all: 0, year1: 1, year3: 3, year5: 5 } as const;
const PAGE = 50;

export function TimelinePage(): ReactNode {
  const { id = '' } = useParams();
  const [filters, setFilters] = useState(NONE);
  const { timeline } = useText(clinical);
  const asked = useKept(id, `${id} ${JSON.stringify(filters)}`, (signal) =>
    ask(api.GET('/persons/{id}/timeline', { params: { path: { id }, query: queryOf(filters) }, signal })),
  );
  const closed = closedBy(asked, 403);
  if (closed !== null) return <WayIn trouble={closed} personId={id} done={asked.again} />;
  return (
    <ReasonFirst asked={asked} about={{ personId: id }}>
      {(answer) => (
        <>
          <h1 className="sr-only">{timeline.title}</h1>
          <PatientBanner person={answer.person} />
          <FilterBar facets={answer.facets} filters={filters} total={answer.total} change={setFilters} />
          <Exams
            first={answer}
            after={(mark) =>
              ask(
                api.GET('/persons/{id}/timeline', {
                  params: { path: { id }, query: { ...queryOf(filters), after: mark } },
                }),
              )
            }
          />
        </>
      )}
    </ReasonFirst>
  );
}

interface Part {
  readonly items: readonly Exam[];
  readonly next: string | null;
}

/** The first page and those that were asked for behind it; another first page, and they are another's. */
function Exams(props: { readonly first: Part; readonly after: (mark: string) => Promise<Answer<Part>> }): ReactNode {
  const { first, after } = props;
  const words = useText(clinical).timeline;
  const [more, setMore] = useState<(Part & { readonly behind: Part }) | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [busy, setBusy] = useState(false);
  const behind = more?.behind === first ? more : { items: [], next: first.next };
  const load = async (mark: string): Promise<void> => {
    setBusy(true);
    const answer = await after(mark);
    setBusy(false);
    setTrouble(answer.ok ? null : answer.trouble);
    if (answer.ok) setMore({ behind: first, items: [...behind.items, ...answer.value.items], next: answer.value.next });
  };
  const { next } = behind;
  return (
    <>
      <Line exams={[...first.items, ...behind.items]} />
      {trouble === null ? null : <TroubleAlert trouble={trouble} />}
      {next === null ? null : (
        <Button loading={busy} onClick={() => void load(next)}>
          {words.more}
        </Button>
      )}
    </>
  );
}

function queryOf({ modality, region, site, period }: Filters) {
  const years = YEARS[period];
  const from = new Date();
  from.setFullYear(from.getFullYear() - years);
  return {
    limit: PAGE,
    ...(modality === '' ? {} : { modality }),
    ...(region === '' ? {} : { region: region as Region }),
    ...(site === '' ? {} : { site }),
    ...(years === 0 ? {} : { from: from.toISOString() }),
  };
}

function FilterBar(props: {
  readonly facets: Readonly<Record<'modalities' | 'regions' | 'sites', readonly Schemas['Facet'][]>>;
  readonly filters: Filters;
  readonly total: number;
  readonly change: (filters: Filters) => void;
}): ReactNode {
  const { facets, filters, total, change } = props;
  const words = useText(clinical);
  const line = words.timeline;
  const choose = (
    name: 'modality' | 'region' | 'site',
    options: readonly Schemas['Facet'][],
    label: (facet: Schemas['Facet']) => string,
  ): ReactNode => (
    <label>
      {line[name]}
      <select value={filters[name]} onChange={(event) => change({ ...filters, [name]: event.target.value })}>
        <option value="">{line.all}</option>
        {options.map((facet) => (
          <option key={facet.value} value={facet.value}>
            {`${label(facet)} (${String(facet.count)})`}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <form className="filters" aria-label={line.filters} onSubmit={(event) => event.preventDefault()}>
      {choose('modality', facets.modalities, ({ value }) => wordOf(words.modalities, value))}
      {choose('region', facets.regions, ({ value }) => wordOf(words.regions, value))}
      {choose('site', facets.sites, ({ label }) => label)}
      <label>
        {line.period}
        <select
          value={filters.period}
          onChange={(event) => change({ ...filters, period: event.target.value as Filters['period'] })}
        >
          {(['all', 'year1', 'year3', 'year5'] as const).map((period) => (
            <option key={period} value={period}>
              {line.periods[period]}
            </option>
          ))}
        </select>
      </label>
      <span className="filters-total" role="status">
        {line.total(total)}
      </span>
      {JSON.stringify(filters) === JSON.stringify(NONE) ? null : (
        <Button type="link" onClick={() => change(NONE)}>
          {line.clear}
        </Button>
      )}
    </form>
  );
}

/** Exams by year, each with a box to choose it for comparing; two chosen ones can be compared. */
function Line({ exams }: { readonly exams: readonly Exam[] }): ReactNode {
  const words = useText(clinical).timeline;
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const navigate = useNavigate();
  if (exams.length === 0) return <p className="empty">{words.none}</p>;
  // The year of the clock that the row shows: seven in the morning of New Year's Day is the old year in UTC.
  const yearOf = ({ at }: Exam): string => dateTime(at).slice(0, 4) || words.undated;
  const years = [...new Set(exams.map(yearOf))];
  // The last two that were chosen count.
  const choose = (examId: string, on: boolean): void =>
    setChosen([...chosen.filter((one) => one !== examId), ...(on ? [examId] : [])].slice(-2));
  const [one = '', other = ''] = exams.map(({ examId }) => examId).filter((examId) => chosen.includes(examId));
  return (
    <>
      {years.map((year) => (
        <section key={year} className="year">
          <h2>{year}</h2>
          <ol className="line">
            {exams
              .filter((exam) => yearOf(exam) === year)
              .map((exam) => (
                <ExamRow
                  key={exam.examId}
                  exam={exam}
                  chosen={chosen.includes(exam.examId)}
                  choose={(on) => choose(exam.examId, on)}
                />
              ))}
          </ol>
        </section>
      ))}
      {exams.length < 2 ? null : (
        <div className="compare-bar">
          <Button type="primary" disabled={other === ''} onClick={() => void navigate(`/compare/${one}/${other}`)}>
            {words.compare}
          </Button>
          <span className="fine">{words.pickTwo}</span>
        </div>
      )}
    </>
  );
}

function ExamRow(props: {
  readonly exam: Exam;
  readonly chosen: boolean;
  readonly choose: (on: boolean) => void;
}): ReactNode {
  const { exam } = props;
  const words = useText(clinical);
  const title = useExamTitle()(exam);
  const { id: personId } = useParams();
  return (
    <li className={exam.report?.critical === true ? 'exam-row is-critical' : 'exam-row'}>
      <input
        type="checkbox"
        className="pick"
        checked={props.chosen}
        aria-label={words.timeline.pick(title)}
        onChange={(event) => props.choose(event.target.checked)}
      />
      <ModalityTag modalities={exam.modalities} />
      <div className="row-main">
        <div className="exam-title">
          <Link to={`/exams/${exam.examId}`} state={{ personId }}>
            {title}
          </Link>
          {exam.cancelled ? <span className="closed">{words.exam.cancelled}</span> : null}
          <ReportMarks report={exam.report} />
        </div>
        <ExamPlace exam={exam} />
        {exam.report === null || exam.report.impression === '' ? null : (
          <p className="impression">{exam.report.impression}</p>
        )}
      </div>
      <div className="row-acts">
        {exam.images === null ? (
          <span className="fine">{words.exam.noImages}</span>
        ) : (
          <>
            <span className="fine">
              {exam.images.instances > 0
                ? words.exam.instances(exam.images.instances)
                : words.exam.availability[exam.images.availability]}
            </span>
            {exam.images.availability === 'registered' ? null : <ViewButton examId={exam.examId} />}
          </>
        )}
      </div>
    </li>
  );
}
