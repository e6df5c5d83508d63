/** What the security administrator's pages share: facts, choices that are ticked, a secret shown once, the life of who is registered. */
import { useId } from 'react';
import type { ReactNode } from 'react';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { useText } from '../../language.tsx';
import { administration } from '../../text/administration.ts';
import { stamp } from '../operations/format.ts';
import { List, WithReason, troubleOf } from '../operations/parts.tsx';

export function Facts(props: { readonly facts: readonly (readonly [name: string, value: ReactNode])[] }): ReactNode {
  return (
    <dl className="ops-facts">
      {props.facts
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function Ticks<T extends string>(props: {
  readonly legend: string;
  readonly choices: readonly (readonly [value: T, text: string])[];
  readonly ticked: readonly T[];
  readonly disabled?: readonly T[];
  readonly onChange: (ticked: readonly T[]) => void;
}): ReactNode {
  const id = useId();
  const { legend, choices, ticked, disabled = [], onChange } = props;
  return (
    <fieldset className="ops-ticks">
      <legend>{legend}</legend>
      {choices.map(([value, text]) => (
        <span key={value}>
          <input
            id={`${id}${value}`}
            type="checkbox"
            checked={ticked.includes(value)}
            disabled={disabled.includes(value)}
            onChange={({ target }) =>
              onChange(target.checked ? [...ticked, value] : ticked.filter((one) => one !== value))
            }
          />
          <label htmlFor={`${id}${value}`}>{text}</label>
        </span>
      ))}
    </fieldset>
  );
}

/** A code by which somebody comes in; it is nowhere else. */
export function Secret(props: {
  readonly label: string;
  readonly code: string;
  readonly until: string | null;
}): ReactNode {
  const words = useText(administration);
  return (
    <p role="status" className="ops-note-line">
      {props.label} <code className="ops-break">{props.code}</code>{' '}
      {props.until === null ? '' : words.until(stamp(props.until))} {words.onlyNow}
    </p>
  );
}

type StandingState = Schemas['Standing'];
type Step = 'approve' | 'refuse' | 'suspend' | 'resume' | 'leave';

const STEPS: Readonly<Record<StandingState, readonly Step[]>> = {
  applied: ['approve', 'refuse'],
  approved: ['suspend', 'leave'],
  suspended: ['resume', 'leave'],
  left: [],
};

/** What may be done next with an institution or a doctor, for a reason. */
export function Steps(props: {
  readonly of: 'institutions' | 'practitioners';
  readonly id: string;
  readonly state: StandingState;
  readonly done: () => void;
}): ReactNode {
  const words = useText(administration);
  const { of, id, state, done } = props;
  const take =
    (step: Step) =>
    async (reason: string): Promise<Trouble | null> => {
      const sent = { params: { path: { id } }, body: { step, reason } };
      const trouble = await troubleOf(
        of === 'institutions'
          ? ask(api.POST('/institutions/{id}/steps', sent))
          : ask(api.POST('/practitioners/{id}/steps', sent)),
      );
      if (trouble === null) done();
      return trouble;
    };
  if (STEPS[state].length === 0) return null;
  return (
    <section className="ops-box">
      <WithReason
        acts={STEPS[state].map((step, at) => ({ text: words.steps[step], primary: at === 0, act: take(step) }))}
      />
    </section>
  );
}

export function History({ entries }: { readonly entries: readonly Schemas['StandingEntry'][] }): ReactNode {
  const words = useText(administration);
  return (
    <>
      <h2>{words.history}</h2>
      <List
        label={words.history}
        rows={entries}
        rowKey={(row) => `${row.at} ${row.step}`}
        columns={[
          { title: words.at, render: (_, row) => stamp(row.at) },
          { title: words.state, render: (_, row) => words.steps[row.step] },
          { title: words.by, dataIndex: 'by', className: 'ops-break' },
          { title: words.reason, dataIndex: 'reason', className: 'ops-break' },
        ]}
      />
    </>
  );
}
