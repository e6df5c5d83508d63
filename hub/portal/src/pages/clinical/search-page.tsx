/** Finding a patient by a number, a phone, or name and birth date. What is asked never stands in an address. */
import { Button, Input, Radio } from 'antd';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode, SyntheticEvent } from 'react';
import { useNavigate } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { TroubleAlert } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { useSession } from '../../session.tsx';
import { clinical } from '../../text/clinical.ts';
import { ConsentCodeDialog } from './consent-code.tsx';
import { EmergencyDialog } from './emergency.tsx';
import { FoundPersons } from './found-persons.tsx';

export type Found = Schemas['PersonFound'];
type Question = Schemas['PersonQuestion'];
type Way = 'residentId' | 'number' | 'phone' | 'name';
const LIMIT = 20;
const WAYS: readonly Way[] = ['residentId', 'number', 'phone', 'name'];

interface Result {
  readonly question: Question;
  readonly items: readonly Found[];
  readonly next: string | null;
}

/** What was last found, for the way back from a time line: in memory only, and of this account only. */
let last: { readonly account: string; readonly way: Way; readonly result: Result } | null = null;

export function SearchPage(): ReactNode {
  const words = useText(clinical).search;
  const account = useSession().session?.account.loginName ?? '';
  const kept = last?.account === account ? last : null;
  const [way, setWay] = useState<Way>(kept?.way ?? 'residentId');
  const [result, setResult] = useState<Result | null>(kept?.result ?? null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [busy, setBusy] = useState(false);
  const [opening, setOpening] = useState<{ readonly by: 'code' | 'emergency'; readonly personId: string } | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const panel = useRef<HTMLElement>(null);
  const asked = useRef(false);
  // Once, when the page comes: choosing another way by the keyboard must not lose its place (WCAG 3.2.2).
  useEffect(() => {
    if (last === null) panel.current?.querySelector<HTMLInputElement>('form input')?.focus();
  }, []);
  // The answer is read next, by eye or by screen reader; more of it leaves the reader where they are.
  useEffect(() => {
    if (asked.current && result !== null && result.items.length <= LIMIT) heading.current?.focus();
  }, [result]);
  const navigate = useNavigate();

  const search = async (question: Question, before: readonly Found[] = []): Promise<void> => {
    asked.current = true;
    setBusy(true);
    setTrouble(null);
    const answer = await ask(api.POST('/persons/search', { body: question }));
    setBusy(false);
    if (!answer.ok) {
      setResult(null);
      setTrouble(answer.trouble);
      return;
    }
    const found = { question, items: [...before, ...answer.value.items], next: answer.value.next };
    last = { account, way, result: found };
    setResult(found);
  };

  return (
    <>
      <h1 className="page-head">{words.title}</h1>
      <section className="panel" ref={panel}>
        <Radio.Group
          value={way}
          aria-label={words.by}
          optionType="button"
          options={WAYS.map((value) => ({ value, label: words.ways[value] }))}
          onChange={(event) => {
            setWay(event.target.value as Way);
            setTrouble(null);
          }}
        />
        <SearchForm key={way} way={way} busy={busy} search={(question) => void search(question)} />
      </section>
      {trouble === null ? null : <TroubleAlert trouble={trouble} />}
      {result === null ? null : (
        <section aria-live="polite">
          <h2 ref={heading} tabIndex={-1}>
            {result.items.length === 0 ? words.none : words.results(result.items.length)}
          </h2>
          {result.items.length === 0 ? (
            <p className="fine">{words.noneHint}</p>
          ) : (
            <FoundPersons items={result.items} open={(by, personId) => setOpening({ by, personId })} />
          )}
          {result.next === null ? null : (
            <Button
              loading={busy}
              onClick={() => void search({ ...result.question, after: result.next ?? '' }, result.items)}
            >
              {words.more}
            </Button>
          )}
        </section>
      )}
      {opening === null ? null : opening.by === 'code' ? (
        <ConsentCodeDialog personId={opening.personId} close={() => setOpening(null)} done={goTo(opening.personId)} />
      ) : (
        <EmergencyDialog personId={opening.personId} close={() => setOpening(null)} done={goTo(opening.personId)} />
      )}
    </>
  );

  function goTo(personId: string): () => void {
    return () => {
      last = null; // what was closed is open now
      void navigate(`/persons/${personId}`);
    };
  }
}

function SearchForm(props: {
  readonly way: Way;
  readonly busy: boolean;
  readonly search: (question: Question) => void;
}): ReactNode {
  const { way, busy } = props;
  const words = useText(clinical);
  const submit = (event: SyntheticEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const text = (name: string): string => {
      const value = data.get(name);
      return typeof value === 'string' ? value.trim() : '';
    };
    if (text(way) === '') return;
    const sex = text('sex');
    props.search({
      limit: LIMIT,
      [way]: text(way),
      ...(way === 'name' ? { birthDate: text('birthDate').replace(/\D/g, '') } : {}),
      ...(way === 'name' && (sex === 'male' || sex === 'female') ? { sex } : {}),
    });
  };
  const { search, person } = words;
  return (
    <form className="search-form" onSubmit={submit} aria-busy={busy} autoComplete="off">
      <label className="grow">
        {search[way]}
        <Input
          name={way}
          required
          maxLength={way === 'number' ? 128 : 100}
          inputMode={way === 'phone' ? 'tel' : 'text'}
          spellCheck={false}
        />
      </label>
      {way === 'name' ? (
        <>
          <label>
            {search.birthDate}
            <Input
              name="birthDate"
              required
              inputMode="numeric"
              pattern="\d{4}[\-\/.]?\d{2}[\-\/.]?\d{2}"
              placeholder={search.birthHint}
              title={search.birthHint}
              maxLength={10}
            />
          </label>
          <label>
            {search.sex}
            <select name="sex" defaultValue="">
              <option value="">{search.anySex}</option>
              <option value="male">{person.sexes.male}</option>
              <option value="female">{person.sexes.female}</option>
            </select>
          </label>
        </>
      ) : null}
      <Button type="primary" htmlType="submit" loading={busy}>
        {search.submit}
      </Button>
    </form>
  );
}
