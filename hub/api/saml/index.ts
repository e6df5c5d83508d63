/**
 * Single sign-on by a hospital's identity provider (SAML 2.0 Web Browser SSO and Single Logout): out with a signed request,
 * back with an answer that is checked, and in only in the browser that began. Every address here comes from data of the
 * hub, never from a request: nobody is sent elsewhere by it.
 */
import express, { Router } from 'express';
import type { Request, Response } from 'express';
import { LOGIN_NAME, plainLoginName } from '../../core/account.ts';
import type { Account, AccountRole, AccountStore, PatientFinder } from '../../core/account.ts';
import type { AuditEvent, AuditTrail } from '../../core/audit.ts';
import { parseResidentId } from '../../core/identifier.ts';
import { isOfCitizens } from '../../core/identity-provider.ts';
import type { IdentityProvider, SamlRequestStore } from '../../core/identity-provider.ts';
import { fail, problem } from '../../core/problem.ts';
import type { Problem, Result } from '../../core/problem.ts';
import type { Session, SessionStore } from '../../core/session.ts';
import type { Assertion } from '../../../mappings/xds/saml-assertion.ts';
import { digestOf } from '../../security/saml.ts';
import type { SamlName, SamlProvider } from '../../security/saml.ts';
import { inResponseToOf } from '../../security/saml-response.ts';
import type { LogoutMessage } from '../../security/saml-response.ts';
import { LOGOUT_REFUSED } from '../../security/saml-soap.ts';
import type { Seal } from '../../security/seal.ts';
import { cookieOf, drawPass, hashPass, sessionCookies } from '../../security/session.ts';
import type { SignOn } from '../../security/sign-on.ts';
import { visitorOf } from '../caller.ts';
import { sendProblem } from '../rest/problem.ts';
import { signOnEvent } from '../rest/session.ts';

export interface SamlDeps {
  readonly providers: readonly SamlProvider[];
  readonly requests: SamlRequestStore;
  readonly accounts: AccountStore;
  readonly patients: PatientFinder;
  readonly sessions: SessionStore;
  readonly signOn: SignOn;
  readonly seal: Seal;
  readonly audit: AuditTrail;
  readonly clock: () => Date;
}

/** What is kept, sealed, between the provider's answer and the browser's coming for it. */
interface Answer extends SamlName {
  readonly login: string;
  readonly name: string;
  readonly department: string | null;
  readonly practitionerId: string | null;
  readonly residentId: string | null;
  readonly roles: readonly AccountRole[];
  readonly second: boolean;
}

const BEGAN_COOKIE = 'hutong_saml';
const REQUEST_MS = 600_000;
const ANSWER_MS = 60_000;
const MAX_FORM = '700kb';
const MAX_ENVELOPE = '64kb';

/** A path of the hub and nothing that a browser takes for another host (`//host`, `/\\host`, control characters). */
const ownPath = (told: unknown): string =>
  typeof told === 'string' && told.length <= 512 && /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(told) ? told : '/';

/** What the sign-in page shows; the codes are the portal's. */
type Shown = 'refused' | 'account' | 'role' | 'nobody' | 'several';

export function samlFace(deps: SamlDeps): Router {
  const router = Router({ mergeParams: true });
  const byId = new Map(deps.providers.map((one) => [one.provider.id, one]));
  const at =
    (act: (provider: SamlProvider, request: Request, response: Response) => Promise<void>) =>
    async (request: Request<{ idp: string }>, response: Response): Promise<void> => {
      const provider = byId.get(request.params.idp);
      if (provider === undefined) sendProblem(response, problem('not-found'));
      else await act(provider, request, response);
    };
  router.get(
    '/:idp/metadata',
    at(async (provider, _request, response) => {
      response.type('application/samlmetadata+xml').send(provider.metadata);
    }),
  );
  router.get(
    '/:idp/login',
    at((provider, request, response) => begin(deps, provider, request, response)),
  );
  router.post(
    '/:idp/acs',
    express.urlencoded({ extended: false, limit: MAX_FORM, parameterLimit: 8 }),
    at((provider, request, response) => receive(deps, provider, request, response)),
  );
  router.get(
    '/:idp/finish',
    at((provider, request, response) => finish(deps, provider, request, response)),
  );
  router.get(
    '/:idp/logout',
    at((provider, request, response) => logout(deps, provider, request, response)),
  );
  router.post(
    '/:idp/logout',
    express.raw({ type: ['text/xml', 'application/xml', 'application/soap+xml'], limit: MAX_ENVELOPE }),
    at((provider, request, response) => soapLogout(deps, provider, request, response)),
  );
  return router;
}

