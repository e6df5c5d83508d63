/** The steps of signing in with an account of the platform: each answer of the hub names the next one. */
import { Button, Input } from 'antd';
import { useState } from 'react';
import type { ReactNode, SyntheticEvent } from 'react';
import type { Answer, Trouble } from '../api.ts';
import { TroubleAlert, Shown, useAsked } from '../asking.tsx';
import { useText } from '../language.tsx';
import type { Role } from '../page.ts';
import { activate, beginEnrolment, changePassword, changeSession, enterCode, signIn } from '../session-api.ts';
import type { Session } from '../session-api.ts';
import { useSession } from '../session.tsx';
import { shell } from '../text/shell.ts';

type Step = 'sign-in' | 'activation' | 'password' | 'enrolment' | 'totp' | 'role' | 'recovery';
type Given = Readonly<Record<string, string>>;

export function SignInSteps(): ReactNode {
  const words = useText(shell).signIn;
  const { begun, entered, refresh, signOut } = useSession();
  const [activating, setActivating] = useState(false);
  /** Shown once, before the session goes on. */
  const [recovery, setRecovery] = useState<Session | null>(null);
  const [failed, setFailed] = useState<{ readonly trouble: Trouble; readonly says?: string | undefined } | null>(null);
  const [busy, setBusy] = useState(false);
  const step: Step =
    recovery !== null
      ? 'recovery'
      : begun !== null && begun.stage !== 'open'
        ? begun.stage
        : activating
          ? 'activation'
          : 'sign-in';

  const send = async (given: Given): Promise<void> => {
    setFailed(null);
    if (step === 'recovery') {
      if (recovery !== null) entered(recovery);
      setRecovery(null);
      return;
    }
    setBusy(true);
    const answer = await act(step, given);
    setBusy(false);
    if (!answer.ok) {
      setFailed({ trouble: answer.trouble, says: saysOf(answer.trouble) });
      // What was begun may have ended meanwhile: then it begins anew.
      if (begun !== null && answer.trouble.status === 401) await refresh();
    } else if (answer.value.recoveryCodes === undefined) entered(answer.value);
    else setRecovery(answer.value);
  };
  const saysOf = ({ code }: Trouble): string | undefined =>
    code === 'unauthenticated' ? words.wrong[step] : code === 'limit-exceeded' ? words.barred : undefined;
  const leave = async (): Promise<void> => {
    const trouble = await signOut();
    setFailed(trouble === null ? null : { trouble });
  };
  const submit = (event: SyntheticEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const data = [...new FormData(event.currentTarget)];
    void send(Object.fromEntries(data.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []))));
  };
  return (
    <section className="panel" aria-labelledby="local-sign-in">
      <h2 id="local-sign-in">{words.steps[step]}</h2>
      <form key={step} onSubmit={submit} aria-busy={busy}>
        <Fields step={step} codes={recovery?.recoveryCodes ?? []} />
        {failed === null ? null : <TroubleAlert {...failed} />}
        <Button type="primary" htmlType="submit" loading={busy} block>
          {step === 'sign-in' ? words.submit : words.confirm}
        </Button>
        {step === 'sign-in' || step === 'activation' ? (
          <Button
            type="link"
            onClick={() => {
              setActivating(!activating);
              setFailed(null);
            }}
          >
            {activating ? words.haveAccount : words.haveCode}
          </Button>
        ) : (
          <Button type="link" onClick={() => void leave()}>
            {words.back}
          </Button>
        )}
      </form>
    </section>
  );
}

function act(step: Exclude<Step, 'recovery'>, given: Given): Promise<Answer<Session>> {
  const { loginName = '', password = '', code = '', secondCode = '', next = '', role = '' } = given;
  switch (step) {
    case 'sign-in':
      return signIn(loginName, password);
    case 'activation':
      return activate({
        ...{ loginName, code: code.trim(), password: next },
        ...(secondCode.trim() === '' ? {} : { secondCode: secondCode.trim() }),
      });
    case 'password':
      return changePassword(password, next);
    case 'enrolment':
    case 'totp':
      return enterCode(code.replace(/\s/g, ''));
    case 'role':
      return changeSession({ role: role as Role });
  }
}

function Fields({ step, codes }: { readonly step: Step; readonly codes: readonly string[] }): ReactNode {
  const words = useText(shell).signIn;
  switch (step) {
    case 'sign-in':
      return (
        <>
          <LoginName />
          <Secret name="password" label={words.password} autoComplete="current-password" />
        </>
      );
    case 'activation':
      return (
        <>
          <LoginName />
          <label>
            {words.activationCode}
            <Input name="code" required maxLength={64} autoComplete="off" spellCheck={false} />
          </label>
          <label>
            {words.secondCode}
            <Input name="secondCode" maxLength={64} autoComplete="off" spellCheck={false} />
          </label>
          <p className="fine">{words.halvesHint}</p>
          <Secret name="next" label={words.newPassword} autoComplete="new-password" />
          <p className="fine">{words.passwordRule}</p>
        </>
      );
    case 'password':
      return (
        <>
          <p>{words.changeHint}</p>
          <Secret name="password" label={words.password} autoComplete="current-password" />
          <Secret name="next" label={words.newPassword} autoComplete="new-password" />
          <p className="fine">{words.passwordRule}</p>
        </>
      );
    case 'enrolment':
      return (
        <>
          <Enrolment />
          <Code />
        </>
      );
    case 'totp':
      return (
        <>
          <p>{words.totpHint}</p>
          <Code />
        </>
      );
    case 'role':
      return <RoleChoice />;
    case 'recovery':
      return (
        <>
          <p>{words.recoveryHint}</p>
          <ul className="secret">
            {codes.map((code) => (
              <li key={code}>{code}</li>
            ))}
          </ul>
        </>
      );
  }
}

function LoginName(): ReactNode {
  const words = useText(shell).signIn;
  return (
    <label>
      {words.loginName}
      <Input name="loginName" autoComplete="username" required maxLength={128} spellCheck={false} />
    </label>
  );
}

function Secret(props: { readonly name: string; readonly label: string; readonly autoComplete: string }): ReactNode {
  return (
    <label>
      {props.label}
      <Input type="password" name={props.name} autoComplete={props.autoComplete} required maxLength={512} />
    </label>
  );
}

/** A code of the authenticator, or one of those that were given for the day on which it is lost. */
function Code(): ReactNode {
  const words = useText(shell).signIn;
  return (
    <label>
      {words.totp}
      <Input name="code" autoFocus required inputMode="numeric" maxLength={64} autoComplete="one-time-code" />
    </label>
  );
}

function Enrolment(): ReactNode {
  const words = useText(shell).signIn;
  const asked = useAsked('enrolment', beginEnrolment);
  return (
    <>
      <p>{words.enrolHint}</p>
      <Shown asked={asked}>
        {({ secret, uri }) => (
          <>
            <p className="fine">{words.secret}</p>
            <p className="secret">{secret}</p>
            <p>
              <a href={uri}>{words.openAuthenticator}</a>
            </p>
          </>
        )}
      </Shown>
    </>
  );
}

function RoleChoice(): ReactNode {
  const words = useText(shell);
  const { begun } = useSession();
  return (
    <fieldset className="choices">
      <legend>{words.role}</legend>
      {(begun?.roles ?? []).map(({ role }, at) => (
        <label key={role}>
          <input type="radio" name="role" value={role} required defaultChecked={at === 0} /> {words.roles[role]}
        </label>
      ))}
    </fieldset>
  );
}
