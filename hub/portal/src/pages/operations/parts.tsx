/** What the operators' pages share: a list with its columns and pages, a filter of sites, a reason that is asked for, states as tags. */
import './operations.css';
import { Button, Input, Tag } from 'antd';
import { useId, useState } from 'react';
import type { ReactNode } from 'react';
import { api, ask } from '../../api.ts';
import type { Answer, Schemas, Trouble } from '../../api.ts';
import { TroubleAlert, useAsked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { operations } from '../../text/operations.ts';
import { shell } from '../../text/shell.ts';
import type { Live } from './live.ts';

export interface Column<T> {
  readonly title: string;
  /** A member of the row that is shown as it is. */
  readonly dataIndex?: keyof T;
  readonly align?: 'right';
  readonly className?: string;
  readonly render?: (value: undefined, row: T) => ReactNode;
}

/**
 * A table that can be reached and scrolled by keyboard; on a phone it scrolls in itself, not the page. A plain one: Ant
 * Design's writes styles without the nonce that the policy of the page asks for.
 */
export function List<T extends object>(props: {
  readonly label: string;
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  readonly columns: readonly Column<T>[];
  readonly rowClassName?: (row: T) => string;
  readonly empty?: string;
}): ReactNode {
  const words = useText(operations);
  const { label, rows, rowKey, columns, rowClassName, empty } = props;
  const classOf = ({ align, className = '' }: Column<T>): string =>
    `${className} ${align === 'right' ? 'ops-number' : ''}`.trim();
  return (
    <div className="ops-scroll" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map((column, at) =>
              column.title === '' ? (
                <td key={at} />
              ) : (
                <th key={at} scope="col" className={classOf(column)}>
                  {column.title}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} data-row-key={rowKey(row)} className={rowClassName?.(row) ?? ''}>
              {columns.map((column, at) => (
                <td key={at} className={classOf(column)}>
                  {cellOf(column, row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 ? <p className="empty">{empty ?? words.none}</p> : null}
    </div>
  );
}

function cellOf<T extends object>({ render, dataIndex }: Column<T>, row: T): ReactNode {
  if (render !== undefined) return render(undefined, row);
  const value: unknown = dataIndex === undefined ? '' : row[dataIndex];
  return typeof value === 'string' || typeof value === 'number' ? value : '';
}

/** Pages that follow each other: all that was shown so far and the way to the next. */
export function usePages<T>(
  key: string,
  question: (
    after: string | undefined,
  ) => Promise<Answer<{ readonly items: readonly T[]; readonly next: string | null }>>,
): {
  readonly rows: readonly T[] | null;
  readonly trouble: Trouble | null;
  readonly next: string | null;
  readonly more: () => void;
  readonly again: () => void;
} {
  const [after, setAfter] = useState<{ readonly of: string; readonly places: readonly string[] }>({
    of: key,
    places: [],
  });
  const places = after.of === key ? after.places : [];
  const [before, setBefore] = useState<{ readonly of: string; readonly rows: readonly T[] }>({ of: key, rows: [] });
  const asked = useAsked(`${key}#${places.join()}`, () => question(places.at(-1)));
  const kept = before.of === key && places.length > 0 ? before.rows : [];
  const page = asked.state === 'answered' ? asked.value : null;
  const rows = page === null ? (kept.length === 0 ? null : kept) : [...kept, ...page.items];
  return {
    rows,
    trouble: asked.state === 'trouble' ? asked.trouble : null,
    next: page?.next ?? null,
    more: () => {
      if (page?.next === null || page === null || rows === null) return;
      setBefore({ of: key, rows });
      setAfter({ of: key, places: [...places, page.next] });
    },
    again: () => {
      setAfter({ of: key, places: [] });
      asked.again();
    },
  };
}

export function Pages<T extends object>(
  props: { readonly pages: ReturnType<typeof usePages<T>> } & Omit<Parameters<typeof List<T>>[0], 'rows'>,
): ReactNode {
  const words = useText(operations);
  const around = useText(shell);
  const { pages, ...list } = props;
  return (
    <>
      {pages.trouble === null ? null : <TroubleAlert trouble={pages.trouble} again={pages.again} />}
      {pages.rows === null ? (
        pages.trouble === null ? (
          <p className="waiting" role="status">
            {around.loading}
          </p>
        ) : null
      ) : (
        <List {...list} rows={pages.rows} />
      )}
      {pages.next === null ? null : (
        <p className="ops-more">
          <Button onClick={pages.more}>{words.more}</Button>
        </p>
      )}
    </>
  );
}

/** What is live, with a word where it is not fresh. */
export function LiveShown<T>(props: { readonly live: Live<T>; readonly children: (value: T) => ReactNode }): ReactNode {
  const words = useText(operations);
  const around = useText(shell);
  const { value, trouble, refresh } = props.live;
  if (value === null)
    return trouble === null ? (
      <p className="waiting" role="status">
        {around.loading}
      </p>
    ) : (
      <TroubleAlert trouble={trouble} again={refresh} />
    );
  return (
    <>
      {trouble === null ? null : (
        <p className="ops-stale" role="status">
          {words.stale}
        </p>
      )}
      {props.children(value)}
    </>
  );
}

export type Site = Schemas['Site'];

export function useSites(): readonly Site[] {
  const asked = useAsked('sites', (signal) => ask(api.GET('/sites', { signal })));
  return asked.state === 'answered' ? asked.value.items : [];
}

/** The name of a site by its id; a dash of words where the sender has none. */
export function useSiteName(): (site: string | null) => string {
  const words = useText(operations);
  const sites = useSites();
  return (site) => (site === null ? words.noSite : (sites.find(({ id }) => id === site)?.name ?? site));
}

/** A native list of choices: it is a keyboard's and a phone's own. '' is any. */
export function Choice(props: {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly (readonly [value: string, text: string])[];
  readonly any?: string;
  readonly onChange: (value: string) => void;
}): ReactNode {
  const id = useId();
  const { label, value, choices, any, onChange } = props;
  return (
    <div className="ops-field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
        {any === undefined ? null : <option value="">{any}</option>}
        {choices.map(([one, text]) => (
          <option key={one} value={one}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

export function SiteChoice(props: { readonly value: string; readonly onChange: (value: string) => void }): ReactNode {
  const words = useText(operations);
  const sites = useSites();
  return (
    <Choice
      label={words.site}
      value={props.value}
      any={words.anySite}
      choices={sites.map(({ id, name }) => [id, name] as const)}
      onChange={props.onChange}
    />
  );
}

export function TextField(props: {
  readonly label: string;
  readonly value: string;
  readonly type?: string;
  readonly hint?: string;
  readonly onChange: (value: string) => void;
}): ReactNode {
  const id = useId();
  return (
    <div className="ops-field">
      <label htmlFor={id}>{props.label}</label>
      <Input
        id={id}
        value={props.value}
        type={props.type ?? 'text'}
        placeholder={props.hint ?? ''}
        onChange={(event) => props.onChange(event.target.value)}
      />
    </div>
  );
}

/** Buttons that want a reason first; they are dead until there is one. */
export function WithReason(props: {
  readonly acts: readonly {
    readonly text: string;
    readonly primary?: boolean;
    readonly act: (reason: string) => Promise<Trouble | null>;
  }[];
}): ReactNode {
  const words = useText(operations);
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const ready = reason.trim().length >= 3 && !busy;
  return (
    <div className="ops-reason">
      {trouble === null ? null : <TroubleAlert trouble={trouble} />}
      <TextField label={words.reason} hint={words.reasonHint} value={reason} onChange={setReason} />
      <div className="ops-acts">
        {props.acts.map(({ text, primary, act }) => (
          <Button
            key={text}
            type={primary === true ? 'primary' : 'default'}
            disabled={!ready}
            onClick={() => {
              setBusy(true);
              void act(reason.trim()).then((wrong) => {
                setBusy(false);
                setTrouble(wrong);
                if (wrong === null) setReason('');
              });
            }}
          >
            {text}
          </Button>
        ))}
      </div>
    </div>
  );
}

const COLOURS: Readonly<Record<string, string>> = {
  applied: 'ops-good',
  done: 'ops-good',
  up: 'ops-good',
  unchanged: 'ops-plain',
  changed: 'ops-note',
  review: 'ops-note',
  waiting: 'ops-note',
  received: 'ops-note',
  running: 'ops-note',
  refused: 'ops-alarm',
  failing: 'ops-alarm',
  down: 'ops-alarm',
};

/** A state in words, with a colour that says nothing by itself. */
export function State(props: { readonly state: string; readonly words: Readonly<Record<string, string>> }): ReactNode {
  return <Tag className={COLOURS[props.state] ?? 'ops-plain'}>{props.words[props.state] ?? props.state}</Tag>;
}

/** The trouble of an act, if any. */
export async function troubleOf(call: Promise<Answer<unknown>>): Promise<Trouble | null> {
  const answer = await call;
  return answer.ok ? null : answer.trouble;
}