async function begin(
  { requests, clock }: SamlDeps,
  provider: SamlProvider,
  request: Request,
  response: Response,
): Promise<void> {
  const browser = drawPass();
  const id = `_${drawPass()}`;
  const createdAt = clock();
  const endsAt = new Date(createdAt.getTime() + REQUEST_MS);
  const returnPath = ownPath(request.query['return']);
  const hash = hashPass(browser) ?? Buffer.alloc(0);
  await requests.begin({ id, idp: provider.provider.id, browser: hash, returnPath, createdAt, endsAt });
  const secure = visitorOf(request).secure ? '; Secure' : '';
  response.append('Set-Cookie', `${BEGAN_COOKIE}=${browser}; HttpOnly; Path=/saml; SameSite=Lax; Max-Age=600${secure}`);
  response.redirect(303, await provider.loginUrl(id));
}

/** The provider's page posts here from its own origin, so no Lax cookie comes along: the browser comes for it itself. */
async function receive(deps: SamlDeps, provider: SamlProvider, request: Request, response: Response): Promise<void> {
  const { SAMLResponse: sent } = request.body as { readonly SAMLResponse?: unknown };
  const bytes = Buffer.from(typeof sent === 'string' ? sent : '', 'base64');
  const id = inResponseToOf(bytes);
  const waiting = id === null ? null : await deps.requests.waiting(id);
  if (waiting?.idp !== provider.provider.id)
    return refuse(deps, request, response, 'acs', 'answers no request that waits');
  const believed = await provider.believe(bytes, waiting.id);
  if ('refused' in believed) return refuse(deps, request, response, 'acs', believed.refused);
  const answer = answerOf(believed.assertion, provider.provider);
  const code = drawPass();
  const until = new Date(deps.clock().getTime() + ANSWER_MS);
  const sealed = deps.seal.close(JSON.stringify(answer));
  if (!(await deps.requests.answer(waiting.id, hashPass(code) ?? Buffer.alloc(0), sealed, until)))
    return refuse(deps, request, response, 'acs', 'the request was answered before');
  response.redirect(303, `/saml/${provider.provider.id}/finish?code=${code}`);
}

