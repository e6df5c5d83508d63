/** Who is signed in, in which role and for which purpose; changing either, and signing out. */
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { Button } from 'antd';
import type { Trouble } from './api.ts';
import { TroubleAlert } from './asking.tsx';
import { useText } from './language.tsx';
import type { Role } from './page.ts';
import { useSession } from './session.tsx';
import type { Purpose } from './session-api.ts';
import { shell } from './text/shell.ts';

export function AccountMenu(): ReactNode {
  const words = useText(shell);
  const { session, change, signOut } = useSession();
  const [open, setOpen] = useState(false);
  const [failed, setFailed] = useState<{ readonly trouble: Trouble; readonly says?: string } | null>(null);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const leave = (event: Event): void => {
      const isKey = event instanceof KeyboardEvent;
      if (isKey ? event.key === 'Escape' : !box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('keydown', leave);
    document.addEventListener('pointerdown', leave);
    return () => {
      document.removeEventListener('keydown', leave);
      document.removeEventListener('pointerdown', leave);
    };
  }, [open]);
  if (session === null || session === undefined) return null;
  const { account, purposes } = session;
  const choose = async (to: Parameters<typeof change>[0]): Promise<void> => {
    const answer = await change(to);
    setFailed(answer.ok ? null : { trouble: answer.trouble });
  };
  const leave = async (): Promise<void> => {
    const trouble = await signOut();
    setFailed(trouble === null ? null : { trouble, says: words.staysSignedIn });
  };
  return (
    <div className="account" ref={box}>
      <button
        type="button"
        className="account-button"
        aria-expanded={open}
        aria-controls="account"
        onClick={() => setOpen(!open)}
      >
        <span className="account-name">{account.displayName}</span>
        <span className="account-role">{session.role === null ? '' : words.roles[session.role]}</span>
      </button>
      {open ? (
        <div id="account" className="account-panel" role="group" aria-label={words.account}>
          {account.institution === null ? null : (
            <p>
              <span className="fine">{words.institution}</span> {account.institution}
            </p>
          )}
          {session.roles.length > 1 ? (
            <label>
              {words.role}
              <select
                value={session.role ?? ''}
                onChange={(event) => void choose({ role: event.target.value as Role })}
              >
                {session.roles.map(({ role }) => (
                  <option key={role} value={role}>
                    {words.roles[role]}
                  </option>
                ))}
              </select>
            </label>
          ) : null}
          {purposes.length > 1 ? (
            <label>
              {words.purpose}
              <select
                value={session.purpose}
                onChange={(event) => void choose({ purpose: event.target.value as Purpose })}
              >
                {purposes.map((purpose) => (
                  <option key={purpose} value={purpose}>
                    {words.purposes[purpose]}
                  </option>
                ))}
              </select>
            </label>
          ) : null}
          {failed === null ? null : <TroubleAlert {...failed} />}
          <Button block onClick={() => void leave()}>
            {words.signOut}
          </Button>
        </div>
      ) : null}
    </div>
  );
}
