/** An account under a flag says why before it reads: the dialog stands in place of what was asked for. An emergency passes it. */
import { Alert, Button, Input, Modal } from 'antd';
import { useState } from 'react';
import type { ReactNode, SyntheticEvent } from 'react';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { Shown, TroubleAlert } from '../../asking.tsx';
import type { Asked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { shell } from '../../text/shell.ts';
import { EmergencyDialog } from './emergency.tsx';

type Purpose = Schemas['Purpose'];
/** Whose records: by the person, or by an exam of theirs. */
type About = { readonly personId: string } | { readonly examId: string };

const PURPOSES: readonly Purpose[] = ['TREATMENT', 'CONSULTATION', 'RECOGNITION', 'SHARE', 'QC', 'RESEARCH'];

export const wantsReason = ({ fields }: Trouble): boolean => fields.some(({ code }) => code === 'reason-required');

/** What was asked for, or what stands before it. */
export function ReasonFirst<T>(props: {
  readonly asked: Asked<T>;
  readonly about: About;
  readonly children: (value: T, again: () => void) => ReactNode;
}): ReactNode {
  const { asked, about, children } = props;
  const words = useText(clinical);
  const [opening, setOpening] = useState<'reason' | 'emergency' | null>('reason');
  if (asked.state !== 'trouble' || !wantsReason(asked.trouble)) return <Shown asked={asked}>{children}</Shown>;
  const close = (): void => setOpening(null);
  return (
    <>
      <Alert type="warning" showIcon role="alert" title={words.reason.hint} />
      <p className="page-head">
        <Button type="primary" onClick={() => setOpening('reason')}>
          {words.reason.title}
        </Button>
        {'personId' in about ? (
          <Button danger onClick={() => setOpening('emergency')}>
            {words.search.emergency}
          </Button>
        ) : null}
      </p>
      {opening === 'reason' ? (
        <ReasonDialog about={about} close={close} done={asked.again} />
      ) : opening === 'emergency' && 'personId' in about ? (
        <EmergencyDialog personId={about.personId} close={close} done={asked.again} />
      ) : null}
    </>
  );
}

function ReasonDialog(props: {
  readonly about: About;
  readonly close: () => void;
  readonly done: () => void;
}): ReactNode {
  const { about, close, done } = props;
  const words = useText(clinical).reason;
  const { purpose, purposes } = useText(shell);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SyntheticEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const text = data.get('text');
    const said = { purpose: data.get('purpose') as Purpose, text: typeof text === 'string' ? text.trim() : '' };
    setBusy(true);
    const answer = await ask(api.POST('/access-reasons', { body: { ...about, ...said } }));
    setBusy(false);
    if (answer.ok) done();
    else setTrouble(answer.trouble);
  };
  return (
    <Modal open title={words.title} onCancel={close} footer={null} destroyOnHidden>
      <form className="dialog" onSubmit={(event) => void submit(event)} aria-busy={busy}>
        <p className="fine">{words.recorded}</p>
        <label>
          {purpose}
          <select name="purpose" defaultValue="TREATMENT">
            {PURPOSES.map((one) => (
              <option key={one} value={one}>
                {purposes[one]}
              </option>
            ))}
          </select>
        </label>
        <label>
          {words.text}
          <Input.TextArea name="text" required minLength={2} maxLength={1000} rows={3} placeholder={words.textHint} />
        </label>
        {trouble === null ? null : <TroubleAlert trouble={trouble} />}
        <div className="dialog-acts">
          <Button onClick={close}>{words.cancel}</Button>
          <Button type="primary" htmlType="submit" loading={busy}>
            {words.submit}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
