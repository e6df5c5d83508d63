/** What waits for a person: doubts about who is whom, and messages that could not be applied. */
import type { ReactNode } from 'react';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, ask } from '../../api.ts';
import { useText } from '../../language.tsx';
import { operations } from '../../text/operations.ts';
import { stamp } from './format.ts';
import { Choice, Pages, SiteChoice, usePages, useSiteName } from './parts.tsx';

export function ReviewsPage(): ReactNode {
  const all = useText(operations);
  const words = all.reviews;
  const nameOf = useSiteName();
  const [kind, setKind] = useState<'identity' | 'message'>('identity');
  const [order, setOrder] = useState<'urgent' | 'oldest'>('urgent');
  const [site, setSite] = useState('');
  const query = { kind, order, state: 'open' as const, ...(site === '' ? {} : { site }) };
  const pages = usePages(JSON.stringify(query), (after) =>
    ask(api.GET('/reviews', { params: { query: { ...query, ...(after === undefined ? {} : { after }) } } })),
  );
  return (
    <section className="ops">
      <div className="ops-head">
        <h1>{words.title}</h1>
        <Choice
          label={words.title}
          value={kind}
          choices={Object.entries(words.kinds)}
          onChange={(value) => setKind(value === 'message' ? 'message' : 'identity')}
        />
        <Choice
          label={words.order}
          value={order}
          choices={Object.entries(words.orders)}
          onChange={(value) => setOrder(value === 'oldest' ? 'oldest' : 'urgent')}
        />
        <SiteChoice value={site} onChange={setSite} />
      </div>
      <Pages
        pages={pages}
        label={words.title}
        rowKey={(row) => row.reviewId}
        columns={[
          {
            title: words.openedAt,
            render: (_, row) => <Link to={`/operations/reviews/${row.reviewId}`}>{stamp(row.openedAt)}</Link>,
          },
          { title: all.site, render: (_, row) => nameOf(row.site) },
          { title: words.why, render: (_, row) => `${row.problem.code}: ${row.problem.text}`, className: 'ops-break' },
          {
            title: words.weight,
            align: 'right',
            render: (_, row) => (row.weight === null ? '' : row.weight.toFixed(1)),
          },
          { title: words.rule, render: (_, row) => row.veto ?? '' },
          { title: words.urgency, dataIndex: 'urgency', align: 'right' },
        ]}
      />
    </section>
  );
}
