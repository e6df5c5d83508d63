/** Which language the page speaks: Chinese unless its reader chose English; the choice is kept in the browser. */
import { createContext, use, useEffect, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { Dictionary, Language } from './text/dictionary.ts';

const KEY = 'hutong.language';

interface Speaking {
  readonly language: Language;
  readonly speak: (language: Language) => void;
}

const Context = createContext<Speaking>({ language: 'zh', speak: () => undefined });

function kept(): Language {
  try {
    return localStorage.getItem(KEY) === 'en' ? 'en' : 'zh';
  } catch {
    return 'zh'; // a browser that keeps nothing still speaks
  }
}

export function LanguageProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [language, setLanguage] = useState<Language>(kept);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }, [language]);
  const value = useMemo(
    () => ({
      language,
      speak: (wanted: Language): void => {
        setLanguage(wanted);
        try {
          localStorage.setItem(KEY, wanted);
        } catch {
          setLanguage(wanted); // it lasts as long as the page
        }
      },
    }),
    [language],
  );
  return <Context value={value}>{children}</Context>;
}

export const useLanguage = (): Speaking => use(Context);

/** The words of an area in the language of the reader. */
export const useText = <T extends object>(dictionary: Dictionary<T>): T => dictionary[use(Context).language];
