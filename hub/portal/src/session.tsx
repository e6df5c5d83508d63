/** Who is signed in, as the hub says; and the acts that change it: sign out, another role, another purpose. */
import { createContext, use, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import type { Answer, Trouble } from './api.ts';
import { sessionEnded, sessionMark } from './api.ts';
import { useIdling } from './idle.ts';
import type { Role } from './page.ts';
import { changeSession, endSession, readSession } from './session-api.ts';
import type { Purpose, Session } from './session-api.ts';

interface Signed {
  /** undefined: not known yet; null: nobody, or not everything was shown yet. */
  readonly session: Session | null | undefined;
  /** Why it is not known. */
  readonly away: Trouble | null;
  /** Signed in but for the step that its stage names. */
  readonly begun: Session | null;
  /** The hub has answered a step with the session as it is now. */
  readonly entered: (session: Session) => void;
  /** It was there and ended by itself. */
  readonly ended: boolean;
  readonly refresh: () => Promise<void>;
  readonly change: (to: { readonly role?: Role; readonly purpose?: Purpose }) => Promise<Answer<unknown>>;
  /** null: the session has ended. A reader who goes away from the screen must know where it has not. */
  readonly signOut: () => Promise<Trouble | null>;
}

const Context = createContext<Signed | null>(null);

export function SessionProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [known, setKnown] = useState<Session | null | undefined>(undefined);
  const [ended, setEnded] = useState(false);
  const [away, setAway] = useState<Trouble | null>(null);
  const mark = useRef('');
  const entered = useCallback((found: Session | null) => {
    mark.current = sessionMark();
    setKnown(found);
    if (found !== null) setEnded(false);
  }, []);
  // Who was known stays known while the hub does not answer: nobody is sent out of a page by that.
  const refresh = useCallback(async () => {
    const answer = await readSession();
    setAway(answer.ok ? null : answer.trouble);
    if (answer.ok) entered(answer.value);
  }, [entered]);
  useEffect(() => {
    void refresh();
  }, [refresh]);
  // Somebody may have signed out, or another person in, in a tab beside: none shows a patient under another's name.
  useEffect(() => {
    const look = (): void => {
      if (sessionMark() !== mark.current) void refresh();
    };
    addEventListener('focus', look);
    document.addEventListener('visibilitychange', look);
    return () => {
      removeEventListener('focus', look);
      document.removeEventListener('visibilitychange', look);
    };
  }, [refresh]);
  const end = useCallback(() => {
    setKnown(null);
    setEnded(true);
  }, []);
  useEffect(() => {
    sessionEnded.addEventListener('ended', end);
    return () => sessionEnded.removeEventListener('ended', end);
  }, [end]);
  const ask = useCallback(
    async (used: boolean): Promise<Answer<number | null>> => {
      const answer = await readSession(used);
      if (!answer.ok) return answer;
      if (answer.value === null) end();
      // The same as before changes nothing on the page: what would ask anew because of it would count as a use.
      else if (sessionMark() !== mark.current) entered(answer.value);
      return { ok: true, value: answer.value?.secondsLeft ?? null };
    },
    [end, entered],
  );
  const lost = useCallback((trouble: Trouble) => {
    setKnown(undefined);
    setAway(trouble);
  }, []);
  useIdling(known?.secondsLeft ?? null, { ask, lost });
  const value = useMemo<Signed>(
    () => ({
      session: known === undefined || known?.stage === 'open' ? known : null,
      begun: known === null || known === undefined || known.stage === 'open' ? null : known,
      entered,
      ended,
      away,
      refresh,
      change: async (to) => {
        const answer = await changeSession(to);
        await refresh();
        return answer;
      },
      signOut: async () => {
        const answer = await endSession();
        if (!answer.ok) return answer.trouble;
        setKnown(null);
        // The hospital's identity provider ends its own session too (SAML single logout).
        if (answer.value !== null) location.assign(answer.value);
        return null;
      },
    }),
    [known, entered, ended, away, refresh],
  );
  return <Context value={value}>{children}</Context>;
}

export function useSession(): Signed {
  const signed = use(Context);
  if (signed === null) throw new Error('useSession outside of SessionProvider');
  return signed;
}

/** Whether `path` may follow a sign-in: a path of this origin and nothing else (no open redirect). */
export const safeReturn = (path: string | null): string =>
  path !== null && /^\/(?![/\\])[\w\-./?=&%]*$/.test(path) && !path.startsWith('/login') ? path : '/';
