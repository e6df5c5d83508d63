/** Signing in: at one's own hospital, or with an account of the platform and whatever else the hub asks of it. */
import { Alert } from 'antd';
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { Navigate, useSearchParams } from 'react-router';
import { Shown, TroubleAlert, useAsked } from '../asking.tsx';
import { useLanguage, useText } from '../language.tsx';
import { LanguageButton } from '../layout.tsx';
import { identityProviders } from '../session-api.ts';
import type { IdentityProvider } from '../session-api.ts';
import { safeReturn, useSession } from '../session.tsx';
import { shell } from '../text/shell.ts';
import { SignInSteps } from './sign-in-steps.tsx';

export function SignInPage(): ReactNode {
  const { session, begun, ended, away, refresh } = useSession();
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
        <Problem code={parameters.get('problem')} />
        {away === null ? null : <TroubleAlert trouble={away} again={() => void refresh()} />}
        {begun === null ? <Hospitals back={back} /> : null}
        <SignInSteps />
        <p className="fine">{words.signIn.notice}</p>
      </main>
    </div>
  );
}

/** Why a provider's answer led nobody in; the code comes in the address, so only known ones are said. */
function Problem({ code }: { readonly code: string | null }): ReactNode {
  const { problems } = useText(shell).signIn;
  if (code === null || !Object.hasOwn(problems, code)) return null;
  return (
    <Alert type="error" showIcon role="alert" className="page-head" title={problems[code as keyof typeof problems]} />
  );
}

function Hospitals({ back }: { readonly back: string }): ReactNode {
  const words = useText(shell).signIn;
  const asked = useAsked('identity-providers', identityProviders);
  return (
    <Shown asked={asked}>
      {(all) => {
        const [citizens, hospitals] = [true, false].map((of) => all.filter((one) => one.citizens === of));
        return (
          <>
            {citizens?.length === 0 ? null : (
              <Providers
                id="citizen-sign-in"
                title={words.citizens}
                hint={words.citizensHint}
                back={back}
                of={citizens}
              />
            )}
            <Providers
              id="hospital-sign-in"
              title={words.hospital}
              hint={words.hospitalHint}
              back={back}
              of={hospitals}
            />
          </>
        );
      }}
    </Shown>
  );
}

function Providers(props: {
  readonly id: string;
  readonly title: string;
  readonly hint: string;
  readonly back: string;
  readonly of: readonly IdentityProvider[] | undefined;
}): ReactNode {
  const { id: heading, title, hint, back, of: providers = [] } = props;
  const { noHospital } = useText(shell).signIn;
  const { language } = useLanguage();
  return (
    <section className="panel" aria-labelledby={heading}>
      <h2 id={heading}>{title}</h2>
      <p className="fine">{providers.length === 0 ? noHospital : hint}</p>
      <ul className="hospitals">
        {providers.map(({ id, name, nameEn, loginUrl }) => (
          <li key={id}>
            <a href={`${loginUrl}?return=${encodeURIComponent(back)}`}>{language === 'en' ? (nameEn ?? name) : name}</a>
          </li>
        ))}
      </ul>
    </section>
  );
}
