/** Signing in: at one's own hospital, or with an account of the platform and a one-time code. */
import { Alert, Button, Input } from 'antd';
import { useEffect, useState } from 'react';
import type { ReactNode, SyntheticEvent } from 'react';
import { Navigate, useSearchParams } from 'react-router';
import type { Trouble } from '../api.ts';
import { TroubleAlert, Shown, useAsked } from '../asking.tsx';
import { useText } from '../language.tsx';
import { LanguageButton } from '../layout.tsx';
import { identityProviders, samlLogin, signIn } from '../session-api.ts';
import type { Step } from '../session-api.ts';
import { safeReturn, useSession } from '../session.tsx';
import { shell } from '../text/shell.ts';

export function SignInPage(): ReactNode {
  const { session, ended } = useSession();
  const words = useText(shell);
  const [parameters] = useSearchParams();
  const back = safeReturn(parameters.get('return'));
  useEffect(() => {
    document.title = `${words.signIn.title} · ${words.product}`;
  }, [words]);
  if (session !== null && session !== undefined) return <Navigate replace to={back} />;
  return (
    <div className="sign-in">
      <header className="bar">
        <span className="brand">
          <strong>{words.product}</strong>
          <span>{words.productLine}</span>
        </span>
        <div className="bar-end">
          <LanguageButton />
        </div>
      </header>
      <main>
        <h1 className="page-head">{words.signIn.title}</h1>
        {ended ? (
          <Alert type="warning" showIcon title={words.signIn.ended} className="page-head" role="status" />
        ) : null}
        <Hospitals back={back} />
        <LocalAccount />
        <p className="fine">{words.signIn.notice}</p>
      </main>
    </div>
  );
}

function Hospitals({ back }: { readonly back: string }): ReactNode {
  const words = useText(shell).signIn;
  const asked = useAsked('identity-providers', identityProviders);
  return (
    <section className="panel" aria-labelledby="hospital-sign-in">
      <h2 id="hospital-sign-in">{words.hospital}</h2>
      <Shown asked={asked}>
        {(providers) =>
          providers.length === 0 ? (
            <p className="fine">{words.noHospital}</p>
          ) : (
            <>
              <p className="fine">{words.hospitalHint}</p>
              <ul className="hospitals">
                {providers.map(({ id, name }) => (
                  <li key={id}>
                    <a href={samlLogin(id, back)}>{name}</a>
                  </li>
                ))}
              </ul>
            </>
          )
        }
      </Shown>
    </section>
  );
}

/** Password first, then whatever else the hub asks of this account. */
function LocalAccount(): ReactNode {
  const words = useText(shell).signIn;
  const { refresh } = useSession();
  const [step, setStep] = useState<Step | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [busy, setBusy] = useState(false);
  const send = async (given: Readonly<Record<string, string>>): Promise<void> => {
    setBusy(true);
    setTrouble(null);
    const answer = await signIn(step, given);
    setBusy(false);
    if (!answer.ok) {
      setTrouble(answer.trouble);
      return;
    }
    setStep(answer.value);
    if (answer.value.next === 'done') await refresh();
  };
  const submit = (event: SyntheticEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const given = Object.fromEntries(
      [...new FormData(event.currentTarget)].flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value] as const] : [],
      ),
    );
    void send(given);
  };
  const next = step?.next ?? 'password';
  return (
    <section className="panel" aria-labelledby="local-sign-in">
      <h2 id="local-sign-in">{next === 'password' ? words.local : words.totpTitle}</h2>
      <form onSubmit={submit} aria-busy={busy}>
        {next === 'password' ? <PasswordFields /> : <CodeFields step={step} />}
        {trouble === null ? null : <TroubleAlert trouble={trouble} />}
        <Button type="primary" htmlType="submit" loading={busy} block>
          {next === 'password' ? words.submit : words.confirm}
        </Button>
        {next === 'password' ? null : (
          <Button
            type="link"
            onClick={() => {
              setStep(null);
              setTrouble(null);
            }}
          >
            {words.back}
          </Button>
        )}
      </form>
    </section>
  );
}

function PasswordFields(): ReactNode {
  const words = useText(shell).signIn;
  return (
    <>
      <label>
        {words.loginName}
        <Input name="loginName" autoComplete="username" required maxLength={100} spellCheck={false} />
      </label>
      <label>
        {words.password}
        <Input.Password name="password" autoComplete="current-password" required maxLength={200} />
      </label>
    </>
  );
}

function CodeFields({ step }: { readonly step: Step | null }): ReactNode {
  const words = useText(shell).signIn;
  return (
    <>
      {step?.next === 'enrol' ? (
        <>
          <p>{words.enrolHint}</p>
          <p className="fine">{words.secret}</p>
          <p className="secret">{step.secret}</p>
        </>
      ) : (
        <p>{words.totpHint}</p>
      )}
      <label>
        {words.totp}
        <Input
          name="code"
          autoFocus
          required
          inputMode="numeric"
          pattern="[0-9]{6}"
          maxLength={6}
          autoComplete="one-time-code"
        />
      </label>
    </>
  );
}
