/** Opens the images of an exam in the diagnostic viewer, in a window of its own. */
import { Button } from 'antd';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { launchViewer } from './gates.ts';

export function ViewButton(props: { readonly examId: string; readonly primary?: boolean }): ReactNode {
  const words = useText(clinical).exam;
  const [state, setState] = useState<'ready' | 'busy' | 'failed'>('ready');
  const open = async (): Promise<void> => {
    // Opened in the click itself, or the browser takes it for an advertisement; it is led on when the link is there.
    const tab = window.open('about:blank', '_blank');
    setState('busy');
    const answer = await launchViewer(props.examId);
    setState(answer.ok ? 'ready' : 'failed');
    if (!answer.ok) tab?.close();
    else if (tab === null) location.assign(answer.value);
    else {
      tab.opener = null;
      tab.location.replace(answer.value);
    }
  };
  return (
    <span>
      <Button
        type={props.primary === true ? 'primary' : 'default'}
        loading={state === 'busy'}
        onClick={() => void open()}
      >
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
