/** A question that is asked again and again while the page is looked at, less often while the hub is in trouble. */
import { useCallback, useEffect, useState } from 'react';
import type { Answer, Trouble } from '../../api.ts';

const SLOWEST_MS = 120_000;

export interface Live<T> {
  readonly value: T | null;
  /** The last time went wrong; `value` is of before. */
  readonly trouble: Trouble | null;
  readonly refresh: () => void;
}

/** `key` stands for everything the question depends on. */
export function useLive<T>(key: string, everyMs: number, question: () => Promise<Answer<T>>): Live<T> {
  const [round, setRound] = useState(0);
  const [seen, setSeen] = useState<{
    readonly key: string;
    readonly value: T | null;
    readonly trouble: Trouble | null;
  }>({
    key,
    value: null,
    trouble: null,
  });
  useEffect(() => {
    let timer = 0;
    let ended = false;
    let pause = everyMs;
    const look = async (): Promise<void> => {
      if (document.hidden) {
        timer = window.setTimeout(() => void look(), everyMs);
        return;
      }
      const answer = await question();
      if (ended) return;
      pause = answer.ok ? everyMs : Math.min(SLOWEST_MS, pause * 2);
      setSeen((before) =>
        answer.ok
          ? { key, value: answer.value, trouble: null }
          : { key, value: before.key === key ? before.value : null, trouble: answer.trouble },
      );
      timer = window.setTimeout(() => void look(), pause);
    };
    void look();
    return () => {
      ended = true;
      window.clearTimeout(timer);
    };
  }, [key, round, everyMs]);
  const refresh = useCallback(() => setRound((before) => before + 1), []);
  return seen.key === key ? { ...seen, refresh } : { value: null, trouble: null, refresh };
}
