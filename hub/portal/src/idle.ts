/**
 * The end of a session that nobody uses, seen by the page itself, so that a patient's text does not stand on a ward's shared
 * screen until somebody touches it. The hub decides, for it knows of every tab: it is asked when the time is over, which is
 * no use of the session. Who reads without a request (a long report, a series that is loaded) uses it too: their acts, here
 * and in the viewer's frame, are told once half of the time is over.
 */
import { useEffect } from 'react';
import type { Answer, Trouble } from './api.ts';

/** By the clock and not by one long timer: a computer that slept shows nothing of yesterday for long. */
const LOOK_MS = 5_000;
/** So often a hub that is away is asked before the page takes the session for ended. */
const TRIES = 3;
const ACTS = ['pointerdown', 'keydown', 'wheel', 'touchmove'] as const;

let actedAt = 0;
const acted = (): void => {
  actedAt = Date.now();
};

/** Whatever a reader does in this window is a use of the session. */
export function noteActs(of: Window): () => void {
  for (const act of ACTS) of.addEventListener(act, acted, { capture: true, passive: true });
  return () => {
    for (const act of ACTS) of.removeEventListener(act, acted, { capture: true });
  };
}

export interface Idling {
  /** How long yet; null: it is over, and the asking did what follows. */
  readonly ask: (used: boolean) => Promise<Answer<number | null>>;
  /** Nothing tells that the session stands. */
  readonly lost: (trouble: Trouble) => void;
}

/** `secondsLeft`: as the hub said last; null: there is no session that could end. */
export function useIdling(secondsLeft: number | null, { ask, lost }: Idling): void {
  useEffect(() => {
    if (secondsLeft === null) return;
    let from = Date.now();
    let left = secondsLeft * 1_000;
    let tries = 0;
    let isBusy = false;
    let isGone = false;
    const look = async (): Promise<void> => {
      const now = Date.now();
      const isOver = now >= from + left;
      const used = actedAt > from;
      if (isBusy || !(isOver || (used && now >= from + left / 2))) return;
      isBusy = true;
      const answer = await ask(used);
      isBusy = false;
      if (isGone) return;
      if (answer.ok) [from, left, tries] = [now, (answer.value ?? 0) * 1_000, 0];
      else if (isOver && ++tries >= TRIES) lost(answer.trouble);
    };
    const forget = noteActs(window);
    const timer = setInterval(() => void look(), LOOK_MS);
    return () => {
      isGone = true;
      clearInterval(timer);
      forget();
    };
  }, [secondsLeft, ask, lost]);
}