async function finish(deps: SamlDeps, provider: SamlProvider, request: Request, response: Response): Promise<void> {
  const { code } = request.query;
  const hash = typeof code === 'string' ? hashPass(code) : null;
  const taken = hash === null ? null : await deps.requests.take(hash);
  if (taken?.idp !== provider.provider.id)
    return refuse(deps, request, response, 'finish', 'no answer under this code');
  const browser = hashPass(cookieOf(request.headers.cookie, BEGAN_COOKIE) ?? '');
  // Else a stranger could make somebody's browser go on under the stranger's name, or finish what they began.
  if (browser?.equals(taken.browser) !== true)
    return refuse(deps, request, response, 'finish', 'begun in another browser');
  const answer = JSON.parse(deps.seal.open(taken.answer)) as Answer;
  const citizens = isOfCitizens(provider.provider);
  const account = await (citizens ? provisionPatient : provision)(deps, provider.provider, answer);
  if (!account.ok)
    return refuse(deps, request, response, 'finish', account.problem.text, null, shownOf(account.problem));
  if (answer.roles.length === 0)
    return refuse(deps, request, response, 'finish', 'account without a role', account.value, 'role');
  const visitor = visitorOf(request);
  const { nameId, format, index } = answer;
  const saml = {
    idp: provider.provider.id,
    subject: digestOf(provider.provider.id, nameId),
    index,
    name: deps.seal.close(JSON.stringify({ nameId, format, index })),
  };
  const instead = await deps.signOn.find(visitor.pass);
  const on = { second: answer.second, peer: visitor.peer, instead };
  const entered = await deps.signOn.withSaml(account.value, saml, on);
  if ('problem' in entered) return refuse(deps, request, response, 'finish', entered.why, account.value, 'account');
  const { session, pass } = entered;
  const reason = [session.stage, ...session.factors].join(' ');
  const success = { face: 'saml', outcome: 'success', reason, callerRole: session.role?.role ?? '' } as const;
  await deps.audit.record(signOnEvent('finish', account.value, visitor, success));
  response.append('Set-Cookie', [
    ...sessionCookies(pass, visitor.secure),
    `${BEGAN_COOKIE}=; HttpOnly; Path=/saml; SameSite=Lax; Max-Age=0`,
  ]);
  const isOpen = session.stage === 'open';
  response.redirect(303, isOpen ? taken.returnPath : `/login?return=${encodeURIComponent(taken.returnPath)}`);
}

/** Single logout: the provider's request ends its user's sessions; its answer to the hub's own ends nothing more. */
async function logout(deps: SamlDeps, provider: SamlProvider, request: Request, response: Response): Promise<void> {
  const query = request.originalUrl.slice(request.originalUrl.indexOf('?') + 1);
  const message = await provider.readLogout(query);
  if ('refused' in message) return refuse(deps, request, response, 'logout', message.refused);
  if (message.kind === 'response') {
    response.redirect(303, '/login');
    return;
  }
  await endSessions(deps, provider, message, request);
  response.append('Set-Cookie', [...sessionCookies(null, visitorOf(request).secure)]);
  const { RelayState: relay } = request.query;
  response.redirect(303, await provider.logoutAnswerUrl(message, typeof relay === 'string' ? relay : ''));
}

async function endSessions(
  deps: SamlDeps,
  { provider }: SamlProvider,
  { nameId, sessionIndexes }: LogoutMessage,
  request: Request,
): Promise<void> {
  const subject = nameId === null ? null : digestOf(provider.id, nameId);
  const indexes = sessionIndexes.length === 0 ? [null] : sessionIndexes.slice(0, 20);
  let ended = 0;
  if (subject !== null) for (const index of indexes) ended += await deps.sessions.endSaml(provider.id, subject, index);
  const reason = `by the provider: ${String(ended)} sessions`;
  await deps.audit.record(
    signOnEvent('logout', null, visitorOf(request), { face: 'saml', action: 'sign-out', outcome: 'success', reason }),
  );
}

/** The same in the back channel: no browser is here, so nobody is led anywhere. */
async function soapLogout(deps: SamlDeps, provider: SamlProvider, request: Request, response: Response): Promise<void> {
  const body: unknown = request.body;
  const message = await provider.readSoapLogout(Buffer.isBuffer(body) ? body : Buffer.alloc(0));
  response.type('text/xml');
  if ('refused' in message || message.kind !== 'request') {
    const reason = 'refused' in message ? message.refused : 'no request';
    const why = { face: 'saml', outcome: 'failure', reason } as const;
    await deps.audit.record(signOnEvent('logout', null, visitorOf(request), why));
    response.status(500).send(LOGOUT_REFUSED);
    return;
  }
  await endSessions(deps, provider, message, request);
  response.send(provider.soapLogoutAnswer(message));
}

