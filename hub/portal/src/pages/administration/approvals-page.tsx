/** What one administrator asked for and another decides: who, when, for whom, which rights; the second half is shown here, once. */
import { Button } from 'antd';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { TroubleAlert } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { useSession } from '../../session.tsx';
import { administration } from '../../text/administration.ts';
import { approval } from '../../text/approval.ts';
import { operations } from '../../text/operations.ts';
import { shell } from '../../text/shell.ts';
import { stamp } from '../operations/format.ts';
import { Choice, State, WithReason, usePages, useSiteName } from '../operations/parts.tsx';
import { Half } from './halves.tsx';
import { Facts } from './parts.tsx';

type Approval = Schemas['Approval'];
type ApprovalState = Schemas['ApprovalState'];
interface Approved {
  readonly one: Approval;
  readonly half: string | null;
  readonly until: string | null;
}

export function ApprovalsPage(): ReactNode {
  const all = useText(operations);
  const around = useText(shell);
  const words = useText(approval);
  const stateWord = useText(administration).state;
  const [state, setState] = useState<ApprovalState | ''>('open');
  const [approved, setApproved] = useState<readonly Approved[]>([]);
  const pages = usePages(`approvals ${state}`, (after) =>
    ask(
      api.GET('/approvals', {
        params: { query: { ...(state === '' ? {} : { state }), ...(after === undefined ? {} : { after }) } },
      }),
    ),
  );
  return (
    <section className="ops">
      <h1>{words.title}</h1>
      <p>{words.hint}</p>
      {approved.map(({ one, half, until }) => (
        <div key={one.id} role="status" className="ops-note-line">
          <p>
            {words.one(words.kinds[one.kind], one.name)} {words.approved}
          </p>
          {half === null ? null : (
            <Half place="second" of={one.kind === 'client' ? 'token' : 'code'} half={half} until={until} />
          )}
        </div>
      ))}
      <div className="ops-filter">
        <Choice
          label={stateWord}
          any={all.any}
          value={state}
          choices={Object.entries(words.states)}
          onChange={(value) => setState(value as ApprovalState | '')}
        />
      </div>
      {pages.trouble === null ? null : <TroubleAlert trouble={pages.trouble} again={pages.again} />}
      {pages.rows === null ? (
        pages.trouble === null ? (
          <p className="waiting" role="status">
            {around.loading}
          </p>
        ) : null
      ) : pages.rows.length === 0 ? (
        <p className="empty">{all.none}</p>
      ) : (
        pages.rows.map((one) => (
          <One
            key={one.id}
            one={one}
            decided={(done) => {
              if (done !== null) setApproved([...approved, done]);
              pages.again();
            }}
          />
        ))
      )}
      {pages.next === null ? null : (
        <p className="ops-more">
          <Button onClick={pages.more}>{all.more}</Button>
        </p>
      )}
    </section>
  );
}

function One(props: { readonly one: Approval; readonly decided: (done: Approved | null) => void }): ReactNode {
  const words = useText(approval);
  const reason = useText(administration).reason;
  const { one } = props;
  const rights = useRights();
  return (
    <article className="ops-box" aria-label={words.one(words.kinds[one.kind], one.name)}>
      <h2>
        {words.one(words.kinds[one.kind], one.name)} <State state={one.state} words={words.states} />
      </h2>
      <Facts
        facts={[
          [words.loginName, one.loginName],
          [words.wanted, rights(one.wanted)],
          [words.now, one.kind === 'rights' && one.now !== null ? rights(one.now) : null],
          [words.institution, one.wanted.institution],
          [words.practitionerId, one.wanted.practitionerId],
          [words.certificate, one.certificate],
          [words.thumbprints, one.thumbprints.join(' ')],
          [words.askedBy, one.askedByName],
          [words.askedAt, stamp(one.askedAt)],
          [words.lapsesAt, one.state === 'open' ? stamp(one.lapsesAt) : null],
          [reason, one.reason],
        ]}
      />
      {one.decidedByName === null || one.decidedAt === null ? null : (
        <p>
          {words.decided(one.decidedByName, stamp(one.decidedAt))}
          {one.activatedAt === null ? '' : ` · ${words.activated(stamp(one.activatedAt))}`}
        </p>
      )}
      {one.state === 'open' ? <Decision one={one} decided={props.decided} /> : null}
    </article>
  );
}

/** Roles with their hospitals, in words. */
function useRights(): (of: Schemas['ApprovalRights']) => string {
  const names = useText(shell).roles as Readonly<Record<string, string>>;
  const siteName = useSiteName();
  return ({ roles }) =>
    roles.map(({ role, site }) => `${names[role] ?? role}${site === null ? '' : ` (${siteName(site)})`}`).join(' · ');
}

function Decision({ one, decided }: Parameters<typeof One>[0]): ReactNode {
  const words = useText(approval);
  const { session } = useSession();
  const own = session?.account.id === one.askedBy;
  const aboutMe = session?.account.id === one.accountId;
  const send =
    (decision: 'approve' | 'refuse') =>
    async (reason: string): Promise<Trouble | null> => {
      const answer = await ask(
        api.POST('/approvals/{id}/decision', { params: { path: { id: one.id } }, body: { decision, reason } }),
      );
      if (!answer.ok) return answer.trouble;
      const { secondHalf: half, activationUntil: until } = answer.value;
      decided(decision === 'approve' ? { one, half, until } : null);
      return null;
    };
  const refuse = { text: own ? words.withdraw : words.refuse, act: send('refuse') };
  return (
    <>
      <p className="fine">
        {own ? words.own : aboutMe ? words.aboutYou : one.kind === 'client' ? words.check : words.checkPerson}
      </p>
      <WithReason
        acts={own || aboutMe ? [refuse] : [{ text: words.approve, primary: true, act: send('approve') }, refuse]}
      />
    </>
  );
}
