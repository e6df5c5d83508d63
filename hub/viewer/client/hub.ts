/** The hub as the viewer asks it: under the launch that the address names, or as the signed-in user. */

/** As hub/api/viewer/beside.ts answers. */
export interface Beside {
  readonly person: { readonly id: string; readonly name: string | null; readonly localId: string | null };
  readonly maySave: boolean;
  /** Sent back with everything that changes something. */
  readonly csrf: string | null;
  readonly exams: readonly ExamBeside[];
}

export interface ExamBeside {
  readonly examId: string;
  readonly site: string;
  readonly siteName: string;
  readonly studies: readonly {
    readonly studyInstanceUid: string;
    readonly description: string | null;
    readonly modalities: readonly string[];
    readonly startedAt: string | null;
  }[];
  readonly report: {
    readonly status: string;
    readonly critical: boolean;
    readonly title: string | null;
    readonly findings: string | null;
    readonly impression: string | null;
    readonly suggestion: string | null;
    readonly reporter: string | null;
    readonly auditor: string | null;
    readonly reportedAt: string | null;
  } | null;
}

const launch = new URLSearchParams(location.search).get('launch');

/** Everything of a launch lies below its own path, so that two open patients never share a cookie. */
const base = launch !== null && /^[0-9a-f-]{36}$/.test(launch) ? `/viewer/launched/${launch}` : '/viewer/own';

export const dicomweb = `${location.origin}${base}/dicomweb`;

/** Of a viewer that waits: empty until it is told. */
export const opened = (): string =>
  (new URLSearchParams(location.search).get('StudyInstanceUIDs') ?? '').split(',')[0] ?? '';

async function ask(): Promise<Beside> {
  const answer = await fetch(`${base}/studies/${encodeURIComponent(opened())}`, {
    headers: { accept: 'application/json' },
  });
  if (!answer.ok) throw new Error(`the hub answered ${answer.status}`);
  return (await answer.json()) as Beside;
}

let asked: Promise<Beside> | null = null;

/** Whose study is open, what else there is of this person, and what the reports say. */
export const beside = (): Promise<Beside> => {
  asked ??= ask();
  return asked;
};

/** Of a launch the hub tells it; a signed-in session has it in a cookie that its own pages can read. */
export async function proof(): Promise<string | null> {
  const { csrf } = await beside();
  return csrf ?? /(?:^|; )hutong_csrf=([^;]+)/.exec(document.cookie)?.[1] ?? null;
}

export async function saveKeyImage(image: { series: string; instance: string; frame: number }): Promise<boolean> {
  const csrf = await proof();
  const answer = await fetch(`${base}/studies/${encodeURIComponent(opened())}/key-images`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(csrf === null ? {} : { 'x-hutong-csrf': csrf }) },
    body: JSON.stringify({ images: [image] }),
  });
  return answer.ok;
}
