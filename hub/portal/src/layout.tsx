/** What stands around every page: the name of the product, the navigation, and who is signed in as what. */
import { Button } from 'antd';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode, RefObject } from 'react';
import { NavLink, useLocation } from 'react-router';
import { AccountMenu } from './account-menu.tsx';
import { useLanguage, useText } from './language.tsx';
import type { PortalPage } from './page.ts';
import { shell } from './text/shell.ts';

export function Layout(props: { readonly pages: readonly PortalPage[]; readonly children: ReactNode }): ReactNode {
  const words = useText(shell);
  const { language } = useLanguage();
  const { pathname } = useLocation();
  const [open, setOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    setOpen(false);
  }, [pathname]);
  useStandAtHeading(main, pathname);
  return (
    <>
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {words.skip}
      </a>
      <header className="bar">
        <a className="brand" href="/">
          <strong>{words.product}</strong>
          <span className="wide">{words.productLine}</span>
        </a>
        <button
          type="button"
          className="narrow menu-button"
          aria-expanded={open}
          aria-controls="navigation"
          onClick={() => setOpen(!open)}
        >
          {open ? words.close : words.menu}
        </button>
        <nav id="navigation" aria-label={words.navigation} className={open ? 'open' : ''}>
          {props.pages
            .filter(({ inMenu }) => inMenu)
            .map(({ path, title }) => (
              <NavLink key={path} to={path}>
                {title[language]}
              </NavLink>
            ))}
        </nav>
        <div className="bar-end">
          <LanguageButton />
          <AccountMenu />
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {props.children}
      </main>
    </>
  );
}

/**
 * Another page is read from its heading (WCAG 2.4.3): the link that led there is gone, and the focus with it. A page that
 * put it somewhere itself keeps it there, and a reader who acts before the page is there is left where they are.
 */
function useStandAtHeading(main: RefObject<HTMLElement | null>, pathname: string): void {
  const from = useRef(pathname);
  useEffect(() => {
    const page = main.current;
    if (page === null || from.current === pathname) return;
    from.current = pathname;
    const wait = new MutationObserver(() => stand());
    const leave = (): void => {
      wait.disconnect();
      for (const act of ['keydown', 'pointerdown']) removeEventListener(act, leave, true);
    };
    const stand = (): void => {
      const heading = page.querySelector('h1');
      if (heading === null) return;
      leave();
      const held = document.activeElement?.closest('#main > *, [role=dialog]') ?? null;
      if (held !== null) return;
      heading.tabIndex = -1;
      heading.focus();
    };
    for (const act of ['keydown', 'pointerdown']) addEventListener(act, leave, true);
    wait.observe(page, { childList: true, subtree: true });
    stand();
    return leave;
  }, [main, pathname]);
}

/** Says the other language's name in that language. */
export function LanguageButton(): ReactNode {
  const { language, speak } = useLanguage();
  const words = useText(shell);
  const other = language === 'zh' ? 'en' : 'zh';
  return (
    <Button
      type="text"
      size="small"
      className="on-bar"
      lang={other === 'zh' ? 'zh-CN' : 'en'}
      onClick={() => speak(other)}
    >
      {words.language}
    </Button>
  );
}
