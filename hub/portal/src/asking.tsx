/** A question to the hub as a page sees it: waiting, answered or in trouble; an answer that is too late is dropped. */
import { Alert, Button } from 'antd';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import type { Answer, Trouble } from './api.ts';
import { useLanguage, useText } from './language.tsx';
import { isObstacle, problems } from './text/problem.ts';
import { shell } from './text/shell.ts';

export type Asked<T> =
  | { readonly state: 'waiting'; readonly again: () => void }
  | { readonly state: 'answered'; readonly value: T; readonly again: () => void }
  | { readonly state: 'trouble'; readonly trouble: Trouble; readonly again: () => void };

/** Asks anew whenever `key` changes; `question` gets a signal that ends it. */
export function useAsked<T>(key: string, question: (signal: AbortSignal) => Promise<Answer<T>>): Asked<T> {
  const [round, setRound] = useState(0);
  const [result, setResult] = useState<{ readonly of: string; readonly answer: Answer<T> } | null>(null);
  const of = `${key}#${round}`;
  useEffect(() => {
    const end = new AbortController();
    question(end.signal).then(
      (answer) => {
        if (!end.signal.aborted) setResult({ of, answer });
      },
      (error: unknown) => {
        if (!end.signal.aborted) throw error;
      },
    );
    return () => end.abort();
    // `key` stands for everything the question depends on.
  }, [of]);
  const again = useCallback(() => setRound((before) => before + 1), []);
  if (result?.of !== of) return { state: 'waiting', again };
  return result.answer.ok
    ? { state: 'answered', value: result.answer.value, again }
    : { state: 'trouble', trouble: result.answer.trouble, again };
}

/** The last answer about the same thing stands until the next is there, so that a filter keeps the focus; never another's. */
export function useKept<T>(
  about: string,
  key: string,
  question: (signal: AbortSignal) => Promise<Answer<T>>,
): Asked<T> {
  const asked = useAsked(key, question);
  const last = useRef<{ readonly about: string; readonly value: T } | null>(null);
  if (asked.state === 'answered') last.current = { about, value: asked.value };
  const { again, state } = asked;
  return state === 'waiting' && last.current?.about === about
    ? { state: 'answered', value: last.current.value, again }
    : asked;
}

/** What went wrong, in the reader's language; `says` where the page knows better; with `again` the way to try once more. */
export function TroubleAlert(props: {
  readonly trouble: Trouble;
  readonly says?: string | undefined;
  readonly again?: () => void;
}): ReactNode {
  const { trouble, says, again } = props;
  const { language } = useLanguage();
  const { code, obstacle, request } = useText(problems);
  const words = useText(shell);
  const closer = trouble.fields.map((field) => field.code).find(isObstacle);
  const fine = [
    ...(language === 'en' && trouble.detail !== '' && closer === undefined ? [trouble.detail] : []),
    ...(trouble.requestId === '' ? [] : [request(trouble.requestId)]),
  ];
  return (
    <Alert
      type="error"
      showIcon
      role="alert"
      title={says ?? (closer === undefined ? code[trouble.code] : obstacle[closer])}
      description={fine.length === 0 ? undefined : <span className="fine">{fine.join(' ')}</span>}
      action={
        again === undefined ? undefined : (
          <Button size="small" onClick={again}>
            {words.retry}
          </Button>
        )
      }
    />
  );
}

/** Shows what was asked for once it is there; while it is not, says so to eyes and screen readers. */
export function Shown<T>(props: {
  readonly asked: Asked<T>;
  readonly children: (value: T, again: () => void) => ReactNode;
}): ReactNode {
  const { asked, children } = props;
  const words = useText(shell);
  if (asked.state === 'waiting')
    return (
      <p className="waiting" role="status">
        {words.loading}
      </p>
    );
  if (asked.state === 'trouble') return <TroubleAlert trouble={asked.trouble} again={asked.again} />;
  return children(asked.value, asked.again);
}
