/** Signing in: at one's own hospital, or with an account of the platform and whatever else the hub asks of it. */
import { Alert } from 'antd';
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { Navigate, useSearchParams } from 'react-router';
import { Shown, TroubleAlert, useAsked } from '../asking.tsx';
import { useLanguage, useText } from '../language.tsx';
import { LanguageButton } from '../layout.tsx';
import { identityProviders } from '../session-api.ts';
import { safeReturn, useSession } from '../session.tsx';
import { shell } from '../text/shell.ts';
import { SignInSteps } from './sign-in-steps.tsx';

/** Why who came from a hospital's own sign-on is not in (hub/api/saml). */
type Refused = 'refused' | 'account' | 'role';

export function SignInPage(): ReactNode {
  const { session, begun, ended, away, refresh } = useSession();
  const words = useText(shell);
  const [parameters] = useSearchParams();
  const back = safeReturn(parameters.get('return'));
  const refused = parameters.get('problem') ?? '';
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
        {Object.hasOwn(words.signIn.refused, refused) ? (
          <Alert
            type="error"
            showIcon
            title={words.signIn.refused[refused as Refused]}
            className="page-head"
            role="alert"
          />
        ) : null}
        {away === null ? null : <TroubleAlert trouble={away} again={() => void refresh()} />}
        {begun === null ? <Hospitals back={back} /> : null}
        <SignInSteps />
        <p className="fine">{words.signIn.notice}</p>
      </main>
    </div>
  );
}

function Hospitals({ back }: { readonly back: string }): ReactNode {
  const words = useText(shell).signIn;
  const { language } = useLanguage();
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
                {providers.map(({ id, name, nameEn, loginUrl }) => (
                  <li key={id}>
                    <a href={`${loginUrl}?return=${encodeURIComponent(back)}`}>
                      {language === 'en' ? (nameEn ?? name) : name}
                    </a>
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
