/** The journal: found by what is known of a message, and put back to work as many as match. */
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas } from '../../api.ts';
import { useText } from '../../language.tsx';
import { operations } from '../../text/operations.ts';
import { bytes, stamp, toUtc } from './format.ts';
import { Choice, Pages, SiteChoice, State, TextField, WithReason, troubleOf, usePages, useSiteName } from './parts.tsx';
import { Preview } from './preview.tsx';

const CHANNELS = ['hl7v2', 'rest', 'dicom', 'dicomweb', 'fhir', 'hl7v3', 'xds'] as const;
const FINDINGS = [
  'unmapped-code',
  'missing-optional',
  'degraded',
  'charset-suspect',
  'invalid-value',
  'identifier-suspect',
  'demographics-differ',
  'stale',
  'candidates-cut',
  'ignored-segment',
  'orphan',
  'conflict',
] as const;

type Filter = Readonly<
  Record<
    'site' | 'channel' | 'state' | 'messageType' | 'controlId' | 'finding' | 'cause' | 'text' | 'from' | 'to',
    string
  >
>;
const EMPTY: Filter = {
  site: '',
  channel: '',
  state: '',
  messageType: '',
  controlId: '',
  finding: '',
  cause: '',
  text: '',
  from: '',
  to: '',
};

type Query = NonNullable<Schemas['WorkFilter']> & { state?: Schemas['JournalState']; controlId?: string };

/** The members that were filled in; the form's values are those of the contract. */
function queryOf({ from, to, ...filter }: Filter): Query {
  const told = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ''));
  const [since, until] = [toUtc(from), toUtc(to)];
  return { ...told, ...(since === undefined ? {} : { from: since }), ...(until === undefined ? {} : { to: until }) };
}

export function MessagesPage(): ReactNode {
  const all = useText(operations);
  const words = all.messages;
  const [params] = useSearchParams();
  const given = Object.fromEntries([...params].filter(([name]) => Object.hasOwn(EMPTY, name)));
  const [form, setForm] = useState<Filter>({ ...EMPTY, ...given });
  const [filter, setFilter] = useState<Filter>(form);
  const set = (name: keyof Filter) => (value: string) => setForm({ ...form, [name]: value });
  const pages = usePages(JSON.stringify(filter), (after) =>
    ask(
      api.GET('/journal', {
        params: { query: { ...queryOf(filter), limit: 50, ...(after === undefined ? {} : { after }) } },
      }),
    ),
  );
  return (
    <section className="ops">
      <h1>{words.title}</h1>
      <form
        className="ops-filter"
        onSubmit={(event) => {
          event.preventDefault();
          setFilter(form);
          pages.again();
        }}
      >
        <SiteChoice value={form.site} onChange={set('site')} />
        <Choice
          label={all.channel}
          any={all.any}
          value={form.channel}
          choices={CHANNELS.map((one) => [one, one])}
          onChange={set('channel')}
        />
        <Choice
          label={words.state}
          any={all.any}
          value={form.state}
          choices={Object.entries(words.states)}
          onChange={set('state')}
        />
        <Choice
          label={words.finding}
          any={all.any}
          value={form.finding}
          choices={FINDINGS.map((one) => [one, one])}
          onChange={set('finding')}
        />
        <TextField label={words.type} value={form.messageType} hint="ADT^A08" onChange={set('messageType')} />
        <TextField label={words.controlId} value={form.controlId} onChange={set('controlId')} />
        <TextField label={words.text} value={form.text} onChange={set('text')} />
        <TextField label={all.from} type="datetime-local" value={form.from} onChange={set('from')} />
        <TextField label={all.to} type="datetime-local" value={form.to} onChange={set('to')} />
        <Button type="primary" htmlType="submit">
          {all.search}
        </Button>
      </form>
      <MessageList pages={pages} />
      <ManyAtOnce filter={filter} />
    </section>
  );
}

function MessageList({ pages }: { readonly pages: ReturnType<typeof usePages<Schemas['JournalSummary']>> }): ReactNode {
  const all = useText(operations);
  const words = all.messages;
  const nameOf = useSiteName();
  return (
    <Pages
      pages={pages}
      label={words.title}
      empty={words.notFound}
      rowKey={(row) => row.journalId}
      columns={[
        {
          title: words.receivedAt,
          render: (_, row) => <Link to={`/operations/messages/${row.journalId}`}>{stamp(row.receivedAt)}</Link>,
        },
        { title: all.site, render: (_, row) => nameOf(row.site) },
        { title: all.channel, dataIndex: 'channel' },
        { title: words.type, dataIndex: 'messageType' },
        { title: words.controlId, dataIndex: 'controlId', className: 'ops-break' },
        { title: words.state, render: (_, row) => <State state={row.state} words={words.states} /> },
        {
          title: words.cause,
          render: (_, row) =>
            row.problem === null
              ? ''
              : `${row.problem.code}${row.problem.where === undefined ? '' : ` · ${row.problem.where}`}`,
        },
        { title: words.findings, dataIndex: 'findingCount', align: 'right' },
        { title: words.size, align: 'right', render: (_, row) => bytes(row.size) },
      ]}
    />
  );
}

/** Retry or replay of all that the filter finds, tried first where one likes. */
function ManyAtOnce({ filter }: { readonly filter: Filter }): ReactNode {
  const words = useText(operations).messages;
  const [tried, setTried] = useState('');
  const [done, setDone] = useState(false);
  const { state: _state, controlId: _controlId, ...work } = queryOf(filter);
  const start = async (kind: 'retry' | 'replay', reason: string): ReturnType<typeof troubleOf> => {
    const trouble = await troubleOf(ask(api.POST('/replays', { body: { kind, reason, filter: work } })));
    setDone(trouble === null);
    return trouble;
  };
  return (
    <details className="ops-many">
      <summary>
        {words.retryAll} / {words.replayAll}
      </summary>
      <Button onClick={() => setTried(JSON.stringify(work))}>{words.preview}</Button>
      {tried === '' ? null : <Preview key={tried} body={{ kind: 'replay', filter: work }} />}
      <WithReason
        acts={[
          { text: words.retryAll, act: (reason) => start('retry', reason) },
          { text: words.replayAll, act: (reason) => start('replay', reason) },
        ]}
      />
      {done ? (
        <p role="status">
          <Link to="/operations/replays">{words.done}</Link>
        </p>
      ) : null}
    </details>
  );
}
