/** What waits for who is signed in, above every page until it is done: asked with a page that is opened, once a minute at most. */
import type { ReactNode } from 'react';
import { Link, useLocation } from 'react-router';
import { api, ask } from './api.ts';
import type { Schemas } from './api.ts';
import { useAsked } from './asking.tsx';
import { useText } from './language.tsx';
import { useSession } from './session.tsx';
import { notice } from './text/notice.ts';

/** A count, and the page where it goes down. */
const PLACES = [
  ['ownFlags', '/account/flags'],
  ['accountFlags', '/administration/flags'],
  ['auditFlags', '/audit/flags'],
  ['breakGlass', '/audit/emergencies'],
  ['applications', '/administration/institutions'],
  ['approvals', '/administration/approvals'],
  ['pendingAccounts', '/administration/accounts'],
] as const satisfies readonly (readonly [keyof Schemas['Worklist'], string])[];

export function NoticeBar(): ReactNode {
  const words = useText(notice);
  const { session } = useSession();
  const { pathname } = useLocation();
  const minute = Math.floor(Date.now() / 60_000);
  const asked = useAsked(`worklist ${session?.role ?? ''} ${String(minute)}`, (signal) =>
    ask(api.GET('/worklist', { signal })),
  );
  // A count that cannot be had is no reason to disturb a page.
  if (asked.state !== 'answered') return null;
  const counts = asked.value;
  const waiting = PLACES.filter(([name, place]) => (counts[name] ?? 0) > 0 && !pathname.startsWith(place));
  if (waiting.length === 0) return null;
  return (
    <ul className="notices" aria-label={words.label}>
      {waiting.map(([name, place]) => (
        <li key={name}>
          <Link to={place}>{words[name](counts[name] ?? 0)}</Link>
        </li>
      ))}
    </ul>
  );
}
