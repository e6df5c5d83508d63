/** Who did what to whose data, for whoever may read the audit; reading it is in it. */
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { api, ask } from '../../api.ts';
import type { paths } from '../../../../../openapi/generated/hub.ts';
import { useText } from '../../language.tsx';
import { figures } from '../../text/operations-figures.ts';
import { operations } from '../../text/operations.ts';
import { stamp, toUtc } from './format.ts';
import { Choice, Pages, State, TextField, usePages } from './parts.tsx';

type Query = NonNullable<paths['/audit']['get']['parameters']['query']>;
const EMPTY = { from: '', to: '', action: '', outcome: '', personId: '', face: '' };
const FACES = ['rest', 'fhir', 'dicomweb', 'wado', 'dimse', 'hl7v2', 'xds', 'http'] as const;

function queryOf({ from, to, ...filter }: typeof EMPTY): Query {
  const told = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ''));
  const [since, until] = [toUtc(from), toUtc(to)];
  return { ...told, ...(since === undefined ? {} : { from: since }), ...(until === undefined ? {} : { to: until }) };
}

export function AuditPage(): ReactNode {
  const all = useText(operations);
  const words = useText(figures).audit;
  const [form, setForm] = useState(EMPTY);
  const [filter, setFilter] = useState(EMPTY);
  const set = (name: keyof typeof EMPTY) => (value: string) => setForm({ ...form, [name]: value });
  const pages = usePages(`audit ${JSON.stringify(filter)}`, (after) =>
    ask(api.GET('/audit', { params: { query: { ...queryOf(filter), ...(after === undefined ? {} : { after }) } } })),
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
        <Choice
          label={words.action}
          any={all.any}
          value={form.action}
          choices={Object.entries(words.actions)}
          onChange={set('action')}
        />
        <Choice
          label={words.outcome}
          any={all.any}
          value={form.outcome}
          choices={Object.entries(words.outcomes)}
          onChange={set('outcome')}
        />
        <Choice
          label={words.face}
          any={all.any}
          value={form.face}
          choices={FACES.map((one) => [one, one])}
          onChange={set('face')}
        />
        <TextField label={all.from} type="datetime-local" value={form.from} onChange={set('from')} />
        <TextField label={all.to} type="datetime-local" value={form.to} onChange={set('to')} />
        <Button type="primary" htmlType="submit">
          {all.search}
        </Button>
      </form>
      <Pages
        pages={pages}
        label={words.title}
        rowKey={(row) => row.id}
        columns={[
          { title: words.at, render: (_, row) => stamp(row.at) },
          {
            title: words.action,
            render: (_, row) => (words.actions as Readonly<Record<string, string>>)[row.action] ?? row.action,
          },
          { title: words.outcome, render: (_, row) => <State state={row.outcome} words={words.outcomes} /> },
          { title: words.caller, render: (_, row) => `${row.callerName} (${row.callerRole}) ${row.peer}` },
          { title: words.operation, render: (_, row) => `${row.face} ${row.operation}`, className: 'ops-break' },
          { title: words.objects, render: (_, row) => row.objects.slice(0, 5).join(', '), className: 'ops-break' },
          { title: words.why, render: (_, row) => row.reason ?? '', className: 'ops-break' },
        ]}
      />
    </section>
  );
}
