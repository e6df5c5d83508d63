/**
 * `GET /viewer/launch?code=`: a one-time code becomes an open viewer. A code of a signed-in account opens only in that
 * account's own session; a system's code opens a narrow session that sees one person for half an hour.
 */
import type { Request, RequestHandler, Response } from 'express';
import { audited } from '../../core/audit.ts';
import { groundsOf } from '../../core/access-ports.ts';
import { problem } from '../../core/problem.ts';
import type { Launch } from '../../core/viewer.ts';
import { SESSION_MS } from '../../core/viewer.ts';
import { drawToken, hashToken } from '../../security/token.ts';
import { callerOf, isSecure, peerOf } from '../caller.ts';
import { sendProblem } from '../rest/problem.ts';
import { readable } from './beside.ts';
import type { BesideDeps } from './beside.ts';
import { COOKIE } from './launched.ts';
import type { LaunchedDeps } from './launched.ts';

/** As security/token.ts draws them. */
const CODE = /^[A-Za-z0-9_-]{20,100}$/;
const OPERATION = 'GET /viewer/launch';

type LaunchDeps = LaunchedDeps & Pick<BesideDeps, 'desk'> & { readonly clock: () => Date };

export function launchHandler(deps: LaunchDeps): RequestHandler {
  return async (request, response) => {
    response.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' });
    const { code } = request.query;
    const opening =
      typeof code === 'string' && CODE.test(code)
        ? await deps.launches.open(hashToken(code))
        : ({ kind: 'refused', why: 'unknown', launch: null } as const);
    if (opening.kind === 'refused') {
      await refuse(deps, request, opening.launch, `launch code ${opening.why}`);
      sendProblem(
        response,
        problem('forbidden', 'code', 'This link has been used or has ended; open the images again.'),
      );
      return;
    }
    const { launch } = opening;
    const account = callerOf(response)?.user?.accountId ?? null;
    if (launch.accountId !== null && launch.accountId !== account) {
      await refuse(deps, request, launch, 'launch code of another account');
      sendProblem(response, problem('forbidden', 'code', 'This link was made for another account; sign in with it.'));
      return;
    }
    // The right may have ended since the link was made; and the record tells on what ground the study was opened.
    const caller = launch.accountId === null ? launch.caller : callerOf(response);
    const found = await readable(deps, caller, launch.studyUids[0], OPERATION);
    if (!found.ok) {
      sendProblem(response, found.problem);
      return;
    }
    const event = { action: 'read', outcome: 'success', face: 'viewer', operation: OPERATION } as const;
    const whose = { persons: [launch.personId], objects: launch.studyUids, ...groundsOf(found.value.sight.told()) };
    await deps.audit.record({ ...event, ...audited({ ...launch.caller, peer: peerOf(request) }), ...whose });
    if (launch.accountId === null) await begin(deps, request, response, launch);
    const query = new URLSearchParams({ StudyInstanceUIDs: launch.studyUids.join(',') });
    if (launch.accountId === null) query.set('launch', launch.launchId);
    response.redirect(303, `/viewer/viewer?${query.toString()}`);
  };
}

async function begin(
  { launches, clock }: LaunchedDeps & { readonly clock: () => Date },
  request: Request,
  response: Response,
  { launchId }: Launch,
): Promise<void> {
  const token = drawToken();
  const endsAt = new Date(clock().getTime() + SESSION_MS);
  await launches.begin(launchId, hashToken(token), endsAt);
  // Behind a proxy that ends TLS the connection itself is plain.
  const isTls = isSecure(request);
  // In a frame of another site only a cookie that says so is sent, kept apart for that site (CHIPS), and only over TLS.
  const isFramed =
    isTls && request.get('sec-fetch-site') === 'cross-site' && request.get('sec-fetch-dest') === 'iframe';
  response.cookie(COOKIE, token, {
    path: `/viewer/launched/${launchId}`,
    httpOnly: true,
    maxAge: SESSION_MS,
    secure: isTls,
    sameSite: isFramed ? 'none' : 'lax',
    ...(isFramed ? { partitioned: true } : {}),
  });
}

async function refuse(deps: LaunchedDeps, request: Request, launch: Launch | null, reason: string): Promise<void> {
  const peer = peerOf(request);
  const who =
    launch === null ? { callerId: '', callerName: '', callerRole: '', peer } : audited({ ...launch.caller, peer });
  const event = { action: 'refuse', outcome: 'refused', face: 'viewer', operation: OPERATION } as const;
  const whose = { persons: launch === null ? [] : [launch.personId], objects: launch?.studyUids ?? [] };
  await deps.audit.record({ ...event, ...who, ...whose, reason });
}
