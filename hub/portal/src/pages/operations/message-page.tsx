/** One message: its fate, what was found, the message decoded and masked, and what can be done with it. */
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { Shown, TroubleAlert, useAsked } from '../../asking.tsx';
import { useLanguage, useText } from '../../language.tsx';
import { operations } from '../../text/operations.ts';
import { bytes, stamp } from './format.ts';
import { List, State, WithReason, troubleOf, useSiteName } from './parts.tsx';
import { Preview } from './preview.tsx';

type Entry = Schemas['JournalEntry'];
type Decoded = Schemas['DecodedMessage'];

export function MessagePage(): ReactNode {
  const words = useText(operations);
  const id = useParams().id ?? '';
  const path = { params: { path: { id } } };
  const asked = useAsked(`message ${id}`, (signal) => ask(api.GET('/journal/{id}', { ...path, signal })));
  return (
    <section className="ops">
      <p>
        <Link to="/operations/messages">{words.back}</Link>
      </p>
      <h1>{words.messages.one(id)}</h1>
      <Shown asked={asked}>
        {(entry, again) => (
          <>
            <Facts entry={entry} />
            <Acts entry={entry} again={again} />
            <DecodedMessage id={id} />
            <Raw id={id} />
          </>
        )}
      </Shown>
    </section>
  );
}

function Facts({ entry }: { readonly entry: Entry }): ReactNode {
  const all = useText(operations);
  const words = all.messages;
  const nameOf = useSiteName();
  const facts: readonly (readonly [string, ReactNode])[] = [
    [words.state, <State key="state" state={entry.state} words={words.states} />],
    [all.site, nameOf(entry.site)],
    [all.channel, entry.channel],
    [words.type, entry.messageType],
    [words.controlId, entry.controlId],
    [words.sender, `${entry.sender} · ${entry.peer}`],
    [words.receivedAt, stamp(entry.receivedAt)],
    [words.decidedAt, stamp(entry.decidedAt)],
    [words.attempts, String(entry.attempts)],
    [words.size, bytes(entry.size)],
  ];
  return (
    <>
      <dl className="ops-facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {entry.problem === null ? null : (
        <p className="ops-problem">
          <strong>
            {words.cause}: {entry.problem.code}
          </strong>{' '}
          {entry.problem.where} {entry.problem.text}
        </p>
      )}
    </>
  );
}

function Acts({ entry, again }: { readonly entry: Entry; readonly again: () => void }): ReactNode {
  const all = useText(operations);
  const words = all.messages;
  const [tried, setTried] = useState(false);
  const [done, setDone] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const { journalId, state, reviewId } = entry;
  const retry = async (): Promise<void> => {
    const wrong = await troubleOf(ask(api.POST('/journal/{id}/retry', { params: { path: { id: journalId } } })));
    setTrouble(wrong);
    if (wrong === null) again();
  };
  const replay = async (reason: string): Promise<Trouble | null> => {
    const wrong = await troubleOf(
      ask(api.POST('/replays', { body: { kind: 'replay', journalIds: [journalId], reason } })),
    );
    setDone(wrong === null);
    return wrong;
  };
  if (state !== 'review' && state !== 'applied') return null;
  return (
    <section className="ops-box">
      {trouble === null ? null : <TroubleAlert trouble={trouble} />}
      <div className="ops-acts">
        <Button onClick={() => setTried(true)}>{words.preview}</Button>
        {state === 'review' ? <Button onClick={() => void retry()}>{words.retry}</Button> : null}
        {reviewId === null ? null : <Link to={`/operations/reviews/${reviewId}`}>{all.reviews.title}</Link>}
      </div>
      {tried ? <Preview body={{ kind: state === 'review' ? 'retry' : 'replay', journalIds: [journalId] }} /> : null}
      {state === 'applied' ? <WithReason acts={[{ text: words.replay, act: replay }]} /> : null}
      {done ? (
        <p role="status">
          <Link to="/operations/replays">{words.done}</Link>
        </p>
      ) : null}
    </section>
  );
}

