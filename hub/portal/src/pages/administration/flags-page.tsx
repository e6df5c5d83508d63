/** Flags of accounts: the security administrator's worklist, and for everybody those of the own account that ask for a word. */
import type { ReactNode } from 'react';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { useText } from '../../language.tsx';
import { administration } from '../../text/administration.ts';
import { audit } from '../../text/audit.ts';
import { operations } from '../../text/operations.ts';
import { stamp } from '../operations/format.ts';
import { Choice, Pages, WithReason, troubleOf, usePages } from '../operations/parts.tsx';
import type { Column } from '../operations/parts.tsx';

type OwnFlag = Schemas['OwnFlag'];

function useColumns(): readonly Column<OwnFlag>[] {
  const all = useText(administration);
  const words = all.flags;
  const rules: Readonly<Record<string, string>> = useText(audit).rules;
  return [
    { title: all.at, render: (_, row) => stamp(row.at) },
    { title: words.rule, render: (_, row) => rules[row.rule] ?? row.rule },
    { title: words.severity, render: (_, row) => words.severities[row.severity] },
    { title: words.reaction, render: (_, row) => words.reactions[row.reaction] },
    { title: words.note, dataIndex: 'note', className: 'ops-break' },
  ];
}

export function AccountFlagsPage(): ReactNode {
  const all = useText(administration);
  const words = all.flags;
  const any = useText(operations).any;
  const columns = useColumns();
  const [state, setState] = useState('open');
  const pages = usePages(`account-flags ${state}`, (after) =>
    ask(
      api.GET('/account-flags', {
        params: {
          query: {
            ...(state === '' ? {} : { state: state as 'open' | 'closed' }),
            ...(after === undefined ? {} : { after }),
          },
        },
      }),
    ),
  );
  const close =
    (id: string) =>
    async (note: string): Promise<Trouble | null> => {
      const trouble = await troubleOf(
        ask(api.POST('/account-flags/{id}/close', { params: { path: { id } }, body: { note } })),
      );
      if (trouble === null) pages.again();
      return trouble;
    };
  return (
    <section className="ops">
      <h1>{words.title}</h1>
      <div className="ops-filter">
        <Choice
          label={all.state}
          any={any}
          value={state}
          choices={[
            ['open', words.open],
            ['closed', words.closed],
          ]}
          onChange={setState}
        />
      </div>
      <Pages
        pages={pages}
        label={words.title}
        rowKey={(row) => row.flagId}
        columns={[
          {
            title: words.account,
            render: (_, row) => <Link to={`/administration/accounts/${row.accountId}`}>{row.accountName}</Link>,
          },
          ...columns,
          {
            title: words.explanation,
            render: (_, row) =>
              row.explanation === null ? '' : `${row.explanation.text} (${stamp(row.explanation.at)})`,
            className: 'ops-break',
          },
          {
            title: words.close,
            className: 'ops-break',
            render: (_, row) =>
              row.closed === null ? (
                <WithReason acts={[{ text: words.close, act: close(row.flagId) }]} />
              ) : (
                `${words.closedBy(row.closed.by)}: ${row.closed.note}`
              ),
          },
        ]}
      />
    </section>
  );
}

export function OwnFlagsPage(): ReactNode {
  const words = useText(administration).flags;
  const columns = useColumns();
  const pages = usePages('own-flags', (after) =>
    ask(api.GET('/my-flags', { params: { query: after === undefined ? {} : { after } } })),
  );
  const explain =
    (id: string) =>
    async (text: string): Promise<Trouble | null> => {
      const trouble = await troubleOf(
        ask(api.POST('/my-flags/{id}/explain', { params: { path: { id } }, body: { text } })),
      );
      if (trouble === null) pages.again();
      return trouble;
    };
  return (
    <section className="ops">
      <h1>{words.mine}</h1>
      <p className="fine">{words.mineHint}</p>
      <Pages
        pages={pages}
        label={words.mine}
        rowKey={(row) => row.flagId}
        columns={[
          ...columns,
          {
            title: words.explanation,
            className: 'ops-break',
            render: (_, row) =>
              row.explanation !== null ? (
                row.explanation.text
              ) : row.closed === null ? (
                <WithReason acts={[{ text: words.explain, primary: true, act: explain(row.flagId) }]} />
              ) : (
                words.closedBy(row.closed.by)
              ),
          },
        ]}
      />
    </section>
  );
}
