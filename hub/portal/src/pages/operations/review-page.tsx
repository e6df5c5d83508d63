/** One thing that a person must decide: two registrations side by side with what each attribute says, or a message. */
import type { ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { Shown, useAsked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { operations } from '../../text/operations.ts';
import { review as reviewText } from '../../text/review.ts';
import { wordOf } from '../clinical/format.ts';
import { stamp } from './format.ts';
import { List, WithReason, troubleOf, useSiteName } from './parts.tsx';

type Review = Schemas['Review'];
type Registration = Schemas['PersonRegistration'];

export function ReviewPage(): ReactNode {
  const words = useText(operations);
  const id = useParams().id ?? '';
  const asked = useAsked(`review ${id}`, (signal) =>
    ask(api.GET('/reviews/{id}', { params: { path: { id } }, signal })),
  );
  return (
    <section className="ops">
      <p>
        <Link to="/operations/reviews">{words.back}</Link>
      </p>
      <h1>{words.reviews.title}</h1>
      <Shown asked={asked}>
        {(review, again) => (
          <>
            <Why review={review} />
            {review.kind === 'identity' ? <Sides review={review} /> : null}
            {review.state === 'open' ? <Decide review={review} again={again} /> : null}
          </>
        )}
      </Shown>
    </section>
  );
}

function Why({ review }: { readonly review: Review }): ReactNode {
  const words = useText(operations).reviews;
  const { doubt } = useText(reviewText);
  const nameOf = useSiteName();
  return (
    <>
      <p className="ops-problem">
        {review.problem.code === 'identity-doubt' ? (
          <strong>{doubt}</strong>
        ) : (
          <>
            <strong>{review.problem.code}</strong> {review.problem.where} {review.problem.text}
          </>
        )}
      </p>
      <p className="fine">
        {nameOf(review.site)} · {stamp(review.openedAt)} · {words.urgency} {review.urgency}
      </p>
      {review.journalId === null ? null : (
        <p>
          <Link to={`/operations/messages/${review.journalId}`}>{words.message}</Link>
        </p>
      )}
      {review.closed === null ? null : (
        <p role="status">
          {words.closed(review.closed.by)} {review.closed.reason}
        </p>
      )}
      {review.proposal === null ? null : (
        <p role="status" className="ops-note-line">
          {words.proposal(review.proposal.by)}
        </p>
      )}
    </>
  );
}

const SHOWN = ['names', 'sex', 'birthDate', 'residentId', 'phone', 'address', 'localId', 'site'] as const;

const valueOf = (side: Registration | undefined, attribute: (typeof SHOWN)[number]): string => {
  if (side === undefined) return '';
  return attribute === 'names' ? side.names.map(({ text }) => text).join(' / ') : (side[attribute] ?? '');
};

/** The attribute of the registration that a comparison speaks of. */
const COMPARED: Readonly<Record<string, string>> = { names: 'name' };

function Sides({ review }: { readonly review: Review }): ReactNode {
  const words = useText(operations).reviews;
  const { sexes } = useText(clinical).person;
  const { levels, start } = useText(reviewText);
  const nameOf = useSiteName();
  const { reviewId: id } = review;
  const asked = useAsked(`sides ${id}`, (signal) =>
    ask(api.GET('/reviews/{id}/sides', { params: { path: { id } }, signal })),
  );
  return (
    <section className="ops-box">
      <h2>{words.sides}</h2>
      <Shown asked={asked}>
        {({ sides, comparison }) => {
          const said = comparison?.contributions ?? [];
          const shown = (side: Registration | undefined, attribute: (typeof SHOWN)[number]): string => {
            const value = valueOf(side, attribute);
            if (attribute === 'site') return nameOf(side?.site ?? null);
            return attribute === 'sex' ? wordOf(sexes, value) : value;
          };
          const named = SHOWN.map((attribute) => ({
            attribute: attribute,
            one: shown(sides[0], attribute),
            other: shown(sides[1], attribute),
            said: said.find((one) => one.attribute === attribute || one.attribute === COMPARED[attribute]),
          }));
          const rest = said
            .filter((one) => !named.some((row) => row.said === one))
            .map((one) => ({ attribute: one.attribute, one: '', other: '', said: one }));
          return (
            <>
              <List
                label={words.sides}
                rows={[...named, ...rest]}
                rowKey={(row) => row.attribute}
                rowClassName={(row) => (row.said === undefined || row.said.level === 'equal' ? '' : 'ops-found')}
                columns={[
                  {
                    title: words.attribute,
                    render: (_, row) => wordOf(words.attributes, row.attribute),
                  },
                  { title: sides[0]?.localId ?? '1', dataIndex: 'one', className: 'ops-break' },
                  { title: sides[1]?.localId ?? '2', dataIndex: 'other', className: 'ops-break' },
                  { title: words.agreement, render: (_, row) => wordOf(levels, row.said?.level ?? '') },
                  {
                    title: words.contribution,
                    align: 'right',
                    render: (_, row) => (row.said === undefined ? '' : signed(row.said.weight)),
                  },
                ]}
              />
              {comparison === null ? null : (
                <p>
                  {comparison.weight === null ? null : (
                    <span className="fine">
                      {start} {signed(comparison.weight - said.reduce((sum, { weight }) => sum + weight, 0))} ·{' '}
                    </span>
                  )}
                  {words.sum} <strong>{comparison.weight === null ? '–' : signed(comparison.weight)}</strong>
                  {comparison.veto === null ? null : ` · ${words.rule} ${comparison.veto}`}
                </p>
              )}
            </>
          );
        }}
      </Shown>
    </section>
  );
}

const signed = (weight: number): string => `${weight > 0 ? '+' : weight < 0 ? '−' : ''}${Math.abs(weight).toFixed(1)}`;

function Decide({ review, again }: { readonly review: Review; readonly again: () => void }): ReactNode {
  const words = useText(operations).reviews;
  const path = { params: { path: { id: review.reviewId } } };
  const then = async (call: Promise<Trouble | null>): Promise<Trouble | null> => {
    const trouble = await call;
    if (trouble === null) again();
    return trouble;
  };
  const decide = (decision: 'same' | 'not-same') => (reason: string) =>
    then(troubleOf(ask(api.POST('/reviews/{id}/decide', { ...path, body: { decision, reason } }))));
  const dismiss = (reason: string): Promise<Trouble | null> =>
    then(troubleOf(ask(api.POST('/reviews/{id}/dismiss', { ...path, body: { reason } }))));
  const retry = (): Promise<Trouble | null> => then(troubleOf(ask(api.POST('/reviews/{id}/retry', path))));
  const acts =
    review.kind === 'identity'
      ? [
          { text: words.same, primary: true, act: decide('same') },
          { text: words.notSame, act: decide('not-same') },
          { text: words.dismiss, act: dismiss },
        ]
      : [
          { text: words.retry, primary: true, act: retry },
          { text: words.dismiss, act: dismiss },
        ];
  return (
    <section className="ops-box">
      <WithReason acts={acts} />
    </section>
  );
}
