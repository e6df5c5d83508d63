/** Whether the audit stands as it was written: the newest proof, those before it, what a bent chain shows, and the anchors. */
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { useEffect, useState } from 'react';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { Shown, TroubleAlert, useAsked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { audit } from '../../text/audit.ts';
import { operations } from '../../text/operations.ts';
import { stamp } from '../operations/format.ts';
import { List, State, troubleOf } from '../operations/parts.tsx';

type Proof = Schemas['AuditProof'];
type Run = Proof['runs'][number];

const POLL_MS = 1_500;
/** Of a run that never ended the process died. */
const LONGEST_MS = 3_600_000;

const isRunning = ({ endedAt, beganAt }: Pick<Run, 'endedAt' | 'beganAt'>): boolean =>
  endedAt === null && Date.now() - Date.parse(beganAt) < LONGEST_MS;

export function ProofPage(): ReactNode {
  const words = useText(audit).proof;
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const asked = useAsked('proof', (signal) => ask(api.GET('/audit/verify', { signal })));
  const runs = asked.state === 'answered' ? asked.value.runs : [];
  const running = runs.some(isRunning);
  const { again } = asked;
  // The last answer stays while the next is asked for.
  const [shown, setShown] = useState<Proof | null>(null);
  useEffect(() => {
    if (asked.state !== 'answered') return;
    setShown(asked.value);
    if (!running) return;
    const timer = window.setTimeout(again, POLL_MS);
    return () => window.clearTimeout(timer);
  }, [asked, running, again]);
  const prove = async (): Promise<void> => {
    setTrouble(await troubleOf(ask(api.POST('/audit/verify'))));
    again();
  };
  return (
    <section className="ops">
      <div className="ops-head">
        <h1>{words.title}</h1>
        <Button type="primary" disabled={running} onClick={() => void prove()}>
          {words.run}
        </Button>
      </div>
      {trouble === null ? null : <TroubleAlert trouble={trouble} />}
      {shown === null ? <Shown asked={asked}>{() => null}</Shown> : <Proved proof={shown} />}
      <Anchors />
    </section>
  );
}

function Proved({ proof }: { readonly proof: Proof }): ReactNode {
  const words = useText(audit).proof;
  const { intact, provedAt, newestAnchor, runs } = proof;
  const [last] = runs.filter(({ endedAt }) => endedAt !== null);
  return (
    <>
      <p role="status" className={intact === false ? 'ops-problem' : 'ops-note-line'}>
        <strong>{intact === null ? words.never : intact ? words.intact : words.bent}</strong>{' '}
        {provedAt === null ? '' : words.at(stamp(provedAt))}
        {' · '}
        {newestAnchor === null ? words.noAnchor : words.anchor(newestAnchor.number, stamp(newestAnchor.at))}
        {runs.some(isRunning) ? ` · ${words.running}` : ''}
      </p>
      {last === undefined || last.findings.length === 0 ? null : <Findings run={last} />}
      <h2>{words.runs}</h2>
      <List
        label={words.runs}
        rows={runs}
        rowKey={(row) => row.id}
        columns={[
          { title: words.began, render: (_, row) => stamp(row.beganAt) },
          { title: words.ended, render: (_, row) => stamp(row.endedAt) },
          {
            title: words.kind,
            render: (_, row) => (words.kinds as Readonly<Record<string, string>>)[row.kind] ?? row.kind,
          },
          { title: words.records, dataIndex: 'records', align: 'right' },
          {
            title: words.findings,
            render: (_, row) =>
              row.intact === null ? (
                ''
              ) : (
                <State
                  state={row.intact ? 'up' : 'failing'}
                  words={{ up: words.good, failing: `${words.broken} ${String(row.findingCount)}` }}
                />
              ),
          },
        ]}
      />
    </>
  );
}

function Findings({ run }: { readonly run: Run }): ReactNode {
  const words = useText(audit).proof;
  const kinds: Readonly<Record<string, string>> = words.kindsOfFinding;
  return (
    <>
      <h2>{words.findings}</h2>
      <ul className="ops-findings">
        {run.findings.map(({ kind, text, at, id, lane, seq }, place) => (
          <li key={place} className="ops-problem">
            <strong>{kinds[kind] ?? kind}</strong> {text}{' '}
            <span className="fine">
              {[
                at === undefined ? '' : stamp(at),
                id === undefined ? '' : `#${id}`,
                lane === undefined ? '' : `${String(lane)}:${String(seq ?? '')}`,
              ]
                .filter((one) => one !== '')
                .join(' · ')}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

const PAGE = 100;

function Anchors(): ReactNode {
  const words = useText(audit).proof;
  const more = useText(operations).more;
  const [after, setAfter] = useState(0);
  const asked = useAsked(`anchors ${String(after)}`, (signal) =>
    ask(api.GET('/audit/anchors', { params: { query: { after } }, signal })),
  );
  return (
    <details className="ops-box">
      <summary>{words.anchors}</summary>
      <p className="fine">{words.copyHint}</p>
      <Shown asked={asked}>
        {({ items }) => (
          <>
            <List
              label={words.anchors}
              rows={items}
              rowKey={(row) => String(row.number)}
              columns={[
                { title: words.number, dataIndex: 'number', align: 'right' },
                { title: words.statement, dataIndex: 'statement', className: 'ops-break' },
                { title: words.signed, dataIndex: 'signature', className: 'ops-break' },
              ]}
            />
            {items.length < PAGE ? null : (
              <p className="ops-more">
                <Button onClick={() => setAfter(items.at(-1)?.number ?? after)}>{more}</Button>
              </p>
            )}
          </>
        )}
      </Shown>
    </details>
  );
}
