/** Codes that no table maps: mapped on the spot, tried before, replayed after, and taken back. */
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { useId, useState } from 'react';
import { Link } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { useAsked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { operations } from '../../text/operations.ts';
import { stamp } from './format.ts';
import { Choice, Pages, SiteChoice, TextField, WithReason, troubleOf, usePages, useSiteName } from './parts.tsx';
import { Preview } from './preview.tsx';

type Unmapped = Schemas['UnmappedCode'];
type Made = Schemas['MappingMade'];

/** What was just done, and whether it was made or taken back. */
interface Done extends Made {
  readonly undone: boolean;
}

export function CodesPage(): ReactNode {
  const words = useText(operations);
  const [site, setSite] = useState('');
  const [table, setTable] = useState('');
  const [chosen, setChosen] = useState<Unmapped | null>(null);
  const [done, setDone] = useState<Done | null>(null);
  const [round, setRound] = useState(0);
  const filter = { ...(site === '' ? {} : { site }), ...(table === '' ? {} : { table }) };
  const finished = (made: Done): void => {
    setDone(made);
    setChosen(null);
    setRound(round + 1);
  };
  return (
    <section className="ops">
      <div className="ops-head">
        <h1>{words.codes.title}</h1>
        <SiteChoice value={site} onChange={setSite} />
        <Choice
          label={words.codes.table}
          any={words.any}
          value={table}
          choices={Object.entries(words.codes.tables)}
          onChange={setTable}
        />
      </div>
      {done === null ? null : <Offer done={done} />}
      {chosen === null ? null : (
        <Mapping
          key={`${chosen.site} ${chosen.table} ${chosen.code}`}
          of={chosen}
          finished={finished}
          cancel={() => setChosen(null)}
        />
      )}
      <UnmappedList key={`u${String(round)}`} filter={filter} choose={setChosen} />
      <MappingList key={`m${String(round)}`} site={site} finished={finished} />
    </section>
  );
}

function UnmappedList(props: {
  readonly filter: { readonly site?: string; readonly table?: string };
  readonly choose: (one: Unmapped) => void;
}): ReactNode {
  const all = useText(operations);
  const words = all.codes;
  const nameOf = useSiteName();
  const { filter, choose } = props;
  const pages = usePages(JSON.stringify(filter), (after) =>
    ask(api.GET('/codes/unmapped', { params: { query: { ...filter, ...(after === undefined ? {} : { after }) } } })),
  );
  return (
    <>
      <h2>{words.unmapped}</h2>
      <Pages
        pages={pages}
        label={words.unmapped}
        empty={words.noneUnmapped}
        rowKey={(row) => `${row.site} ${row.table} ${row.code}`}
        columns={[
          { title: all.site, render: (_, row) => nameOf(row.site) },
          { title: words.table, render: (_, row) => tableName(words.tables, row.table) },
          { title: words.code, render: (_, row) => <code>{row.code}</code> },
          { title: words.display, render: (_, row) => row.display ?? '' },
          { title: words.field, dataIndex: 'field' },
          { title: words.seen, dataIndex: 'seen', align: 'right' },
          { title: words.lastSeen, render: (_, row) => stamp(row.lastSeenAt) },
          {
            title: words.example,
            render: (_, row) => <Link to={`/operations/messages/${row.lastJournalId}`}>{row.lastJournalId}</Link>,
          },
          {
            title: '',
            render: (_, row) => (
              <Button size="small" onClick={() => choose(row)} aria-label={`${words.map} ${row.code}`}>
                {words.map}
              </Button>
            ),
          },
        ]}
      />
    </>
  );
}

const tableName = (tables: Readonly<Record<string, string>>, table: string): string => tables[table] ?? table;

function Mapping(props: {
  readonly of: Unmapped;
  readonly finished: (made: Done) => void;
  readonly cancel: () => void;
}): ReactNode {
  const all = useText(operations);
  const words = all.codes;
  const { of, finished, cancel } = props;
  const [code, setCode] = useState('');
  const [display, setDisplay] = useState('');
  const [tried, setTried] = useState('');
  const wanted = { site: of.site, table: of.table, source: of.code, code, ...(display === '' ? {} : { display }) };
  const save = async (reason: string): Promise<Trouble | null> => {
    const sourceDisplay = of.display === null ? {} : { sourceDisplay: of.display };
    const answer = await ask(api.POST('/codes/mappings', { body: { ...wanted, ...sourceDisplay, reason } }));
    if (answer.ok) finished({ ...answer.value, undone: false });
    return answer.ok ? null : answer.trouble;
  };
  return (
    <section className="ops-box" aria-label={words.mapTitle(of.code)}>
      <h2>
        {words.mapTitle(of.code)} {of.display}
      </h2>
      <Target
        table={of.table}
        value={code}
        choose={(value, name) => {
          setCode(value);
          if (name !== undefined) setDisplay(name);
        }}
      />
      <TextField label={words.targetName} value={display} onChange={setDisplay} />
      <div className="ops-acts">
        <Button disabled={code === ''} onClick={() => setTried(JSON.stringify(wanted))}>
          {all.messages.preview}
        </Button>
        <Button onClick={cancel}>{all.cancel}</Button>
      </div>
      {tried === '' ? null : <Preview key={tried} body={{ mapping: wanted, limit: 10 }} />}
      <WithReason acts={[{ text: words.save, primary: true, act: save }]} />
    </section>
  );
}

/** Written or chosen: the browser's own list of suggestions, which a keyboard and a phone know. */
function Target(props: {
  readonly table: string;
  readonly value: string;
  readonly choose: (code: string, display?: string) => void;
}): ReactNode {
  const words = useText(operations).codes;
  const id = useId();
  const { table, value, choose } = props;
  const asked = useAsked(`${table} ${value}`, (signal) =>
    ask(api.GET('/codes/targets', { params: { query: { table, ...(value === '' ? {} : { text: value }) } }, signal })),
  );
  const items = asked.state === 'answered' ? asked.value.items : [];
  return (
    <div className="ops-field">
      <label htmlFor={id}>{words.target}</label>
      <input
        id={id}
        className="ops-input"
        list={`${id}-list`}
        value={value}
        placeholder={words.targetHint}
        autoComplete="off"
        onChange={(event) => {
          const written = event.target.value;
          choose(written, items.find((item) => item.code === written)?.display);
        }}
      />
      <datalist id={`${id}-list`}>
        {items.map((item) => (
          <option key={item.code} value={item.code}>
            {item.display}
          </option>
        ))}
      </datalist>
      <ul className="ops-targets" aria-label={words.targetHint}>
        {items.slice(0, 8).map((item) => (
          <li key={item.code}>
            <button type="button" className="link" onClick={() => choose(item.code, item.display)}>
              {item.code} {item.display}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** After a mapping was made or taken back: what stands that it concerns can be applied anew. */
function Offer({ done }: { readonly done: Done }): ReactNode {
  const all = useText(operations);
  const words = all.codes;
  const [started, setStarted] = useState(false);
  const { mapping, concerned, undone } = done;
  const replay = async (reason: string): Promise<Trouble | null> => {
    const body = { kind: 'replay' as const, mappingId: mapping.mappingId, reason };
    const trouble = await troubleOf(ask(api.POST('/replays', { body })));
    setStarted(trouble === null);
    return trouble;
  };
  return (
    <section className="ops-box" aria-live="polite">
      <p role="status">
        <code>
          {mapping.source} → {mapping.code}
        </code>{' '}
        {undone ? words.undone(concerned) : words.saved(concerned)}
      </p>
      {started ? (
        <p>
          <Link to="/operations/replays">{all.messages.done}</Link>
        </p>
      ) : concerned > 0 ? (
        <WithReason acts={[{ text: words.replayNow, act: replay }]} />
      ) : null}
    </section>
  );
}

function MappingList(props: { readonly site: string; readonly finished: (made: Done) => void }): ReactNode {
  const all = useText(operations);
  const words = all.codes;
  const nameOf = useSiteName();
  const { site, finished } = props;
  const [undoing, setUndoing] = useState<string | null>(null);
  const pages = usePages(`mappings ${site}`, (after) =>
    ask(
      api.GET('/codes/mappings', {
        params: { query: { ...(site === '' ? {} : { site }), ...(after === undefined ? {} : { after }) } },
      }),
    ),
  );
  const undo = async (id: string, reason: string): Promise<Trouble | null> => {
    const answer = await ask(api.POST('/codes/mappings/{id}/undo', { params: { path: { id } }, body: { reason } }));
    if (answer.ok) finished({ ...answer.value, undone: true });
    return answer.ok ? null : answer.trouble;
  };
  return (
    <>
      <h2>{words.mappings}</h2>
      {undoing === null ? null : (
        <section className="ops-box" aria-label={words.undo}>
          <WithReason acts={[{ text: words.undo, act: (reason) => undo(undoing, reason) }]} />
        </section>
      )}
      <Pages
        pages={pages}
        label={words.mappings}
        rowKey={(row) => row.mappingId}
        columns={[
          { title: all.site, render: (_, row) => nameOf(row.site) },
          { title: words.table, render: (_, row) => tableName(words.tables, row.table) },
          { title: words.code, render: (_, row) => <code>{row.source}</code> },
          { title: words.target, render: (_, row) => `${row.code} ${row.display ?? ''}` },
          { title: words.madeBy, dataIndex: 'madeBy' },
          { title: words.madeAt, render: (_, row) => stamp(row.madeAt) },
          { title: all.reason, dataIndex: 'reason', className: 'ops-break' },
          {
            title: '',
            render: (_, row) =>
              row.undone === null ? (
                <Button
                  size="small"
                  onClick={() => setUndoing(row.mappingId)}
                  aria-label={`${words.undo} ${row.source}`}
                >
                  {words.undo}
                </Button>
              ) : (
                words.undoneBy(row.undone.by)
              ),
          },
        ]}
      />
    </>
  );
}
