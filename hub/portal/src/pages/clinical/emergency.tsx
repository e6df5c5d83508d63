/** Breaking the glass: an emergency opens a patient's records at once, with a reason that somebody reads the next day. */
import { Alert, Button, Input, Modal } from 'antd';
import { useState } from 'react';
import type { ReactNode, SyntheticEvent } from 'react';
import type { Trouble } from '../../api.ts';
import { TroubleAlert } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { breakGlass, EMERGENCY_REASONS } from './gates.ts';
import type { EmergencyReason } from './gates.ts';

const HOURS = [1, 4, 8, 24] as const;

export interface GateDialog {
  readonly personId: string;
  readonly close: () => void;
  readonly done: () => void;
}

export function EmergencyDialog({ personId, close, done }: GateDialog): ReactNode {
  const words = useText(clinical).emergency;
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SyntheticEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const text = data.get('text');
    setBusy(true);
    const answer = await breakGlass({
      personId,
      reason: data.get('reason') as EmergencyReason,
      text: typeof text === 'string' ? text.trim() : '',
      hours: Number(data.get('hours')),
    });
    setBusy(false);
    if (answer.ok) done();
    else setTrouble(answer.trouble);
  };
  return (
    <Modal open title={words.title} onCancel={close} footer={null} destroyOnHidden>
      <form className="dialog" onSubmit={(event) => void submit(event)} aria-busy={busy}>
        <Alert type="warning" showIcon title={words.warning} />
        <label>
          {words.reason}
          <select name="reason" defaultValue="life-threatening">
            {EMERGENCY_REASONS.map((reason) => (
              <option key={reason} value={reason}>
                {words.reasons[reason]}
              </option>
            ))}
          </select>
        </label>
        <label>
          {words.text}
          <Input.TextArea name="text" required minLength={2} maxLength={1000} rows={3} placeholder={words.textHint} />
        </label>
        <label>
          {words.hours}
          <select name="hours" defaultValue="4">
            {HOURS.map((hours) => (
              <option key={hours} value={hours}>
                {words.hour(hours)}
              </option>
            ))}
          </select>
        </label>
        {trouble === null ? null : <TroubleAlert trouble={trouble} />}
        <div className="dialog-acts">
          <Button onClick={close}>{words.cancel}</Button>
          <Button danger type="primary" htmlType="submit" loading={busy}>
            {words.submit}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