async function refuse(
  { audit }: SamlDeps,
  request: Request,
  response: Response,
  operation: string,
  reason: string,
  account: Account | null = null,
  shown: Shown = 'refused',
): Promise<void> {
  const outcome: AuditEvent['outcome'] = 'failure';
  await audit.record(signOnEvent(operation, account, visitorOf(request), { face: 'saml', outcome, reason }));
  response.redirect(303, `/login?problem=${shown}`);
}

function answerOf(
  assertion: Assertion,
  { attributes, roles, defaultRole, secondFactor, site }: IdentityProvider,
): Answer {
  const text = (name: string | null): string | null =>
    name === null ? null : (assertion.attributes.get(name)?.[0]?.slice(0, 100) ?? null);
  const told = attributes.roles === null ? [] : (assertion.attributes.get(attributes.roles) ?? []);
  const given = new Set(told.flatMap((one) => roles.get(one) ?? []));
  if (given.size === 0 && defaultRole !== null) given.add(defaultRole);
  const login = text(attributes.login) ?? assertion.nameId;
  const shown = Array.isArray(secondFactor) ? secondFactor : [];
  return {
    nameId: assertion.nameId,
    format: assertion.nameIdFormat,
    index: assertion.sessionIndex,
    login,
    name: text(attributes.name) ?? login,
    department: text(attributes.department),
    practitionerId: text(attributes.practitionerId),
    residentId: text(attributes.residentId),
    roles: [...given].map((role) => ({ role, site: role === 'interface-engineer' ? site : null })),
    second: secondFactor !== 'idp' && !assertion.contexts.some((context) => shown.includes(context)),
  };
}

async function provision(
  { accounts }: SamlDeps,
  { id, institution, provision: state }: IdentityProvider,
  { login, name, department, practitionerId, roles }: Answer,
): Promise<Result<Account>> {
  const loginName = plainLoginName(`${login}@${id}`);
  if (!LOGIN_NAME.test(loginName))
    return fail(problem('invalid-value', 'login', 'the provider gave no usable login name'));
  return accounts.provision(
    { loginName, displayName: name, institution, department, practitionerId, roles, idp: id },
    digestOf(id, login),
    state === 'approved' ? 'active' : 'pending',
  );
}

/** What the sign-in page says of an account that was not made: of a patient, whether the index knows them. */
const shownOf = ({ code, where }: Problem): Shown =>
  where !== 'residentId' ? 'account' : code === 'conflict' ? 'several' : 'nobody';

/** Exactly one person of the index is who came, or nobody comes in; no account is made of who is not in the index. */
async function provisionPatient(
  { accounts, patients }: SamlDeps,
  { id }: IdentityProvider,
  { nameId, name, residentId }: Answer,
): Promise<Result<Account>> {
  const resident = parseResidentId(residentId ?? '');
  if (!resident.ok) return fail(problem('invalid-value', 'residentId', 'the provider gave no valid resident ID'));
  // Sessions are found by a plain hash of this name, and resident IDs are soon guessed.
  if (nameId.normalize('NFKC').toUpperCase().includes(resident.id))
    return fail(problem('invalid-value', 'nameId', 'the provider names its people by their resident ID'));
  const person = await patients.whose(resident.id, name);
  if (person === 'nobody')
    return fail(problem('not-found', 'residentId', 'no person of the index has number and name'));
  if (person === 'several')
    return fail(problem('conflict', 'residentId', 'several persons of the index claim the resident ID'));
  return accounts.provisionPatient(id, resident.id);
}

/** For the end of a session that a provider began: where the browser tells it so. */
export const signOutUrlOf =
  (deps: Pick<SamlDeps, 'providers' | 'seal'>) =>
  async ({ saml }: Session): Promise<string | null> => {
    const provider = deps.providers.find((one) => one.provider.id === saml?.idp);
    return saml === null || provider === undefined
      ? null
      : provider.logoutUrl(JSON.parse(deps.seal.open(saml.name)) as SamlName);
  };
