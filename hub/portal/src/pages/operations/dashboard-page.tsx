/** Figures over time: intake, latency, failures by cause, completeness by hospital, and where images are. */
import type { ReactNode } from 'react';
import { useMemo, useState } from 'react';
import { api, ask } from '../../api.ts';
import type { Schemas } from '../../api.ts';
import { useText } from '../../language.tsx';
import { figures } from '../../text/operations-figures.ts';
import { operations } from '../../text/operations.ts';
import { Chart } from './chart.tsx';
import { stamp } from './format.ts';
import { useLive } from './live.ts';
import { Choice, List, LiveShown, SiteChoice, useSiteName } from './parts.tsx';

const HOUR_MS = 3_600_000;
const RANGES = { day: 24 * HOUR_MS, week: 7 * 24 * HOUR_MS, month: 31 * 24 * HOUR_MS } as const;
type Range = keyof typeof RANGES;
const EVERY_MS = 30_000;

/** To the end of this hour, so that what comes now is in it. */
function rangeOf(range: Range): { from: string; to: string } {
  const to = Math.ceil((Date.now() + 1) / HOUR_MS) * HOUR_MS;
  return { from: new Date(to - RANGES[range]).toISOString(), to: new Date(to).toISOString() };
}

export function DashboardPage(): ReactNode {
  const words = useText(figures).dashboard;
  const [site, setSite] = useState('');
  const [range, setRange] = useState<Range>('day');
  const query = (): { from: string; to: string; site?: string } => ({
    ...rangeOf(range),
    ...(site === '' ? {} : { site }),
  });
  const intake = useLive(`intake ${site} ${range}`, EVERY_MS, () =>
    ask(api.GET('/operations/intake', { params: { query: query() } })),
  );
  const complete = useLive(`complete ${site} ${range}`, EVERY_MS, () =>
    ask(api.GET('/operations/completeness', { params: { query: query() } })),
  );
  return (
    <section className="ops">
      <div className="ops-head">
        <h1>{words.title}</h1>
        <Choice
          label={words.range}
          value={range}
          choices={Object.entries(words.ranges)}
          onChange={(value) => setRange(value as Range)}
        />
        <SiteChoice value={site} onChange={setSite} />
      </div>
      <LiveShown live={intake}>{(value) => <Intake value={value} />}</LiveShown>
      <LiveShown live={complete}>{(value) => <Complete value={value} />}</LiveShown>
    </section>
  );
}

function Intake({ value }: { readonly value: Schemas['IntakeOverTime'] }): ReactNode {
  const all = useText(operations);
  const words = useText(figures).dashboard;
  const nameOf = useSiteName();
  const at = useMemo(() => value.steps.map((step) => stamp(step.at).slice(5, value.step === 'day' ? 10 : 16)), [value]);
  return (
    <div className="ops-charts">
      <figure>
        <figcaption>{words.intake}</figcaption>
        <Chart
          label={words.intake}
          kind="bar"
          at={at}
          series={[
            { name: words.messages, values: value.steps.map((step) => step.messages) },
            { name: words.images, values: value.steps.map((step) => step.images) },
            { name: words.failed, values: value.steps.map((step) => step.refused + step.review) },
          ]}
        />
      </figure>
      <figure>
        <figcaption>{words.latency}</figcaption>
        <Chart
          label={words.latency}
          kind="line"
          at={at}
          series={[
            { name: words.p50, values: value.steps.map((step) => step.p50Ms) },
            { name: words.p95, values: value.steps.map((step) => step.p95Ms) },
          ]}
        />
      </figure>
      <details>
        <summary>{words.numbers}</summary>
        <List
          label={words.intake}
          rows={value.steps}
          rowKey={(row) => row.at}
          columns={[
            { title: words.at, render: (_, row) => stamp(row.at) },
            { title: words.messages, dataIndex: 'messages', align: 'right' },
            { title: words.images, dataIndex: 'images', align: 'right' },
            { title: words.applied, dataIndex: 'applied', align: 'right' },
            { title: words.refused, dataIndex: 'refused', align: 'right' },
            { title: words.review, dataIndex: 'review', align: 'right' },
            { title: words.p50, align: 'right', render: (_, row) => row.p50Ms ?? '–' },
            { title: words.p95, align: 'right', render: (_, row) => row.p95Ms ?? '–' },
          ]}
        />
      </details>
      <h2>{all.site}</h2>
      <List
        label={`${words.intake} · ${all.site}`}
        rows={value.bySite}
        rowKey={(row) => row.site ?? ''}
        columns={[
          { title: all.site, render: (_, row) => nameOf(row.site) },
          { title: words.messages, dataIndex: 'messages', align: 'right' },
          { title: words.images, dataIndex: 'images', align: 'right' },
          { title: words.failed, dataIndex: 'failed', align: 'right' },
        ]}
      />
      <h2>{words.causes}</h2>
      <List
        label={words.causes}
        rows={[...value.causes].sort((a, b) => b.entries - a.entries)}
        rowKey={(row) => `${row.site ?? ''} ${row.cause}`}
        columns={[
          { title: all.site, render: (_, row) => nameOf(row.site) },
          { title: all.messages.cause, dataIndex: 'cause' },
          { title: words.entries, dataIndex: 'entries', align: 'right' },
        ]}
      />
    </div>
  );
}

function Complete({ value }: { readonly value: Schemas['Completeness'] }): ReactNode {
  const all = useText(operations);
  const words = useText(figures).dashboard;
  const nameOf = useSiteName();
  return (
    <>
      <h2>{words.completeness}</h2>
      <List
        label={words.completeness}
        rows={value.exams}
        rowKey={(row) => `${row.site} ${row.modality}`}
        columns={[
          { title: all.site, render: (_, row) => nameOf(row.site) },
          { title: words.modality, render: (_, row) => row.modality || words.unknownModality },
          { title: words.exams, dataIndex: 'exams', align: 'right' },
          { title: words.complete, dataIndex: 'complete', align: 'right' },
          {
            title: words.rate,
            align: 'right',
            render: (_, row) => (row.exams === 0 ? '–' : `${((100 * row.complete) / row.exams).toFixed(1)}%`),
          },
          { title: words.ordersWithoutReport, dataIndex: 'ordersWithoutReport', align: 'right' },
          { title: words.reportsWithoutImages, dataIndex: 'reportsWithoutImages', align: 'right' },
          { title: words.imagesWithoutOrder, dataIndex: 'imagesWithoutOrder', align: 'right' },
          { title: words.cancelled, dataIndex: 'cancelled', align: 'right' },
        ]}
      />
      <h2>{words.holdings}</h2>
      <List
        label={words.holdings}
        rows={value.images}
        rowKey={(row) => `${row.site} ${row.availability}`}
        columns={[
          { title: all.site, render: (_, row) => nameOf(row.site) },
          {
            title: words.holdings,
            render: (_, row) =>
              (words.availability as Readonly<Record<string, string>>)[row.availability] ?? row.availability,
          },
          { title: words.studies, dataIndex: 'studies', align: 'right' },
          { title: words.images, dataIndex: 'images', align: 'right' },
        ]}
      />
    </>
  );
}
