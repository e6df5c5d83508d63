/** The page's side of series-worker.ts: parts of one answer in their order, and frames read there. */
import type { FrameShape, ReadFrame } from './native-frame.ts';
import type { Asked, Told } from './series-worker.ts';

export type Part = Extract<Told, { kind: 'part' }>;

export class FrameWorker {
  readonly #url: string;
  #worker: Worker | null = null;
  #last = 0;
  readonly #reading = new Map<number, { resolve: (frame: ReadFrame) => void; reject: (why: Error) => void }>();
  #taking: { deal: (part: Part) => void; end: (isWhole: boolean) => void } | null = null;

  /** `url` of the worker's script; it is started when it is first needed. */
  constructor(url: string) {
    this.#url = url;
  }

  /**
   * Hands every part of an answer to `deal`, a few of them at once, until `stands` says no; one answer at a time. False where
   * it was none, or broke.
   */
  take(
    asked: { readonly url: string; readonly accept: string; readonly mostBytes: number },
    deal: (part: Part) => Promise<void>,
    stands: () => boolean,
  ): Promise<boolean> {
    return new Promise((resolve) => {
      let open = 0;
      let told: boolean | null = null;
      const finish = (): void => {
        if (told === null || open > 0) return;
        this.#taking = null;
        resolve(told);
      };
      this.#taking = {
        deal: (part) => {
          open += 1;
          void deal(part).finally(() => {
            open -= 1;
            this.#tell(stands() ? { kind: 'taken' } : { kind: 'leave' });
            finish();
          });
        },
        end: (isWhole) => {
          told = isWhole;
          finish();
        },
      };
      this.#tell({ kind: 'take', ...asked });
    });
  }

  /** `bytes` are handed over and gone from the page. */
  read(bytes: Uint8Array<ArrayBuffer>, shape: FrameShape): Promise<ReadFrame> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#reading.set(id, { resolve, reject });
      this.#tell({ kind: 'read', id, bytes, shape }, [bytes.buffer]);
    });
  }

  #tell(asked: Asked, handedOver: Transferable[] = []): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(asked, handedOver);
  }

  #start(): Worker {
    const worker = new Worker(this.#url);
    worker.onmessage = ({ data }: MessageEvent<Told>) => {
      if (data.kind === 'part') this.#taking?.deal(data);
      else if (data.kind === 'end') this.#taking?.end(data.isWhole);
      else {
        this.#reading.get(data.id)?.resolve(data.frame);
        this.#reading.delete(data.id);
      }
    };
    worker.onerror = () => {
      worker.terminate();
      this.#worker = null;
      for (const { reject } of this.#reading.values()) reject(new Error('the worker of the viewer failed'));
      this.#reading.clear();
      this.#taking?.end(false);
    };
    return worker;
  }
}
