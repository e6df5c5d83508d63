/** Who is signed in, as the hub says; and the acts that change it: sign out, another role, another purpose. */
import { createContext, use, useCallback, useEffect, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { Answer } from './api.ts';
import { sessionEnded } from './api.ts';
import type { Role } from './areas.ts';
import { changeSession, endSession, readSession } from './session-api.ts';

export type Purpose =
  'TREATMENT' | 'CONSULTATION' | 'RECOGNITION' | 'SHARE' | 'QC' | 'REGULATION' | 'OPS' | 'RESEARCH' | 'EMERGENCY';

export interface Session {
  readonly loginName: string;
  readonly displayName: string;
  readonly role: Role | null;
  readonly roles: readonly Role[];
  readonly institution: string | null;
  readonly purpose: Purpose | null;
}

interface Signed {
  /** undefined: not known yet; null: nobody. */
  readonly session: Session | null | undefined;
  /** It was there and ended by itself. */
  readonly ended: boolean;
  readonly refresh: () => Promise<void>;
  readonly change: (to: { readonly role?: Role; readonly purpose?: Purpose }) => Promise<Answer<unknown>>;
  readonly signOut: () => Promise<void>;
}

const Context = createContext<Signed | null>(null);

export function SessionProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [ended, setEnded] = useState(false);
  const refresh = useCallback(async () => {
    const found = await readSession();
    setSession(found);
    if (found !== null) setEnded(false);
  }, []);
  useEffect(() => {
    void refresh();
  }, [refresh]);
  useEffect(() => {
    const end = (): void => {
      setSession(null);
      setEnded(true);
    };
    sessionEnded.addEventListener('ended', end);
    return () => sessionEnded.removeEventListener('ended', end);
  }, []);
  const value = useMemo<Signed>(
    () => ({
      session,
      ended,
      refresh,
      change: async (to) => {
        const answer = await changeSession(to);
        await refresh();
        return answer;
      },
      signOut: async () => {
        const elsewhere = await endSession();
        setSession(null);
        // The hospital's identity provider ends its own session too (SAML single logout).
        if (elsewhere !== null) location.assign(elsewhere);
      },
    }),
    [session, ended, refresh],
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
