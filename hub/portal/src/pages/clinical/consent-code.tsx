/** The patient is here and shows a code: entering it is their consent for the reader's institution. */
import { Button, Input, Modal } from 'antd';
import { useState } from 'react';
import type { ReactNode, SyntheticEvent } from 'react';
import type { Trouble } from '../../api.ts';
import { TroubleAlert } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import type { GateDialog } from './emergency.tsx';
import { redeemCode } from './gates.ts';

export function ConsentCodeDialog({ personId, close, done }: GateDialog): ReactNode {
  const words = useText(clinical).consent;
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SyntheticEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const code = new FormData(event.currentTarget).get('code');
    setBusy(true);
    const answer = await redeemCode(personId, typeof code === 'string' ? code.replace(/\s/g, '') : '');
    setBusy(false);
    if (answer.ok) done();
    else setTrouble(answer.trouble);
  };
  return (
    <Modal open title={words.title} onCancel={close} footer={null} destroyOnHidden>
      <form className="dialog" onSubmit={(event) => void submit(event)} aria-busy={busy} autoComplete="off">
        <p>{words.hint}</p>
        <label>
          {words.code}
          <Input
            name="code"
            required
            autoFocus
            maxLength={30}
            pattern="\s*([0-9]{4}\s?[0-9]{4}|[A-Za-z0-9_\-]{22})\s*"
            title={words.malformed}
            spellCheck={false}
          />
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
