/** The code to show the doctor: a QR code to scan, or eight digits to read out; good once, for minutes. */
import { Button, QRCode } from 'antd';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { api, ask } from '../../api.ts';
import type { Trouble } from '../../api.ts';
import { TroubleAlert } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { patient } from '../../text/patient.ts';
import { dateTime } from '../clinical/format.ts';
import { FORM } from './consents-page.tsx';
import { OwnPage } from './own.tsx';

type Kind = 'token' | 'digits';
interface Drawn {
  readonly kind: Kind;
  readonly code: string;
  readonly expiresAt: string;
}

const MINUTES = 5;
const HOURS = [12, 24, 72];

export function MyCodePage(): ReactNode {
  const words = useText(patient).code;
  return <OwnPage title={words.title}>{(personId) => <Code personId={personId} />}</OwnPage>;
}

function Code({ personId }: { readonly personId: string }): ReactNode {
  const words = useText(patient).code;
  const [hours, setHours] = useState(12);
  const [drawn, setDrawn] = useState<Drawn | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  useEffect(() => {
    if (drawn === null) return;
    const timer = setTimeout(() => setDrawn(null), Date.parse(drawn.expiresAt) - Date.now());
    return () => clearTimeout(timer);
  }, [drawn]);
  const draw = async (kind: Kind): Promise<void> => {
    setTrouble(null);
    setDrawn(null);
    const body = { personId, kind, minutes: MINUTES, hours, form: FORM };
    const answer = await ask(api.POST('/present-codes', { body }));
    if (answer.ok) setDrawn({ kind, code: answer.value.code, expiresAt: answer.value.expiresAt });
    else setTrouble(answer.trouble);
  };
  return (
    <>
      <p>{words.intro}</p>
      <form className="choice" onSubmit={(event) => event.preventDefault()}>
        <label>
          {words.hours}
          <select value={hours} onChange={(event) => setHours(Number(event.target.value))}>
            {HOURS.map((one) => (
              <option key={one} value={one}>
                {words.hour(one)}
              </option>
            ))}
          </select>
        </label>
        <div className="code-acts">
          <Button type="primary" onClick={() => void draw('token')}>
            {words.qr}
          </Button>
          <Button onClick={() => void draw('digits')}>{words.digits}</Button>
        </div>
      </form>
      {trouble === null ? null : <TroubleAlert trouble={trouble} />}
      <div role="status">
        {drawn === null ? null : (
          <section className="panel present-code">
            {drawn.kind === 'token' ? (
              <QRCode type="svg" value={drawn.code} size={240} aria-label={words.image} />
            ) : (
              <p className="digits" aria-label={`${words.spoken}: ${Array.from(drawn.code).join(' ')}`}>
                {drawn.code.slice(0, 4)} {drawn.code.slice(4)}
              </p>
            )}
            <p>{words.until(dateTime(drawn.expiresAt))}</p>
            <Button onClick={() => setDrawn(null)}>{words.hide}</Button>
          </section>
        )}
      </div>
    </>
  );
}
