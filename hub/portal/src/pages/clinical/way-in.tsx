/**
 * What stands where a record is closed to its reader, or not any more theirs: the patient's code and the emergency where it
 * is known whose it is, and the search, which offers both. Nobody in an emergency stands before a wall.
 */
import { Button } from 'antd';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'react-router';
import type { Trouble } from '../../api.ts';
import { TroubleAlert } from '../../asking.tsx';
import type { Asked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { ConsentCodeDialog } from './consent-code.tsx';
import { EmergencyDialog } from './emergency.tsx';
import { wantsReason } from './reason.tsx';

/** The refusal of a record that another way may open; one that wants a reason has its own (ReasonFirst). */
export const closedBy = <T,>(asked: Asked<T>, ...statuses: readonly number[]): Trouble | null =>
  asked.state === 'trouble' && statuses.includes(asked.trouble.status) && !wantsReason(asked.trouble)
    ? asked.trouble
    : null;

/** Whose exam it is, as the time line that led here told with its link: a refusal does not tell. */
export function usePersonBefore(): string | null {
  const state = useLocation().state as { readonly personId?: unknown } | null;
  return typeof state?.personId === 'string' ? state.personId : null;
}

export function WayIn(props: {
  readonly trouble: Trouble;
  readonly personId: string | null;
  readonly done: () => void;
}): ReactNode {
  const { trouble, personId, done } = props;
  const words = useText(clinical).search;
  const [opening, setOpening] = useState<'code' | 'emergency' | null>(null);
  const close = (): void => setOpening(null);
  return (
    <>
      <h1 className="sr-only">{words.closed}</h1>
      <TroubleAlert trouble={trouble} />
      <p className="page-head">
        {personId === null ? null : (
          <>
            <Button onClick={() => setOpening('code')}>{words.useCode}</Button>
            <Button danger onClick={() => setOpening('emergency')}>
              {words.emergency}
            </Button>
          </>
        )}
        <Link to="/patients">{words.back}</Link>
      </p>
      {personId === null || opening === null ? null : opening === 'code' ? (
        <ConsentCodeDialog personId={personId} close={close} done={done} />
      ) : (
        <EmergencyDialog personId={personId} close={close} done={done} />
      )}
    </>
  );
}
