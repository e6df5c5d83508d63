/** HTTP as the demo's senders and askers speak it: JSON in and out, tokens, multipart read without trust. */

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly bytes: Buffer;
  json(): unknown;
}

export async function call(
  url: string,
  options: {
    readonly token?: string;
    readonly method?: string;
    readonly accept?: string;
    readonly type?: string;
    readonly body?: string | Buffer;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Answer> {
  const headers: Record<string, string> = { ...options.headers };
  if (options.token !== undefined) headers.Authorization = `Bearer ${options.token}`;
  if (options.accept !== undefined) headers.Accept = options.accept;
  if (options.type !== undefined) headers['Content-Type'] = options.type;
  const response = await fetch(url, {
    method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
    headers,
    ...(options.body === undefined ? {} : { body: options.body }),
    signal: AbortSignal.timeout(60_000),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    bytes,
    json: () => JSON.parse(bytes.toString('utf8')) as unknown,
  };
}

export const postJson = (
  url: string,
  token: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> => call(url, { token, type: 'application/json', body: JSON.stringify(body), headers });

/** Walks into parsed JSON by keys and indexes; undefined where the way ends. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here: unknown = value;
  for (const step of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as Readonly<Record<string | number, unknown>>)[step];
  }
  return here;
}

export const list = (value: unknown, ...path: readonly (string | number)[]): readonly unknown[] => {
  const found = at(value, ...path);
  return Array.isArray(found) ? (found as readonly unknown[]) : [];
};

export const text = (value: unknown, ...path: readonly (string | number)[]): string => {
  const found = at(value, ...path);
  return typeof found === 'string' || typeof found === 'number' ? String(found) : '';
};
