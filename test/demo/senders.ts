/** The hospitals' ends of the wire: each sends through the hub's real ports and tells in a line what came back. */
import { performance } from 'node:perf_hooks';
import { createHl7Sender } from '../../adapters/hl7v2/index.ts';
import type { Hl7Sender } from '../../adapters/hl7v2/index.ts';
import { send } from '../../adapters/dicom/index.ts';
import { EXPLICIT_LE } from '../../mappings/dicom/uids.ts';
import type { DicomFile } from '../province/images.ts';
import type { HubAddress } from './address.ts';
import { at, call, list, postJson, text } from './http.ts';

/** One thing that happened, for the eye; `expected` is what an answer of a healthy hub looks like. */
export interface Told {
  readonly from: string;
  readonly port: string;
  readonly what: string;
  readonly outcome: string;
  readonly ms: number;
  readonly expected: boolean;
}

export class Senders {
  readonly told: Told[] = [];
  readonly #hub: HubAddress;
  readonly #tokens: Readonly<Record<string, string>>;
  readonly #show: (told: Told) => void;
  readonly #mllp = new Map<string, Hl7Sender>();

  constructor(hub: HubAddress, tokens: Readonly<Record<string, string>>, show: (told: Told) => void) {
    this.#hub = hub;
    this.#tokens = tokens;
    this.#show = show;
  }

  async hl7(from: string, what: string, bytes: Buffer, expected = 'AA'): Promise<void> {
    await this.#act(from, 'MLLP', what, expected, async () => {
      const answer = await this.#sender(from).send(bytes);
      return answer.ok ? answer.value.code : answer.problem.code;
    });
  }

  async rest(from: string, path: string, what: string, body: unknown, key: string, expected = '202'): Promise<void> {
    await this.#act(from, 'REST', what, expected, async () => {
      const url = `${this.#hub.base}/api/v1/sites/${from}/${path}`;
      const answer = await postJson(url, this.#tokens[from] ?? '', body, { 'Idempotency-Key': key });
      return String(answer.status);
    });
  }

  async store(
    from: string,
    callingAe: string,
    what: string,
    files: readonly DicomFile[],
    expected = `${String(files.length)} stored`,
  ): Promise<void> {
    await this.#act(from, 'DIMSE', what, expected, async () => {
      const node = { host: this.#hub.host, port: this.#hub.dimsePort, aeTitle: this.#hub.aeTitle };
      const sent = await send({ node, callingAe }, files.map(sending));
      if (!sent.ok) return `refused: ${sent.problem.code}`;
      return `${String(sent.value.filter((one) => one.status === 0).length)} stored`;
    });
  }

  async stow(from: string, what: string, files: readonly DicomFile[]): Promise<void> {
    await this.#act(from, 'STOW', what, `${String(files.length)} stored`, async () => {
      const boundary = 'hutong-demo-stow';
      const body = Buffer.concat([
        ...files.flatMap(({ bytes }) => [
          Buffer.from(`\r\n--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
          bytes,
        ]),
        Buffer.from(`\r\n--${boundary}--\r\n`),
      ]);
      const type = `multipart/related; type="application/dicom"; boundary=${boundary}`;
      const answer = await call(`${this.#hub.base}/dicomweb/studies`, {
        token: this.#tokens[from] ?? '',
        type,
        accept: 'application/dicom+json',
        body,
      });
      const stored =
        answer.status === 200 || answer.status === 202 ? list(answer.json(), '00081199', 'Value').length : 0;
      return answer.status === 200
        ? `${String(stored)} stored`
        : `HTTP ${String(answer.status)}, ${String(stored)} stored`;
    });
  }

  async close(): Promise<void> {
    for (const sender of this.#mllp.values()) await sender.close();
  }

  #sender(from: string): Hl7Sender {
    const open = this.#mllp.get(from);
    if (open) return open;
    const made = createHl7Sender({
      host: this.#hub.host,
      port: this.#hub.mllpPort,
      answerMs: 30_000,
      connectMs: 10_000,
    });
    this.#mllp.set(from, made);
    return made;
  }

  async #act(from: string, port: string, what: string, expected: string, act: () => Promise<string>): Promise<void> {
    const start = performance.now();
    const outcome = await act().catch(
      (error: unknown) => `failed: ${error instanceof Error ? error.message : 'unknown'}`,
    );
    const told = { from, port, what, outcome, ms: performance.now() - start, expected: outcome === expected };
    this.told.push(told);
    this.#show(told);
  }
}

/** What follows the file meta information (PS3.10 §7.1): its group length stands in its first element. */
function sending(file: DicomFile) {
  const start = 144 + file.bytes.readUInt32LE(140);
  return {
    sopClass: file.sopClass,
    sopUid: file.sopUid,
    transferSyntax: EXPLICIT_LE,
    dataSet: () => Promise.resolve(once(file.bytes.subarray(start))),
  };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/** Makes a client through the REST API and gives its token. */
export async function createClient(hub: HubAddress, name: string, role: string, site?: string): Promise<string> {
  const answer = await postJson(`${hub.base}/api/v1/clients`, hub.adminToken, {
    name,
    role,
    ...(site === undefined ? {} : { site }),
  });
  if (answer.status !== 201)
    throw new Error(
      `the client "${name}" was not made: HTTP ${String(answer.status)} ${text(answer.json(), 'detail')}`,
    );
  const token = at(answer.json(), 'token');
  if (typeof token !== 'string') throw new Error(`the answer for client "${name}" has no token`);
  return token;
}
