/** Does something again and again, never twice at once, and stops when the one in hand is done. */

export interface Repeating {
  stop(): Promise<void>;
}

/** `pauseMs` between the end of one and the beginning of the next; what rejects is told and goes on. */
export function repeat(work: () => Promise<void>, pauseMs: number, failed: (error: unknown) => void): Repeating {
  let stopped = false;
  let wake: () => void = () => undefined;
  const loop = async (): Promise<void> => {
    for (;;) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (stopped) return;
      await work().catch(failed);
    }
  };
  const running = loop();
  return {
    async stop() {
      stopped = true;
      wake();
      await running;
    },
  };
}
