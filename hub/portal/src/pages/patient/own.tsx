/** What stands around each of the patient's pages: whose they are, as the hub says now; and longer lists, page by page. */
import { Alert, Button } from 'antd';
import { useCallback, useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { api, ask } from '../../api.ts';
import type { Answer, Schemas, Trouble } from '../../api.ts';
import { TroubleAlert, useAsked } from '../../asking.tsx';
import { useLanguage, useText } from '../../language.tsx';
import { useSession } from '../../session.tsx';
import { patient } from '../../text/patient.ts';
import { shell } from '../../text/shell.ts';

/** Where it is in doubt who the patient is, it says so and shows nothing. */
export function OwnPage(props: {
  readonly title: string;
  readonly children: (personId: string) => ReactNode;
}): ReactNode {
  const words = useText(patient).doubt;
  const { session } = useSession();
  const person = session?.person ?? null;
  return (
    <section className="mine">
      <h1 className="page-head">{props.title}</h1>
      {person === null ? (
        <Alert type="warning" showIcon role="alert" title={words.title} description={words.text} />
      ) : (
        props.children(person)
      )}
    </section>
  );
}

interface Paged<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export interface Loaded<T> {
  readonly items: readonly T[];
  readonly state: 'loading' | 'more' | 'end';
  readonly trouble: Trouble | null;
  readonly more: () => void;
}

/** All pages up to now; `ask` answers the page after a mark. What came before another `key` is dropped. */
export function usePaged<T>(key: string, page: (after: string | undefined) => Promise<Answer<Paged<T>>>): Loaded<T> {
  const [known, setKnown] = useState<{ key: string; items: readonly T[]; next: string | null } | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const current = known?.key === key ? known : null;
  const load = useCallback(
    async (before: readonly T[], after: string | undefined, isOver: () => boolean): Promise<void> => {
      setTrouble(null);
      const answer = await page(after);
      if (isOver()) return;
      if (answer.ok) setKnown({ key, items: [...before, ...answer.value.items], next: answer.value.next });
      else setTrouble(answer.trouble);
    },
    // `key` stands for everything that the page depends on.
    [key],
  );
  useEffect(() => {
    let over = false;
    void load([], undefined, () => over);
    return () => {
      over = true;
    };
  }, [load]);
  const state = current === null ? 'loading' : current.next === null ? 'end' : 'more';
  return {
    items: current?.items ?? [],
    state,
    trouble,
    more: () => void load(current?.items ?? [], current?.next ?? undefined, () => false),
  };
}

/** The list as far as it is there, what is said where it is empty, and the way to the rest. */
export function PagedList<T>(props: {
  readonly loaded: Loaded<T>;
  readonly none: string;
  readonly moreText: string;
  readonly children: (item: T) => ReactNode;
}): ReactNode {
  const { items, state, trouble, more } = props.loaded;
  const words = useText(shell);
  return (
    <>
      {items.length === 0 ? null : <ol className="line">{items.map((item) => props.children(item))}</ol>}
      {trouble === null ? null : <TroubleAlert trouble={trouble} again={more} />}
      {trouble === null && state === 'loading' ? (
        <p className="waiting" role="status">
          {words.loading}
        </p>
      ) : null}
      {state === 'end' && items.length === 0 ? <p className="empty">{props.none}</p> : null}
      {state === 'more' ? <Button onClick={more}>{props.moreText}</Button> : null}
    </>
  );
}

export type Institution = Schemas['Institution'];
const PAGES = 10;

async function allInstitutions(): Promise<Answer<readonly Institution[]>> {
  const found: Institution[] = [];
  let after: string | undefined;
  for (let page = 0; page < PAGES; page++) {
    const query = { limit: 200, ...(after === undefined ? {} : { after }) };
    const answer = await ask(api.GET('/institutions', { params: { query } }));
    if (!answer.ok) return answer;
    found.push(...answer.value.items);
    if (answer.value.next === null) break;
    after = answer.value.next;
  }
  return { ok: true, value: found };
}

/** Institutions by code, and what each is called in the reader's language; a code that is not known is said as it is. */
export function useInstitutions(): { readonly all: readonly Institution[]; readonly nameOf: (code: string) => string } {
  const { language } = useLanguage();
  const asked = useAsked('institutions', allInstitutions);
  const all = asked.state === 'answered' ? asked.value : [];
  const nameOf = (code: string): string => {
    const found = all.find((one) => one.code === code);
    return (language === 'en' ? found?.nameEn : null) ?? found?.nameZh ?? code;
  };
  return { all, nameOf };
}
