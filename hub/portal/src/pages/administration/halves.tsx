/** One half of a secret, shown once: to be copied, with what to do with it; and what was asked for and waits. */
import { Button } from 'antd';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Schemas } from '../../api.ts';
import { useText } from '../../language.tsx';
import { approval } from '../../text/approval.ts';
import { stamp } from '../operations/format.ts';

export function Half(props: {
  readonly place: 'first' | 'second';
  readonly of: 'code' | 'token';
  readonly half: string;
  readonly until?: string | null;
}): ReactNode {
  const words = useText(approval).half;
  const { place, of, half, until = null } = props;
  return (
    <>
      <p>
        {words[place][of]} <code className="ops-break">{half}</code> <Copy text={half} />
      </p>
      <p>
        {words.once} {until === null ? '' : words.until(stamp(until))} {words[of]}{' '}
        {place === 'first' ? words.waits : ''}
      </p>
    </>
  );
}

/** Browsers give the clipboard to secure pages only; elsewhere the text is selected by hand. */
function Copy({ text }: { readonly text: string }): ReactNode {
  const words = useText(approval).half;
  const [copied, setCopied] = useState(false);
  if (!window.isSecureContext) return null;
  return (
    <>
      <Button
        size="small"
        onClick={() =>
          void navigator.clipboard.writeText(text).then(
            () => setCopied(true),
            () => setCopied(false),
          )
        }
      >
        {words.copy}
      </Button>{' '}
      <span>{copied ? words.copied : ''}</span>
    </>
  );
}

/** What the asker is told. */
export function AskedFor(props: {
  readonly name: string;
  readonly approval: Schemas['AskedApproval'];
  readonly of: 'code' | 'token';
}): ReactNode {
  const words = useText(approval);
  const { firstHalf, approvers, id, lapsesAt } = props.approval;
  return (
    <div role="status" className="ops-note-line">
      <p>
        {props.name} · {words.asked} {words.lapsesAt} {stamp(lapsesAt)}
      </p>
      {approvers > 0 ? null : (
        <p>
          {words.nobodyYet} {words.requestId} <code className="ops-break">{id}</code>
        </p>
      )}
      {firstHalf === null ? null : <Half place="first" of={props.of} half={firstHalf} />}
    </div>
  );
}
