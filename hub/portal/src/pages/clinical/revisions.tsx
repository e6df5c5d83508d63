/** Every version of a report, and what each changed: a corrected report must not hide what it corrected. */
import type { ReactNode } from 'react';
import { api, ask } from '../../api.ts';
import type { Schemas } from '../../api.ts';
import { Shown, useAsked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { dateTime, wordOf } from './format.ts';

type Revision = Schemas['ReportRevision'];

export function Revisions({ examId }: { readonly examId: string }): ReactNode {
  const asked = useAsked(examId, (signal) =>
    ask(api.GET('/exams/{id}/revisions', { params: { path: { id: examId } }, signal })),
  );
  const words = useText(clinical).exam;
  return (
    <Shown asked={asked}>
      {({ items }) =>
        items.length < 2 ? null : (
          <section className="panel">
            <h2>{words.revisions}</h2>
            <ol className="plain">
              {items.map((revision, at) => (
                <li key={`${revision.journalId} ${String(at)}`} className="revision">
                  <RevisionShown revision={revision} place={items.length - at} />
                </li>
              ))}
            </ol>
          </section>
        )
      }
    </Shown>
  );
}

function RevisionShown({ revision, place }: { readonly revision: Revision; readonly place: number }): ReactNode {
  const words = useText(clinical).exam;
  const fields = {
    title: words.report,
    findings: words.findings,
    impression: words.impression,
    suggestion: words.suggestion,
  };
  return (
    <>
      <p>
        <strong>{words.revision(place)}</strong>{' '}
        <span className="status">{wordOf(words.statuses, revision.status)}</span>{' '}
        {revision.current ? <span className="status">{words.current}</span> : null}{' '}
        {revision.content.critical === true ? <span className="critical">{words.critical}</span> : null}{' '}
        <span className="fine">
          {[
            dateTime(revision.at),
            revision.content.auditor ?? revision.content.reporter ?? '',
            `${words.heard} ${dateTime(revision.recordedAt)}`,
          ]
            .filter((part) => part !== '')
            .join(' · ')}
        </span>
      </p>
      {place === 1 ? (
        <p className="text">{revision.content.impression ?? words.first}</p>
      ) : revision.changes.length === 0 ? (
        <p className="fine">{words.unchanged}</p>
      ) : (
        revision.changes.map(({ field, parts }) => (
          <div key={field}>
            <h3>{fields[field]}</h3>
            <p className="text diff">
              {parts.map(({ kind, text }, at) =>
                kind === 'same' ? (
                  <span key={at}>{text}</span>
                ) : kind === 'added' ? (
                  <ins key={at} aria-label={words.added}>
                    {text}
                  </ins>
                ) : (
                  <del key={at} aria-label={words.removed}>
                    {text}
                  </del>
                ),
              )}
            </p>
          </div>
        ))
      )}
    </>
  );
}
