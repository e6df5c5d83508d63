/**
 * The hub's REST API as the portal calls it: paths and shapes from the generated contract, the session by its cookie, the
 * proof against forged requests in a header, and every refusal as a Trouble that a page can say in its reader's language.
 */
import createClient from 'openapi-fetch';
import type { components, paths } from '../../../openapi/generated/hub.ts';
import { isTroubleCode } from './text/problem.ts';
import type { TroubleCode } from './text/problem.ts';

export type Schemas = components['schemas'];

export interface Trouble {
  readonly code: TroubleCode;
  readonly status: number;
  /** The hub's own words, English; for whoever reads them and for support. */
  readonly detail: string;
  readonly fields: readonly { readonly pointer: string; readonly code: string; readonly text: string }[];
  readonly requestId: string;
}

export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly trouble: Trouble };

/** Told when the hub no longer knows the session, wherever it was noticed. */
export const sessionEnded = new EventTarget();

const cookie = (name: string): string =>
  document.cookie
    .split('; ')
    .find((part) => part.startsWith(`${name}=`))
    ?.slice(name.length + 1) ?? '';

/** Another with every session, and gone with it: what a tab compares to see that another one signed in or out. */
export const sessionMark = (): string => cookie('hutong_csrf');

const UNSAFE = /^(POST|PUT|PATCH|DELETE)$/;

export const api = createClient<paths>({ baseUrl: '/api/v1', credentials: 'same-origin', cache: 'no-store' });

api.use({
  onRequest: ({ request }) => {
    if (UNSAFE.test(request.method)) request.headers.set('X-Hutong-CSRF', cookie('hutong_csrf'));
    return request;
  },
  onResponse: ({ response, schemaPath }) => {
    if (response.status === 401 && !schemaPath.startsWith('/session')) sessionEnded.dispatchEvent(new Event('ended'));
  },
});

interface Raw {
  readonly data?: unknown;
  readonly error?: unknown;
  readonly response: Response;
}
/** openapi-fetch takes read-only arrays for objects; here they are arrays again. */
type Mended<T> = T extends {
  readonly [at: number]: infer E;
  readonly length: number;
  readonly [Symbol.iterator]: unknown;
}
  ? T extends string
    ? T
    : readonly Mended<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Mended<T[K]> }
    : T;
type ValueOf<R extends Raw> = Mended<Exclude<R['data'], undefined>>;

/** The answer of a call as a value or a Trouble; a network that is away is one as well. */
export async function ask<R extends Raw>(call: Promise<R>): Promise<Answer<ValueOf<R>>> {
  try {
    const { data, error, response } = await call;
    if (response.ok) return { ok: true, value: data as ValueOf<R> };
    return { ok: false, trouble: troubleOf(error, response) };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    return { ok: false, trouble: { code: 'network', status: 0, detail: '', fields: [], requestId: '' } };
  }
}

function troubleOf(error: unknown, { status, headers }: Response): Trouble {
  const body = (typeof error === 'object' && error !== null ? error : {}) as Partial<Schemas['Problem']>;
  const code = body.code ?? '';
  return {
    code: isTroubleCode(code) ? code : status === 503 ? 'unavailable' : 'internal',
    status,
    detail: body.detail ?? '',
    fields: body.errors ?? [],
    requestId: headers.get('x-request-id') ?? '',
  };
}

/** A call of an operation whose shape its caller knows: acts, and the session. */
export async function request<T>(method: string, path: string, body?: object): Promise<Answer<T>> {
  const response = await fetch(`/api/v1${path}`, {
    method,
    credentials: 'same-origin',
    cache: 'no-store',
    headers: {
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(UNSAFE.test(method) ? { 'X-Hutong-CSRF': cookie('hutong_csrf') } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => null);
  if (response === null)
    return { ok: false, trouble: { code: 'network', status: 0, detail: '', fields: [], requestId: '' } };
  const answer: unknown = await response.json().catch(() => ({}));
  return response.ok ? { ok: true, value: answer as T } : { ok: false, trouble: troubleOf(answer, response) };
}
