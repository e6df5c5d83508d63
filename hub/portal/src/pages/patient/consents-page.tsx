/** What I agreed to and refused: what stands, what a refusal means, a new choice for an institution, and withdrawing. */
import { Alert, Button } from 'antd';
import { useId, useState } from 'react';
import type { ReactNode, SyntheticEvent } from 'react';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { Shown, TroubleAlert, useAsked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { patient } from '../../text/patient.ts';
import { shell } from '../../text/shell.ts';
import { dateTime } from '../clinical/format.ts';
import { OwnPage, useInstitutions } from './own.tsx';

type Consent = Schemas['Consent'];
type Effect = 'deny' | 'permit';
type Period = 'open' | 'month' | 'year';

/** Which words the patient was shown: the text of this page in its version (PIPL 14). */
export const FORM = 'urn:hutong:consent-form:portal-2026-11';
const DAYS: Readonly<Record<Exclude<Period, 'open'>, number>> = { month: 30, year: 365 };

export function MyConsentsPage(): ReactNode {
  const words = useText(patient).consents;
  return <OwnPage title={words.title}>{(personId) => <Consents personId={personId} />}</OwnPage>;
}

function Consents({ personId }: { readonly personId: string }): ReactNode {
  const words = useText(patient).consents;
  const institutions = useInstitutions();
  // Said here, since the list below is asked for anew.
  const [saved, setSaved] = useState(false);
  const asked = useAsked(personId, (signal) =>
    ask(api.GET('/persons/{id}/consents', { params: { path: { id: personId }, query: { limit: 200 } }, signal })),
  );
  return (
    <>
      <section className="panel">
        <h2>{words.meaning}</h2>
        <ul>
          {words.points.map((point) => (
            <li key={point}>{point}</li>
          ))}
        </ul>
      </section>
      {saved ? <Alert type="success" showIcon role="status" title={words.saved} /> : null}
      <Shown asked={asked}>
        {({ items }, again) => {
          const { nameOf } = institutions;
          const changed = (isSaved: boolean) => (): void => {
            setSaved(isSaved);
            again();
          };
          const standing = items.filter(({ status }) => status === 'active');
          const past = items.filter(({ status }) => status !== 'active');
          return (
            <>
              <section className="panel" aria-labelledby="standing">
                <h2 id="standing">{words.standing}</h2>
                {standing.length === 0 ? <p className="fine">{words.none}</p> : null}
                <ul className="line">
                  {standing.map((one) => (
                    <Said key={one.consentId} consent={one} nameOf={nameOf} changed={changed(false)} />
                  ))}
                </ul>
              </section>
              <Choice personId={personId} institutions={institutions} done={changed(true)} />
              {past.length === 0 ? null : (
                <details>
                  <summary>{words.past}</summary>
                  <ul className="line">
                    {past.map((one) => (
                      <Said key={one.consentId} consent={one} nameOf={nameOf} changed={null} />
                    ))}
                  </ul>
                </details>
              )}
            </>
          );
        }}
      </Shown>
    </>
  );
}

/** Each rule in words; `changed`: it can be withdrawn. */
function Said(props: {
  readonly consent: Consent;
  readonly nameOf: (code: string) => string;
  readonly changed: (() => void) | null;
}): ReactNode {
  const { consent, nameOf, changed } = props;
  const words = useText(patient).consents;
  const { purposes } = useText(shell);
  const [asking, setAsking] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const withdraw = async (): Promise<void> => {
    const { consentId: id, version } = consent;
    const answer = await ask(api.POST('/consents/{id}/withdraw', { params: { path: { id } }, body: { version } }));
    if (answer.ok) changed?.();
    else setTrouble(answer.trouble);
  };
  const places = (codes: readonly string[]): string => codes.map(nameOf).join('、');
  return (
    <li className="exam-row">
      <div className="row-main">
        {consent.rules.map((rule, at) => (
          <p key={at}>
            {rule.exceptionOf === null ? null : `${words.exception}: `}
            <strong>
              {words.effects[rule.effect]} · {rule.recipients.length === 0 ? words.everyone : places(rule.recipients)}
            </strong>{' '}
            <span className="fine">
              {[
                ...rule.purposes.map((purpose) => purposes[purpose]),
                ...(rule.sources.length === 0 ? [] : [words.of(places(rule.sources))]),
                ...(rule.labels.length === 0 ? [] : [words.labels]),
                ...(rule.from === null ? [] : [words.from(dateTime(rule.from))]),
                ...(rule.until === null ? [] : [words.until(dateTime(rule.until))]),
              ].join(' · ')}
            </span>
          </p>
        ))}
        <p className="fine">
          {words.channels[consent.channel]} · {words.given(dateTime(consent.givenAt))}
        </p>
        {trouble === null ? null : <TroubleAlert trouble={trouble} />}
      </div>
      {changed === null ? null : (
        <div className="row-acts">
          {asking ? (
            <>
              <span>{words.withdrawSure}</span>
              <Button type="primary" danger autoFocus onClick={() => void withdraw()}>
                {words.withdraw}
              </Button>
              <Button onClick={() => setAsking(false)}>{words.cancel}</Button>
            </>
          ) : (
            <Button onClick={() => setAsking(true)}>{words.withdraw}</Button>
          )}
        </div>
      )}
    </li>
  );
}

const textIn = (data: FormData, name: string): string => {
  const value = data.get(name);
  return typeof value === 'string' ? value : '';
};

function untilOf(period: Period): { readonly until?: string } {
  if (period === 'open') return {};
  return { until: new Date(Date.now() + DAYS[period] * 86_400_000).toISOString() };
}

function Choice(props: {
  readonly personId: string;
  readonly institutions: ReturnType<typeof useInstitutions>;
  readonly done: () => void;
}): ReactNode {
  const { personId, done } = props;
  const { all, nameOf } = props.institutions;
  const words = useText(patient).consents;
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [busy, setBusy] = useState(false);
  const id = useId();
  const submit = async (event: SyntheticEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const [effect, code] = [textIn(data, 'effect') as Effect, textIn(data, 'institution')];
    const recipients = code === '*' ? [] : [code];
    setBusy(true);
    setTrouble(null);
    const rules = [{ effect, recipients, ...untilOf(textIn(data, 'period') as Period) }];
    const answer = await ask(api.POST('/consents', { body: { personId, form: FORM, rules } }));
    setBusy(false);
    if (answer.ok) done();
    else setTrouble(answer.trouble);
  };
  return (
    <section className="panel" aria-labelledby={id}>
      <h2 id={id}>{words.add}</h2>
      <form className="choice" onSubmit={(event) => void submit(event)} aria-busy={busy}>
        <fieldset>
          <legend>{words.effect}</legend>
          {(['deny', 'permit'] as const).map((effect) => (
            <label key={effect} className="check">
              <input type="radio" name="effect" value={effect} defaultChecked={effect === 'deny'} />{' '}
              {words.effects[effect]}
            </label>
          ))}
        </fieldset>
        <label>
          {words.institution}
          <select name="institution" required defaultValue="">
            <option value="" disabled>
              {words.choose}
            </option>
            {all
              .filter(({ state: stands }) => stands === 'approved')
              .map(({ code }) => (
                <option key={code} value={code}>
                  {nameOf(code)}
                </option>
              ))}
            <option value="*">{words.everyone}</option>
          </select>
        </label>
        <label>
          {words.period}
          <select name="period" defaultValue="open">
            {(['open', 'year', 'month'] as const).map((period) => (
              <option key={period} value={period}>
                {words.periods[period]}
              </option>
            ))}
          </select>
        </label>
        <Button type="primary" htmlType="submit" loading={busy}>
          {words.submit}
        </Button>
      </form>
      {trouble === null ? null : <TroubleAlert trouble={trouble} />}
    </section>
  );
}
