/** Who is signed in, as the hub says; and the acts that change it: sign out, another role, another purpose. */
import { createContext, use, useCallback, useEffect, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { Answer } from './api.ts';
import { sessionEnded } from './api.ts';
import type { Role } from './page.ts';
import { changeSession, endSession, readSession } from './session-api.ts';
import type { Purpose, Session } from './session-api.ts';

interface Signed {
  /** undefined: not known yet; null: nobody, or not everything was shown yet. */
  readonly session: Session | null | undefined;
  /** Signed in but for the step that its stage names. */
  readonly begun: Session | null;
  /** The hub has answered a step with the session as it is now. */
  readonly entered: (session: Session) => void;
  /** It was there and ended by itself. */
  readonly ended: boolean;
  readonly refresh: () => Promise<void>;
  readonly change: (to: { readonly role?: Role; readonly purpose?: Purpose }) => Promise<Answer<unknown>>;
  readonly signOut: () => Promise<void>;
}

const Context = createContext<Signed | null>(null);

export function SessionProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [known, setKnown] = useState<Session | null | undefined>(undefined);
  const [ended, setEnded] = useState(false);
  const entered = useCallback((found: Session | null) => {
    setKnown(found);
    if (found !== null) setEnded(false);
  }, []);
  const refresh = useCallback(async () => entered(await readSession()), [entered]);
  useEffect(() => {
    void refresh();
  }, [refresh]);
  useEffect(() => {
    const end = (): void => {
      setKnown(null);
      setEnded(true);
    };
    sessionEnded.addEventListener('ended', end);
    return () => sessionEnded.removeEventListener('ended', end);
  }, []);
  const value = useMemo<Signed>(
    () => ({
      session: known === undefined || known?.stage === 'open' ? known : null,
      begun: known === null || known === undefined || known.stage === 'open' ? null : known,
      entered,
      ended,
      refresh,
      change: async (to) => {
        const answer = await changeSession(to);
        await refresh();
        return answer;
      },
      signOut: async () => {
        const elsewhere = await endSession();
        setKnown(null);
        // The hospital's identity provider ends its own session too (SAML single logout).
        if (elsewhere !== null) location.assign(elsewhere);
      },
    }),
    [known, entered, ended, refresh],
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
