/** Who did what to whose data, when, why and from where, for whoever may read the audit; reading it is in it. */
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas } from '../../api.ts';
import type { paths } from '../../../../../openapi/generated/hub.ts';
import { useText } from '../../language.tsx';
import { audit } from '../../text/audit.ts';
import { operations } from '../../text/operations.ts';
import { shell } from '../../text/shell.ts';
import { Facts } from '../administration/parts.tsx';
import { wordOf } from '../clinical/format.ts';
import { stamp, toUtc } from '../operations/format.ts';
import { Choice, Pages, State, TextField, usePages } from '../operations/parts.tsx';

type Query = NonNullable<paths['/audit']['get']['parameters']['query']>;
const EMPTY = { from: '', to: '', action: '', outcome: '', callerId: '', personId: '', face: '' };
type Form = typeof EMPTY;
const FACES = ['rest', 'fhir', 'dicomweb', 'wado', 'dimse', 'hl7v2', 'xds', 'saml', 'http', 'hub'] as const;

function queryOf({ from, to, ...filter }: Form): Query {
  const told = Object.fromEntries(Object.entries(filter).filter(([, value]) => value.trim() !== ''));
  const [since, until] = [toUtc(from), toUtc(to)];
  return { ...told, ...(since === undefined ? {} : { from: since }), ...(until === undefined ? {} : { to: until }) };
}

/** As its fields take them, where a page points here: a case of emergency, a flag. */
const local = (at: string | null): string => (at === null ? '' : stamp(at).slice(0, 16).replace(' ', 'T'));

export function RecordsPage(): ReactNode {
  const all = useText(operations);
  const words = useText(audit);
  const [pointed] = useSearchParams();
  const begun = {
    ...EMPTY,
    callerId: pointed.get('callerId') ?? '',
    personId: pointed.get('personId') ?? '',
    from: local(pointed.get('from')),
    to: local(pointed.get('to')),
  };
  const { purposes } = useText(shell);
  const [form, setForm] = useState<Form>(begun);
  const [filter, setFilter] = useState<Form>(begun);
  const set = (name: keyof Form) => (value: string) => setForm({ ...form, [name]: value });
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
        <TextField label={words.callerId} value={form.callerId} onChange={set('callerId')} />
        <TextField label={words.personId} value={form.personId} onChange={set('personId')} />
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
          {
            title: words.caller,
            render: (_, row) => <Caller row={row} />,
            className: 'ops-break',
          },
          { title: words.operation, render: (_, row) => `${row.face} ${row.operation}`, className: 'ops-break' },
          { title: words.why, render: (_, row) => whyOf(row, purposes), className: 'ops-break' },
          {
            title: words.detail,
            render: (_, row) => <Detail row={row} />,
            className: 'ops-break',
          },
        ]}
      />
    </section>
  );
}

const whyOf = ({ reason, basis, purpose }: Schemas['AuditEntry'], purposes: Readonly<Record<string, string>>): string =>
  [reason, basis, purpose === undefined ? undefined : wordOf(purposes, purpose)]
    .filter((one) => one !== undefined && one !== '')
    .join(' · ');

function Caller({ row }: { readonly row: Schemas['AuditEntry'] }): ReactNode {
  const roles: Readonly<Record<string, string>> = useText(shell).roles;
  const { callerName, callerRole, onBehalfOf: user, peer } = row;
  return (
    <>
      {callerName} ({roles[callerRole] ?? callerRole}){user === undefined ? '' : ` → ${user.userName ?? user.userId}`}{' '}
      <span className="fine">{peer}</span>
    </>
  );
}

function Detail({ row }: { readonly row: Schemas['AuditEntry'] }): ReactNode {
  const words = useText(audit);
  const user = row.onBehalfOf;
  return (
    <details>
      <summary>{words.detail}</summary>
      <Facts
        facts={[
          [words.callerId, row.callerId],
          [words.behalf, user === undefined ? '' : `${user.userName ?? ''} ${user.userId} (${user.issuer})`],
          [words.institution, row.institution],
          [words.purpose, row.purpose],
          [words.basis, row.basis],
          [words.why, row.reason],
          [words.peer, row.peer],
          [words.agent, row.agent],
          [words.session, row.session],
          [words.persons, row.persons.slice(0, 50).join(', ')],
          [words.objects, row.objects.slice(0, 50).join(', ')],
        ]}
      />
    </details>
  );
}
