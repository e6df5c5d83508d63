/** The portal as a whole: language, theme, session, and the routes that the pages' own lists make. */
import { ConfigProvider } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import { Suspense, lazy, useEffect } from 'react';
import type { ReactNode } from 'react';
import { BrowserRouter, Navigate, Route, Routes, useLocation } from 'react-router';
import { PAGES, pagesOf } from './areas.ts';
import { TroubleAlert } from './asking.tsx';
import { Boundary } from './boundary.tsx';
import { LanguageProvider, useLanguage, useText } from './language.tsx';
import { Layout } from './layout.tsx';
import { NoticeBar } from './notice-bar.tsx';
import type { PortalPage } from './page.ts';
import { SignInPage } from './pages/sign-in.tsx';
import { SessionProvider, useSession } from './session.tsx';
import { shell } from './text/shell.ts';
import { THEME } from './theme.ts';
import { ViewerProvider } from './viewer-frame.tsx';

const COMPONENTS = new Map(PAGES.map((page) => [page, lazy(async () => ({ default: await page.load() }))] as const));

export function App(): ReactNode {
  return (
    <LanguageProvider>
      <Themed>
        <SessionProvider>
          <BrowserRouter>
            <Routes>
              <Route path="/login" element={<SignInPage />} />
              <Route path="*" element={<SignedIn />} />
            </Routes>
          </BrowserRouter>
        </SessionProvider>
      </Themed>
    </LanguageProvider>
  );
}

function Themed({ children }: { readonly children: ReactNode }): ReactNode {
  const { language } = useLanguage();
  return (
    <ConfigProvider locale={language === 'zh' ? zhCN : enUS} theme={THEME} button={{ autoInsertSpace: false }}>
      {children}
    </ConfigProvider>
  );
}

/** Everything behind the sign-in; who is nobody is sent there, and back afterwards. */
function SignedIn(): ReactNode {
  const { session, away, refresh } = useSession();
  const { pathname, search } = useLocation();
  const words = useText(shell);
  if (session === undefined && away !== null)
    return (
      <main>
        <TroubleAlert trouble={away} again={() => void refresh()} />
      </main>
    );
  if (session === undefined)
    return (
      <p className="waiting" role="status">
        {words.loading}
      </p>
    );
  if (session === null) return <Navigate replace to={`/login?return=${encodeURIComponent(pathname + search)}`} />;
  const pages = pagesOf(session.role);
  const first = pages.find(({ inMenu }) => inMenu);
  return (
    <Layout pages={pages}>
      {/* Asked anew by whoever it is now, and for what: nothing that another was shown stays. */}
      <ViewerProvider key={`${session.account.loginName} ${session.role ?? ''} ${session.purpose}`}>
        <NoticeBar />
        <Boundary>
          <Suspense
            fallback={
              <p className="waiting" role="status">
                {words.loading}
              </p>
            }
          >
            <Routes>
              {pages.map((page) => (
                <Route key={page.path} path={page.path} element={<Page page={page} />} />
              ))}
              <Route
                path="/"
                element={
                  first === undefined ? <p className="empty">{words.noAreas}</p> : <Navigate replace to={first.path} />
                }
              />
              <Route path="*" element={<NoPage />} />
            </Routes>
          </Suspense>
        </Boundary>
      </ViewerProvider>
    </Layout>
  );
}

function Page({ page }: { readonly page: PortalPage }): ReactNode {
  const { language } = useLanguage();
  const words = useText(shell);
  const Component = COMPONENTS.get(page);
  const title = page.title[language];
  useEffect(() => {
    document.title = `${title} · ${words.product}`;
  }, [title, words.product]);
  return Component === undefined ? null : <Component />;
}

function NoPage(): ReactNode {
  const words = useText(shell);
  return (
    <section className="empty">
      <h1>{words.notFoundTitle}</h1>
      <p>{words.notFoundText}</p>
      <a href="/">{words.home}</a>
    </section>
  );
}
