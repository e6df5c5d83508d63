/**
 * A viewer that was opened by a launch: everything it may do lies below `/viewer/launched/{id}`, by a cookie of that path,
 * so that two patients open in one browser never share a right. It sees the launch's person and nobody else.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Caller } from '../../core/access.ts';
import { audited } from '../../core/audit.ts';
import type { AuditTrail } from '../../core/audit.ts';
import { lenientUid } from '../../core/identifier.ts';
import type { HubId } from '../../core/identifier.ts';
import { problem } from '../../core/problem.ts';
import type { Launch, PersonExams, ViewerLaunches } from '../../core/viewer.ts';
import { cookieOf } from '../../security/session.ts';
import { hashToken } from '../../security/token.ts';
import { peerOf, setCaller } from '../caller.ts';
import { sendProblem } from '../rest/problem.ts';

export const COOKIE = 'hutong_viewer';
/** Studies of one person in a search; a longer query string is no URL any more. */
const STUDIES = 200;

export interface LaunchedDeps {
  readonly launches: ViewerLaunches;
  readonly exams: PersonExams;
  readonly audit: AuditTrail;
}

/** Only who holds the session can make it, and only a page of this origin is told it. */
export const csrfOf = (request: Request): string | null => {
  const token = cookieOf(request.headers.cookie, COOKIE);
  return token === null ? null : createHash('sha256').update(`csrf ${token}`).digest('base64url');
};

const isProven = (request: Request): boolean => {
  const wanted = Buffer.from(csrfOf(request) ?? '');
  const given = Buffer.from(request.get('x-hutong-csrf') ?? '');
  return wanted.length > 0 && given.length === wanted.length && timingSafeEqual(given, wanted);
};

/** Before authentication, which this stands for below its path: who calls is who launched. */
export function launchedCaller({ launches, audit }: Pick<LaunchedDeps, 'launches' | 'audit'>): RequestHandler {
  return async (request, response, next) => {
    const token = cookieOf(request.headers.cookie, COOKIE);
    const id = String(request.params['launch']);
    const now = async (): Promise<Launch | null> =>
      token === null ? null : await launches.session(id, hashToken(token));
    const launch = await now();
    const isSafe = ['GET', 'HEAD', 'OPTIONS'].includes(request.method);
    const callerFrom = (found: Launch | null): Caller | null =>
      found === null ? null : { ...found.caller, peer: peerOf(request) };
    const caller = callerFrom(launch);
    if (launch !== null && (isSafe || isProven(request))) {
      setCaller(response, caller, async () => callerFrom(await now()));
      (response.locals as { launch?: Launch }).launch = launch;
      next();
      return;
    }
    const who =
      caller === null ? { callerId: '', callerName: '', callerRole: '', peer: peerOf(request) } : audited(caller);
    const reason = launch === null ? 'no viewer session' : 'no proof of the own page';
    const event = { action: 'refuse', outcome: 'refused', face: 'viewer', operation: 'viewer session' } as const;
    await audit.record({ ...event, ...who, persons: launch === null ? [] : [launch.personId], objects: [], reason });
    request.resume();
    if (launch === null)
      sendProblem(response, problem('unauthenticated', undefined, 'This viewer has ended; open it again.'));
    else sendProblem(response, problem('forbidden', 'X-Hutong-CSRF', 'The request does not come from the viewer.'));
  };
}

const launchOf = (response: Response): Launch | null => (response.locals as { launch?: Launch }).launch ?? null;

/** In front of what serves studies below a launch: another person's are as if they were not there. */
export function onlyThePerson({ exams, audit }: LaunchedDeps): RequestHandler {
  const known = new Known(exams);
  return async (request, response, next) => {
    const launch = launchOf(response);
    const named = /^\/(?:dicomweb\/)?studies\/([^/]+)/.exec(request.path)?.[1];
    if (launch === null) {
      sendProblem(response, problem('unauthenticated'));
      return;
    }
    // A saved instance names its study itself: it must be the one of the path.
    const isRead = named !== undefined || (await narrowed(request, launch.personId, exams));
    if (isRead && (named === undefined || (await known.isOf(named, launch.personId)))) {
      next();
      return;
    }
    const uid = lenientUid(named ?? '');
    const event = { action: 'refuse', outcome: 'refused', face: 'viewer', operation: 'viewer session' } as const;
    const whose = { persons: [launch.personId], objects: uid === null ? [] : [uid] };
    await audit.record({ ...event, ...audited(launch.caller), ...whose, reason: 'another person than was launched' });
    request.resume();
    sendProblem(response, problem('not-found', 'study', 'There is no such study here, or it was withdrawn.'));
  };
}

/** A search across studies is kept to the person's own; true where it was. */
async function narrowed(request: Request, personId: HubId, exams: PersonExams): Promise<boolean> {
  if (!['GET', 'HEAD'].includes(request.method)) return false;
  const own = (await exams.of(personId, STUDIES)).flatMap(({ studies }) => studies.map(({ studyUid }) => studyUid));
  const url = new URL(request.originalUrl, 'http://hub');
  const asked = ['StudyInstanceUID', '0020000D'].flatMap((name) => url.searchParams.getAll(name));
  const wanted = asked.flatMap((value) => value.split(/[,\\]/)).filter((uid) => uid !== '');
  const kept = wanted.length === 0 ? own : own.filter((uid) => wanted.includes(uid));
  for (const name of ['StudyInstanceUID', '0020000D']) url.searchParams.delete(name);
  // A person without a study has none that could match: a UID that nobody has.
  url.searchParams.set('StudyInstanceUID', kept.slice(0, STUDIES).join(',') || '0.0');
  // What searches reads the address as it was sent, and the audit keeps it: both see the narrowed one.
  request.originalUrl = `${url.pathname}${url.search}`;
  request.url = `${request.url.split('?')[0] ?? ''}${url.search}`;
  return true;
}

/** Whose a study is, remembered for a moment: five hundred images of a series ask it five hundred times. */
class Known {
  readonly #exams: PersonExams;
  readonly #owners = new Map<string, { readonly personId: Promise<HubId | null>; readonly until: number }>();

  constructor(exams: PersonExams) {
    this.#exams = exams;
  }

  async isOf(study: string, personId: HubId): Promise<boolean> {
    const uid = lenientUid(study);
    if (uid === null) return false;
    const now = performance.now();
    let owner = this.#owners.get(uid);
    if (owner === undefined || owner.until < now) {
      if (this.#owners.size > 1_000) this.#owners.clear();
      owner = { personId: this.#exams.personOf(uid), until: now + 2_000 };
      this.#owners.set(uid, owner);
      owner.personId.catch(() => this.#owners.delete(uid)); // reported where it is awaited
    }
    return (await owner.personId) === personId;
  }
}
