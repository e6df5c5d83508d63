/** One account: who it is, its roles, and what may be done with it; all of it is in the audit. */
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { Shown, TroubleAlert, useAsked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { administration } from '../../text/administration.ts';
import { operations } from '../../text/operations.ts';
import { stamp } from '../operations/format.ts';
import { State, WithReason, troubleOf } from '../operations/parts.tsx';
import { AskedFor } from './halves.tsx';
import { Facts, Secret } from './parts.tsx';
import { isWhole, RoleChoice } from './roles.tsx';
import type { AccountRole } from './roles.tsx';

type Account = Schemas['Account'];

export function AccountPage(): ReactNode {
  const words = useText(administration);
  const back = useText(operations).back;
  const id = useParams().id ?? '';
  const asked = useAsked(`account ${id}`, (signal) =>
    ask(api.GET('/accounts/{id}', { params: { path: { id } }, signal })),
  );
  return (
    <section className="ops">
      <p>
        <Link to="/administration/accounts">{back}</Link>
      </p>
      <Shown asked={asked}>
        {(account, again) => (
          <>
            <h1>{words.accounts.one(account.displayName)}</h1>
            <About account={account} />
            {account.state === 'ended' ? null : (
              <>
                <Roles account={account} again={again} />
                <Acts account={account} again={again} />
              </>
            )}
          </>
        )}
      </Shown>
    </section>
  );
}

function About({ account }: { readonly account: Account }): ReactNode {
  const words = useText(administration);
  const { accounts } = words;
  return (
    <Facts
      facts={[
        [words.state, <State key="state" state={account.state} words={accounts.states} />],
        [words.reason, account.stateReason],
        [accounts.loginName, account.loginName],
        [accounts.institution, account.institution],
        [accounts.department, account.department],
        [accounts.practitionerId, account.practitionerId],
        [accounts.source, accounts.sources[account.source]],
        [accounts.secondFactor, account.hasSecondFactor ? words.yes : words.none],
        [accounts.lastSignIn, stamp(account.lastSignInAt) || words.never],
        [accounts.createdAt, stamp(account.createdAt)],
      ]}
    />
  );
}

interface OfAccount {
  readonly account: Account;
  readonly again: () => void;
}

function Roles({ account, again }: OfAccount): ReactNode {
  const words = useText(administration);
  const [roles, setRoles] = useState<readonly AccountRole[]>(account.roles);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [waits, setWaits] = useState<Schemas['AskedApproval'] | null>(null);
  const save = async (): Promise<void> => {
    const to = roles.map(({ role, site = null }) => ({ role, site }));
    const answer = await ask(
      api.PATCH('/accounts/{id}', { params: { path: { id: account.id } }, body: { roles: to } }),
    );
    setTrouble(answer.ok ? null : answer.trouble);
    if (!answer.ok) return;
    // A role more waits for a second administrator; the account stays as it is.
    if ('lapsesAt' in answer.value) setWaits(answer.value);
    else again();
  };
  return (
    <section className="ops-box" aria-label={words.accounts.roles}>
      {trouble === null ? null : <TroubleAlert trouble={trouble} />}
      <RoleChoice roles={roles} onChange={setRoles} />
      <Button disabled={!isWhole(roles)} onClick={() => void save()}>
        {words.save}
      </Button>
      {waits === null ? null : <AskedFor name={account.displayName} approval={waits} of="code" />}
    </section>
  );
}

function Acts({ account, again }: OfAccount): ReactNode {
  const words = useText(administration).accounts;
  const [said, setSaid] = useState<ReactNode>(null);
  const at = { params: { path: { id: account.id } } };
  const turn =
    (state: 'active' | 'suspended') =>
    async (reason: string): Promise<Trouble | null> => {
      const trouble = await troubleOf(ask(api.PATCH('/accounts/{id}', { ...at, body: { state, reason } })));
      if (trouble === null) again();
      return trouble;
    };
  const end = async (): Promise<Trouble | null> => {
    const trouble = await troubleOf(ask(api.DELETE('/accounts/{id}', at)));
    if (trouble === null) again();
    return trouble;
  };
  const reset = async (): Promise<Trouble | null> => {
    const answer = await ask(api.POST('/accounts/{id}/reset', at));
    if (!answer.ok) return answer.trouble;
    const { activationCode: code, activationUntil: until, approval, displayName } = answer.value;
    setSaid(
      approval !== null ? (
        <AskedFor name={displayName} approval={approval} of="code" />
      ) : code === null ? (
        <p role="status">{words.resetDone}</p>
      ) : (
        <Secret label={words.code} code={code} until={until} />
      ),
    );
    return null;
  };
  const signOut = async (): Promise<Trouble | null> => {
    const answer = await ask(api.POST('/accounts/{id}/sign-out', at));
    if (!answer.ok) return answer.trouble;
    setSaid(<p role="status">{words.ended(answer.value.ended)}</p>);
    return null;
  };
  const live = account.state === 'active' || account.state === 'invited';
  // One that waits for its second administrator, or was refused, is asked for again or ended.
  const waits = account.state === 'pending' && account.source === 'local';
  return (
    <section className="ops-box" aria-label={words.acts}>
      <h2>{words.acts}</h2>
      <WithReason
        acts={[
          ...(waits
            ? []
            : [
                live
                  ? { text: words.suspend, act: turn('suspended') }
                  : {
                      text: account.state === 'pending' ? words.approve : words.activate,
                      primary: true,
                      act: turn('active'),
                    },
                { text: words.signOut, act: signOut },
              ]),
          { text: waits ? words.askAgain : words.reset, act: reset },
          { text: words.end, act: end },
        ]}
      />
      <p className="fine">{words.endHint}</p>
      {said}
    </section>
  );
}
