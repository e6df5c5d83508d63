/** Emergencies that somebody else than the doctor looks at by the next working day: why, what was read, and the verdict. */
import type { ReactNode } from 'react';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { useText } from '../../language.tsx';
import { useSession } from '../../session.tsx';
import { administration } from '../../text/administration.ts';
import { audit } from '../../text/audit.ts';
import { operations } from '../../text/operations.ts';
import { Facts } from '../administration/parts.tsx';
import { stamp } from '../operations/format.ts';
import { Choice, WithReason, troubleOf, usePages } from '../operations/parts.tsx';
import { shell } from '../../text/shell.ts';
import { TroubleAlert } from '../../asking.tsx';
import { Button } from 'antd';

type Case = Schemas['BreakGlass'];
type State = 'open' | 'overdue' | 'reviewed';

export function EmergenciesPage(): ReactNode {
  const all = useText(operations);
  const around = useText(shell);
  const words = useText(audit).emergency;
  const stateWord = useText(administration).state;
  const [state, setState] = useState<State | ''>('open');
  const pages = usePages(`break-glass ${state}`, (after) =>
    ask(
      api.GET('/break-glass', {
        params: { query: { ...(state === '' ? {} : { state }), ...(after === undefined ? {} : { after }) } },
      }),
    ),
  );
  return (
    <section className="ops">
      <h1>{words.title}</h1>
      <div className="ops-filter">
        <Choice
          label={stateWord}
          any={all.any}
          value={state}
          choices={Object.entries(words.states)}
          onChange={(value) => setState(value as State | '')}
        />
      </div>
      {pages.trouble === null ? null : <TroubleAlert trouble={pages.trouble} again={pages.again} />}
      {pages.rows === null ? (
        pages.trouble === null ? (
          <p className="waiting" role="status">
            {around.loading}
          </p>
        ) : null
      ) : pages.rows.length === 0 ? (
        <p className="empty">{all.none}</p>
      ) : (
        pages.rows.map((one) => <OneCase key={one.grantId} one={one} again={pages.again} />)
      )}
      {pages.next === null ? null : (
        <p className="ops-more">
          <Button onClick={pages.more}>{all.more}</Button>
        </p>
      )}
    </section>
  );
}

function OneCase({ one, again }: { readonly one: Case; readonly again: () => void }): ReactNode {
  const words = useText(audit).emergency;
  const at = useText(audit);
  const { session } = useSession();
  const { review } = one;
  const overdue = review.outcome === null && Date.parse(review.dueAt) <= Date.now();
  const judge =
    (outcome: 'justified' | 'unjustified') =>
    async (note: string): Promise<Trouble | null> => {
      const trouble = await troubleOf(
        ask(api.POST('/break-glass/{id}/review', { params: { path: { id: one.grantId } }, body: { outcome, note } })),
      );
      if (trouble === null) again();
      return trouble;
    };
  return (
    <article className="ops-box" aria-label={`${one.accountName} ${stamp(one.at)}`}>
      <h2>
        {one.accountName} · {words.reasons[one.reason]}
      </h2>
      <Facts
        facts={[
          [at.at, stamp(one.at)],
          [words.until, stamp(one.endedAt ?? one.until)],
          [at.institution, one.institution],
          [words.text, one.text],
          [words.due, `${stamp(review.dueAt)}${overdue ? ` (${words.overdue})` : ''}`],
        ]}
      />
      {session?.role === 'auditor' || session?.role === 'administrator' ? (
        <p>
          <Link to={readingsOf(one)}>{words.read}</Link>
        </p>
      ) : null}
      {review.outcome === null ? (
        <WithReason
          acts={[
            { text: words.justified, primary: true, act: judge('justified') },
            { text: words.unjustified, act: judge('unjustified') },
          ]}
        />
      ) : (
        <p role="status">
          {words.reviewed(review.outcome === 'justified' ? words.justified : words.unjustified, review.by ?? '')}{' '}
          {review.note}
        </p>
      )}
    </article>
  );
}

const readingsOf = ({ accountId, personId, at, until }: Case): string =>
  `/audit/records?${new URLSearchParams({ callerId: accountId, personId, from: at, to: until }).toString()}`;
