/**
 * Runs beside the page, as hutong-worker.js: takes the answer of a series as it arrives, and reads the frames that are not
 * compressed, so that the page has its hands free for the reader. Memory is handed over, never copied.
 */
import { partsOf } from './multipart.ts';
import { readFrame } from './native-frame.ts';
import type { FrameShape, ReadFrame } from './native-frame.ts';

export type Asked =
  | { readonly kind: 'take'; readonly url: string; readonly accept: string; readonly mostBytes: number }
  /** A part was dealt with: the next may come. */
  | { readonly kind: 'taken' }
  /** Nobody wants the rest. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'read'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer>; readonly shape: FrameShape };

export type Told =
  | {
      readonly kind: 'part';
      readonly location: string;
      readonly contentType: string;
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  | { readonly kind: 'end'; readonly isWhole: boolean }
  | { readonly kind: 'read'; readonly id: number; readonly frame: ReadFrame };

/** Parts that the page has and has not dealt with. */
const MOST_OPEN = 8;

/** The page's own types are those of a window; a worker knows this form of it too. */
const tell = (told: Told, transfer: Transferable[] = []): void => self.postMessage(told, { transfer });

/** Nothing came and nothing was dealt with for so long: the line is dead, and the loader goes on by itself. */
const LONGEST_STILL_MS = 60_000;

let open = 0;
let free: (() => void) | null = null;
let leaving = new AbortController();
let stillness: ReturnType<typeof setTimeout> | undefined;

function stir(): void {
  clearTimeout(stillness);
  stillness = setTimeout(() => leaving.abort(), LONGEST_STILL_MS);
}

async function take({ url, accept, mostBytes }: Extract<Asked, { kind: 'take' }>): Promise<boolean> {
  const answer = await fetch(url, { headers: { accept }, signal: leaving.signal });
  if (!answer.ok || answer.body === null) return false;
  for await (const { headers, bytes } of partsOf(answer.body, mostBytes)) {
    while (open >= MOST_OPEN) await new Promise<void>((resolve) => (free = resolve));
    open += 1;
    stir();
    const location = headers.get('content-location') ?? '';
    tell({ kind: 'part', location, contentType: headers.get('content-type') ?? '', bytes }, [bytes.buffer]);
    if (leaving.signal.aborted) break;
  }
  return true;
}

self.onmessage = ({ data }: MessageEvent<Asked>) => {
  switch (data.kind) {
    case 'take':
      open = 0;
      leaving = new AbortController();
      stir();
      void take(data)
        .catch(() => false) // what is missing the page asks for, and says what is wrong
        .then((isWhole) => {
          clearTimeout(stillness);
          tell({ kind: 'end', isWhole });
        });
      return;
    case 'taken':
      open -= 1;
      stir();
      free?.();
      return;
    case 'leave':
      leaving.abort();
      open = 0;
      free?.();
      return;
    case 'read': {
      const frame = readFrame(data.bytes, data.shape);
      tell({ kind: 'read', id: data.id, frame }, [frame.pixelData.buffer]);
    }
  }
};
