/** Odd access as the rules found it: an auditor takes a flag up, looks at what was done, and closes it with a verdict. */
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { TroubleAlert } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { audit } from '../../text/audit.ts';
import { operations } from '../../text/operations.ts';
import { stamp } from '../operations/format.ts';
import { Choice, Pages, WithReason, troubleOf, usePages } from '../operations/parts.tsx';

type Flag = Schemas['AuditFlag'];

export function FlagsPage(): ReactNode {
  const all = useText(operations);
  const { flags: words, rules } = useText(audit);
  const [state, setState] = useState('open');
  const [rule, setRule] = useState('');
  const query = {
    ...(state === '' ? {} : { state: state as 'open' | 'closed' }),
    ...(rule === '' ? {} : { rule }),
  };
  const pages = usePages(`audit-flags ${JSON.stringify(query)}`, (after) =>
    ask(api.GET('/audit/flags', { params: { query: { ...query, ...(after === undefined ? {} : { after }) } } })),
  );
  return (
    <section className="ops">
      <h1>{words.title}</h1>
      <div className="ops-filter">
        <Choice
          label={words.state}
          any={all.any}
          value={state}
          choices={[
            ['open', words.open],
            ['closed', words.closed],
          ]}
          onChange={setState}
        />
        <Choice
          label={words.rule}
          any={all.any}
          value={rule}
          choices={Object.entries(rules).filter(([one]) => one !== 'break-glass')}
          onChange={setRule}
        />
      </div>
      <Pages
        pages={pages}
        label={words.title}
        rowKey={(row) => row.flagId}
        columns={[
          { title: words.last, render: (_, row) => stamp(row.lastAt) },
          {
            title: words.rule,
            render: (_, row) => (rules as Readonly<Record<string, string>>)[row.rule] ?? row.rule,
          },
          { title: words.who, render: (_, row) => `${row.actorName} ${row.institution ?? ''}`, className: 'ops-break' },
          { title: words.events, dataIndex: 'events', align: 'right' },
          { title: words.explanation, dataIndex: 'explanation', className: 'ops-break' },
          {
            title: words.records,
            render: (_, row) => (
              <Link to={recordsOf(row)} aria-label={`${words.seeRecords}: ${row.actorName}`}>
                {words.seeRecords}
              </Link>
            ),
          },
          {
            title: words.verdict,
            className: 'ops-break',
            render: (_, row) => <Judge flag={row} again={pages.again} />,
          },
        ]}
      />
    </section>
  );
}

/** The caller's records of that time; of a user behind a system the system's. */
const recordsOf = ({ actor, firstAt, lastAt }: Flag): string =>
  `/audit/records?${new URLSearchParams({
    callerId: actor.split('|')[0] ?? actor,
    from: firstAt,
    to: new Date(Date.parse(lastAt) + 60_000).toISOString(),
  }).toString()}`;

function Judge({ flag, again }: { readonly flag: Flag; readonly again: () => void }): ReactNode {
  const words = useText(audit).flags;
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const path = { params: { path: { id: flag.flagId } } };
  const close =
    (verdict: 'proper' | 'improper' | 'unclear') =>
    async (reason: string): Promise<Trouble | null> => {
      const wrong = await troubleOf(ask(api.POST('/audit/flags/{id}/close', { ...path, body: { verdict, reason } })));
      if (wrong === null) again();
      return wrong;
    };
  const take = async (): Promise<void> => {
    const wrong = await troubleOf(ask(api.POST('/audit/flags/{id}/take', path)));
    setTrouble(wrong);
    if (wrong === null) again();
  };
  if (flag.closed !== null) {
    const { by, verdict, reason } = flag.closed;
    const said = (words.verdicts as Readonly<Record<string, string>>)[verdict] ?? verdict;
    return `${words.closedBy(by)}: ${said}${reason === null ? '' : ` · ${reason}`}`;
  }
  return (
    <>
      {trouble === null ? null : <TroubleAlert trouble={trouble} />}
      {flag.taken === null ? (
        <Button onClick={() => void take()}>{words.take}</Button>
      ) : (
        <>
          <p className="fine">{words.takenBy(flag.taken.by)}</p>
          <WithReason
            acts={[
              { text: words.verdicts.proper, act: close('proper') },
              { text: words.verdicts.improper, act: close('improper') },
              { text: words.verdicts.unclear, act: close('unclear') },
            ]}
          />
        </>
      )}
    </>
  );
}