function DecodedMessage({ id }: { readonly id: string }): ReactNode {
  const words = useText(operations).messages;
  const path = { params: { path: { id } } };
  const asked = useAsked(`decoded ${id}`, (signal) => ask(api.GET('/journal/{id}/decoded', { ...path, signal })));
  const [whole, setWhole] = useState<Decoded | null>(null);
  const unmask = async (reason: string): Promise<Trouble | null> => {
    const answer = await ask(api.POST('/journal/{id}/unmask', { ...path, body: { reason } }));
    if (answer.ok) setWhole(answer.value);
    return answer.ok ? null : answer.trouble;
  };
  return (
    <section className="ops-box">
      <h2>{words.decoded}</h2>
      <Shown asked={asked}>
        {(masked) => (
          <>
            <Rows message={whole ?? masked} />
            {whole !== null ? (
              <p role="status" className="ops-note-line">
                {words.unmaskedNow}
              </p>
            ) : masked.rows.some((row) => row.masked) ? (
              <details>
                <summary>{words.unmask}</summary>
                <p className="fine">{words.unmaskHint}</p>
                <WithReason acts={[{ text: words.unmask, act: unmask }]} />
              </details>
            ) : null}
          </>
        )}
      </Shown>
    </section>
  );
}

function Rows({ message }: { readonly message: Decoded }): ReactNode {
  const words = useText(operations).messages;
  const { language } = useLanguage();
  const { rows, findings } = message;
  const lost = findings.filter((_, at) => !rows.some((row) => row.findings.includes(at)));
  return (
    <>
      <ul className="ops-findings" aria-label={words.findings}>
        {findings.length === 0 ? <li className="fine">{words.noFindings}</li> : null}
        {findings.map((finding, at) => (
          <li key={at}>
            <a href={lost.includes(finding) ? '#decoded' : `#found-${String(at)}`}>{finding.where}</a> {finding.code}:{' '}
            {finding.text}
          </li>
        ))}
      </ul>
      {message.format === 'unreadable' ? <p>{words.unreadable}</p> : null}
      <p className="fine" id="decoded">
        {message.charset === null ? '' : `${words.charset} ${message.charset} `}
        {message.truncated ? words.truncated : ''}
      </p>
      <List
        label={words.decoded}
        rows={rows.map((row, at) => ({ ...row, at }))}
        rowKey={(row) => String(row.at)}
        rowClassName={(row) =>
          row.findings.length > 0 ? 'ops-found' : row.depth === 0 && row.value === '' ? 'ops-segment' : ''
        }
        columns={[
          {
            title: words.where,
            render: (_, row) => (
              <code
                id={row.findings[0] === undefined ? undefined : `found-${String(row.findings[0])}`}
                className={`ops-depth-${String(Math.min(row.depth, 4))}`}
              >
                {row.where}
              </code>
            ),
          },
          { title: words.name, render: (_, row) => (language === 'zh' && row.nameZh !== '' ? row.nameZh : row.name) },
          {
            title: words.value,
            className: 'ops-break',
            render: (_, row) => (
              <>
                {row.value} {row.masked ? <span className="ops-masked">{words.masked}</span> : null}
                {row.findings.map((at) => (
                  <span key={at} className="ops-mark">
                    {findings[at]?.code}
                  </span>
                ))}
              </>
            ),
          },
        ]}
      />
    </>
  );
}

/** The bytes as they came, for whoever may see them; asked for each time, since each time is recorded. */
function Raw({ id }: { readonly id: string }): ReactNode {
  const words = useText(operations).messages;
  const [raw, setRaw] = useState<string | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const show = async (): Promise<void> => {
    const answer = await ask(api.GET('/journal/{id}/raw', { params: { path: { id } } }));
    setTrouble(answer.ok ? null : answer.trouble);
    if (answer.ok) setRaw(textOf(answer.value.base64));
  };
  return (
    <section className="ops-box">
      <h2>{words.raw}</h2>
      {trouble === null ? null : <TroubleAlert trouble={trouble} />}
      {raw === null ? (
        <Button onClick={() => void show()}>{words.rawShow}</Button>
      ) : (
        <pre className="ops-raw" tabIndex={0} role="region" aria-label={words.raw}>
          {raw}
        </pre>
      )}
    </section>
  );
}

/** UTF-8 where the bytes are that, else GB18030, which most hospitals that do not say write. */
function textOf(base64: string): string {
  const bytesOf = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const decode = (label: string, fatal: boolean): string =>
    new TextDecoder(label, { fatal }).decode(bytesOf).replace(/\r\n?/g, '\n');
  try {
    return decode('utf-8', true);
  } catch {
    return decode('gb18030', false);
  }
}
