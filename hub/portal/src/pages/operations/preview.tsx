/** What applying messages anew would change, before anybody does it. */
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { api, ask } from '../../api.ts';
import type { paths } from '../../../../../openapi/generated/hub.ts';
import { Shown, useAsked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { operations } from '../../text/operations.ts';
import { List, State } from './parts.tsx';

type Body = paths['/replays/preview']['post']['requestBody']['content']['application/json'];

export function Preview({ body }: { readonly body: Body }): ReactNode {
  const words = useText(operations).messages;
  const asked = useAsked(JSON.stringify(body), (signal) => ask(api.POST('/replays/preview', { body, signal })));
  return (
    <section className="ops-preview" aria-label={words.previewTitle}>
      <h3>{words.previewTitle}</h3>
      <Shown asked={asked}>
        {({ concerned, entries }) => (
          <>
            <p role="status">{words.concerned(concerned)}</p>
            {entries.map((entry) => (
              <div key={entry.journalId} className="ops-tried">
                <p>
                  <Link to={`/operations/messages/${entry.journalId}`}>{words.one(entry.journalId)}</Link>{' '}
                  <State state={entry.outcome} words={words.outcomes} />{' '}
                  {entry.problem === null ? null : `${entry.problem.code}: ${entry.problem.text}`}
                </p>
                {entry.changes.length === 0 ? null : (
                  <List
                    label={words.one(entry.journalId)}
                    rows={entry.changes}
                    rowKey={(change) => `${change.id} ${change.field}`}
                    columns={[
                      { title: '', render: (_, change) => words.subject[change.subject] },
                      { title: words.field, dataIndex: 'field' },
                      { title: words.before, render: (_, change) => change.before ?? '–', className: 'ops-break' },
                      { title: words.after, render: (_, change) => change.after ?? '–', className: 'ops-break' },
                    ]}
                  />
                )}
              </div>
            ))}
          </>
        )}
      </Shown>
    </section>
  );
}
