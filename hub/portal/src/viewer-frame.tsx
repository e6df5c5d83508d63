/**
 * The viewer in a frame over the page, started while the reader reads the exam, so that a click shows images at once. At
 * most one, without a study until the click, and thrown away when it is closed, when the page it was shown over is left and
 * when the session ends: nothing of a patient stays in it. Where a device or a line is small it is not started, and a tab opens as ever.
 */
import { Button } from 'antd';
import { createContext, use, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { ReactNode, RefObject } from 'react';
import { useLocation } from 'react-router';
import { noteActs } from './idle.ts';
import { useText } from './language.tsx';
import { shell } from './text/shell.ts';

interface Viewer {
  /** Starts a viewer that waits, where that is sensible. Call it where the reader may open images soon. */
  readonly prepare: () => void;
  /** Whether one was started, so that `show` shows it. */
  readonly isThere: () => boolean;
  /** Shows it at once; the images follow when `link` is there. Null: there is none, and it is closed again. */
  readonly show: (link: Promise<string | null>) => void;
}

type Stage = 'none' | 'starting' | 'ready' | 'shown';

const WAITING = '/viewer/waiting';
/** After the page itself has what it needs. */
const PAUSE_MS = 600;
/** Started later than this, the frame goes to the link by itself, as a tab would. */
const PATIENCE_MS = 8_000;

const Context = createContext<Viewer | null>(null);

interface Device {
  readonly deviceMemory?: number;
  readonly connection?: { readonly saveData?: boolean; readonly effectiveType?: string };
}

/** A desk: no phone, enough memory for a viewer that may not be opened, and no slow or dear line. */
function isSensible(): boolean {
  const { deviceMemory = 8, connection } = navigator as Device;
  const isSlow = connection?.saveData === true || /2g|3g/.test(connection?.effectiveType ?? '');
  return window.innerWidth >= 1024 && deviceMemory >= 4 && !isSlow;
}

export function ViewerProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const { pathname } = useLocation();
  const frame = useRef<HTMLIFrameElement>(null);
  const [stage, setStage] = useState<Stage>('none');
  const [isRefused, setRefused] = useState(false);
  const ready = useRef<(() => void) | null>(null);
  const close = useCallback(() => {
    ready.current = null;
    setStage('none');
    setRefused(false);
  }, []);
  // Another page is another patient, or none; one that waits has none, and waits on.
  useEffect(
    () => () => {
      ready.current = null;
      setStage((now) => (now === 'shown' ? 'none' : now));
    },
    [pathname],
  );
  useEffect(() => {
    const heard = (event: MessageEvent<{ readonly hutongViewer?: unknown } | null>): void => {
      if (event.origin !== location.origin || event.source !== frame.current?.contentWindow) return;
      if (event.data?.hutongViewer === 'ready') {
        setStage((now) => (now === 'starting' ? 'ready' : now));
        ready.current?.();
      } else if (event.data?.hutongViewer === 'refused') setRefused(true);
    };
    addEventListener('message', heard);
    return () => removeEventListener('message', heard);
  }, []);
  const viewer = useMemo<Viewer>(
    () => ({
      prepare: () => {
        if (isSensible()) setStage((now) => (now === 'none' ? 'starting' : now));
      },
      isThere: () => frame.current !== null,
      show: (link) => {
        if (frame.current === null) return;
        const isReady = stage === 'ready';
        const started = new Promise<boolean>((resolve) => {
          ready.current = () => resolve(true);
          if (isReady) resolve(true);
          setTimeout(() => resolve(false), PATIENCE_MS);
        });
        setStage('shown');
        void hand(frame.current, link, started).then((isHanded) => {
          if (!isHanded) close();
        });
      },
    }),
    [stage, close],
  );
  return (
    <Context value={viewer}>
      {children}
      {stage === 'none' ? null : <Stand stage={stage} frame={frame} isRefused={isRefused} onClose={close} />}
    </Context>
  );
}

/** The link goes into the viewer that waits; into the address of the frame where it did not start in time. */
async function hand(
  frame: HTMLIFrameElement,
  link: Promise<string | null>,
  started: Promise<boolean>,
): Promise<boolean> {
  const [path, isStarted] = await Promise.all([link, started]);
  if (path === null) return false;
  if (isStarted) frame.contentWindow?.postMessage({ hutongLaunch: path }, location.origin);
  else frame.contentWindow?.location.replace(path);
  return true;
}

function Stand(props: {
  readonly stage: Stage;
  readonly frame: RefObject<HTMLIFrameElement | null>;
  readonly isRefused: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const words = useText(shell).viewer;
  const isShown = props.stage === 'shown';
  const back = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (isShown) back.current?.focus();
  }, [isShown]);
  return (
    <div className={isShown ? 'viewer-stand shown' : 'viewer-stand'} inert={!isShown} aria-hidden={!isShown}>
      <div className="viewer-bar">
        <Button ref={back} size="small" onClick={props.onClose}>
          {words.close}
        </Button>
        {props.isRefused ? <span role="alert">{words.refused}</span> : null}
      </div>
      <iframe
        ref={props.frame}
        src={WAITING}
        title={words.title}
        tabIndex={isShown ? 0 : -1}
        onLoad={({ currentTarget }) => {
          // Gone with the document that is shown in it; the next one is listened to when it is loaded.
          const shown = currentTarget.contentDocument?.defaultView ?? null;
          if (shown !== null) noteActs(shown);
        }}
      />
    </div>
  );
}

/** Prepares a viewer while the calling component is on the page. */
export function useViewer(): Viewer {
  const viewer = use(Context);
  if (viewer === null) throw new Error('useViewer outside of ViewerProvider');
  const { prepare } = viewer;
  useEffect(() => {
    const timer = setTimeout(prepare, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [prepare]);
  return viewer;
}
