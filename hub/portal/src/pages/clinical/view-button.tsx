/**
 * Opens the images of an exam in the diagnostic viewer: over the page where a viewer waits, in a tab of its own where none
 * does, or where the reader asks for one as for any link (Ctrl, Command, Shift).
 */
import { Button } from 'antd';
import { useState } from 'react';
import type { MouseEvent, ReactNode } from 'react';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { useViewer } from '../../viewer-frame.tsx';
import { launchViewer } from './gates.ts';

export function ViewButton(props: { readonly examId: string; readonly primary?: boolean }): ReactNode {
  const words = useText(clinical).exam;
  const viewer = useViewer();
  const [state, setState] = useState<'ready' | 'busy' | 'failed'>('ready');
  const launched = async (): Promise<string | null> => {
    setState('busy');
    const answer = await launchViewer(props.examId);
    setState(answer.ok ? 'ready' : 'failed');
    return answer.ok ? answer.value : null;
  };
  const inTab = async (): Promise<void> => {
    // Opened in the click itself, or the browser takes it for an advertisement; it is led on when the link is there.
    const tab = window.open('about:blank', '_blank');
    const link = await launched();
    if (link === null) tab?.close();
    else if (tab === null) location.assign(link);
    else {
      tab.opener = null;
      tab.location.replace(link);
    }
  };
  const open = (event: MouseEvent): void => {
    const wantsTab = event.ctrlKey || event.metaKey || event.shiftKey;
    if (!wantsTab && viewer.isThere()) viewer.show(launched());
    else void inTab();
  };
  return (
    <span>
      <Button type={props.primary === true ? 'primary' : 'default'} loading={state === 'busy'} onClick={open}>
        {words.view}
      </Button>
      {state === 'failed' ? (
        <span role="alert" className="alarm">
          {' '}
          {words.viewFailed}
        </span>
      ) : null}
    </span>
  );
}
