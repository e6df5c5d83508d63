/**
 * How a person comes in: password, second factor, role, one step after the other, each with a session id of its own. What
 * a step refuses says one thing to everybody, so that it tells nobody which login names there are or which are locked.
 */
import { timingSafeEqual } from 'node:crypto';
import { passwordFault, plainLoginName } from '../core/account.ts';
import type { Account, AccountPolicy, AccountStore, Credentials, CredentialStore } from '../core/account.ts';
import type { PersonRole, Purpose } from '../core/access.ts';
import { problem } from '../core/problem.ts';
import type { Problem } from '../core/problem.ts';
import { purposesOf } from '../core/session.ts';
import type { Factor, SamlSession, Session, SessionStore, Stage } from '../core/session.ts';
import type { Devices } from './device.ts';
import { hashesOf, type ActivationCode } from './halves.ts';
import type { Passwords } from './password.ts';
import type { Seal } from './seal.ts';
import { drawPass, hashPass } from './session.ts';
import { drawRecoveryCodes, drawSecret, enrolmentUri, hashCode, isDeviceCode, stepOf } from './totp.ts';

export interface SignOnDeps {
  readonly accounts: AccountStore;
  readonly credentials: CredentialStore;
  readonly sessions: SessionStore;
  readonly passwords: Passwords;
  readonly seal: Seal;
  readonly devices: Devices;
  readonly clock: () => Date;
  readonly policy: AccountPolicy;
  readonly limits: SessionLimits;
}

export interface SessionLimits {
  readonly idleSeconds: number;
  readonly longestSeconds: number;
}

/** A session under a new id, with the cookie that opens it. */
export interface Entered {
  readonly pass: string;
  readonly session: Session;
}

/** Whence somebody comes: an address, and by its cookie a device from which they came in before. */
export interface Whence {
  readonly peer: string;
  readonly device: string | null;
}

/** Where failures are counted, up to how many; `own`: a device of the account, which no lock keeps out. */
interface Counter {
  readonly name: string;
  readonly limit: number;
  readonly own: boolean;
}

/** `why` is for the audit; the problem for who asked. */
export interface Turned {
  readonly problem: Problem;
  readonly why: string;
  readonly account: Account | null;
}

const HALF_OPEN_SECONDS = 600;
const MINUTE = 60_000;
const DAY = 86_400_000;

export class SignOn {
  readonly #deps: SignOnDeps;

  constructor(deps: SignOnDeps) {
    this.#deps = deps;
  }

  /** The session of a cookie, at whatever stage; a look that is no use of it does not lengthen it. */
  async find(pass: string | null, isUse = true): Promise<Session | null> {
    const hash = pass === null ? null : hashPass(pass);
    return hash === null ? null : this.#deps.sessions.find(hash, isUse);
  }

  async withPassword(
    given: { readonly loginName: string; readonly password: string },
    from: Whence,
    instead: Session | null,
  ): Promise<Entered | Turned> {
    const { credentials, passwords, accounts } = this.#deps;
    await accounts.suspendUnused(this.#ago(this.#deps.policy.unusedDays * DAY));
    const found = await credentials.byLoginName(plainLoginName(given.loginName));
    const counter = this.#counter(from, found?.account);
    if (await this.#isBarred(counter)) return barred();
    const holds = await passwords.check(given.password, found?.password ?? null);
    const why = !found ? 'unknown login name' : (this.#closed(found, counter) ?? (holds ? null : 'wrong password'));
    const on = { peer: from.peer, instead, saml: null, second: true };
    if (found && why === null) return this.#enter(found, ['password'], on);
    await this.#failed(counter);
    // Who has no password (a hospital's own account) cannot be kept out by guesses at one.
    if (!counter.own && found?.password && why === 'wrong password') await this.#guess(found);
    return turned('unauthenticated', WRONG, why ?? '', found?.account ?? null);
  }

  /**
   * The one-time code of an invitation or a reset, and the password that the person chooses. Of a code of two halves only
   * their common hash is kept: which of them is wrong nobody learns here.
   */
  async withActivation(
    given: ActivationCode & { readonly loginName: string; readonly password: string },
    peer: string,
  ): Promise<Entered | Turned> {
    const { credentials, clock } = this.#deps;
    const counter = this.#counter({ peer, device: null });
    if (await this.#isBarred(counter)) return barred();
    const found = await credentials.byLoginName(plainLoginName(given.loginName));
    const { activation = null } = found ?? {};
    const isIt =
      activation !== null &&
      activation.until > clock() &&
      hashesOf(given).some((hash) => timingSafeEqual(activation.hash, hash));
    const open = found !== null && ['invited', 'active'].includes(found.account.state) && !this.#isLocked(found);
    if (found === null || !isIt || !open) {
      // Nobody guesses 80 random bits: counting would only let a stranger keep somebody out.
      await this.#failed(counter);
      const text = 'The login name or the activation code is wrong, or its time is over.';
      return turned(
        'unauthenticated',
        text,
        found ? 'wrong activation code' : 'unknown login name',
        found?.account ?? null,
      );
    }
    const refused = await this.#setPassword(found, given.password);
    if (refused !== null) return refused;
    const now = await credentials.byId(found.account.id);
    if (now === null) throw new Error('an account is gone right after its password was set');
    return this.#enter(now, ['password'], { peer, instead: null, saml: null, second: true });
  }

  /** Who an identity provider named; `second`: its word alone is not enough. */
  async withSaml(
    account: Account,
    saml: SamlSession,
    { second, peer, instead }: { readonly second: boolean; readonly peer: string; readonly instead: Session | null },
  ): Promise<Entered | Turned> {
    const found = await this.#deps.credentials.byId(account.id);
    if (found === null) throw new Error('an account is gone right after it was provisioned');
    const why = this.#closed(found);
    return why === null
      ? this.#enter(found, ['saml'], { peer, instead, saml, second })
      : turned('forbidden', 'This account does not stand at the hub.', why, account);
  }

  async beginEnrolment(session: Session): Promise<{ readonly secret: string; readonly uri: string } | Turned> {
    if (session.stage !== 'enrolment') return misplaced(session);
    const secret = drawSecret();
    await this.#deps.credentials.setTotp(session.account.id, this.#deps.seal.close(secret));
    return { secret, uri: enrolmentUri(secret, session.account.loginName) };
  }

  /** A code of the device; where the device is lost a recovery code, after which another device is enrolled. */
  async withCode(
    session: Session,
    code: string,
    from: Whence,
  ): Promise<(Entered & { readonly recoveryCodes?: readonly string[] }) | Turned> {
    const { credentials, clock } = this.#deps;
    if (session.stage !== 'totp' && session.stage !== 'enrolment') return misplaced(session);
    const counter = this.#counter(from, session.account);
    if (await this.#isBarred(counter)) return barred();
    const found = await credentials.byId(session.account.id);
    if (found === null || this.#closed(found, counter) !== null)
      return turned('unauthenticated', WRONG, 'locked', session.account);
    const { id } = found.account;
    const on = { peer: from.peer, instead: session, saml: session.saml, second: true };
    const isOfDevice = isDeviceCode(code);
    if (!isOfDevice && session.stage === 'totp' && (await credentials.takeRecovery(id, hashCode(code), clock()))) {
      await credentials.dropTotp(id);
      return this.#enter({ ...found, totpConfirmed: false }, session.factors, on);
    }
    // Counted before it is looked at: of a thousand guesses sent at once no more are looked at than one by one.
    if (isOfDevice && !(await this.#mayGuess(found, counter)))
      return turned('unauthenticated', WRONG, 'locked', session.account);
    const secret = found.totpSecret === null ? null : this.#deps.seal.open(found.totpSecret);
    const step = secret === null ? null : stepOf(secret, code, clock());
    if (step === null || !(await credentials.takeStep(id, step))) {
      if (!isOfDevice || !counter.own) await this.#failed(counter);
      return turned('unauthenticated', 'The code is wrong, or was used before.', 'wrong code', found.account);
    }
    if (counter.own) await credentials.peerForgiven(counter.name);
    const factors: readonly Factor[] = [...session.factors, 'totp'];
    if (found.totpConfirmed) return this.#enter(found, factors, on);
    const recoveryCodes = drawRecoveryCodes();
    await credentials.confirmTotp(id, recoveryCodes.map(hashCode));
    const entered = await this.#enter(found, factors, on);
    return 'problem' in entered ? entered : { ...entered, recoveryCodes };
  }

  async changePassword(
    session: Session,
    given: { readonly current: string; readonly next: string },
    peer: string,
  ): Promise<Entered | Turned> {
    if (session.stage !== 'password' && session.stage !== 'open') return misplaced(session);
    const counter = this.#counter({ peer, device: null });
    if (await this.#isBarred(counter)) return barred();
    const found = await this.#deps.credentials.byId(session.account.id);
    const isClosed = found === null || this.#closed(found) !== null;
    if (isClosed || !(await this.#deps.passwords.check(given.current, found.password))) {
      await this.#failed(counter);
      if (found?.password) await this.#guess(found);
      return turned('unauthenticated', 'The present password is wrong.', 'wrong password', session.account);
    }
    const refused = await this.#setPassword(found, given.next);
    if (refused !== null) return refused;
    const changed = { ...found, mustChange: false, passwordChangedAt: this.#deps.clock() };
    const on = { peer, instead: session, saml: session.saml, second: false };
    return session.role === null
      ? this.#enter(changed, session.factors, on)
      : this.#open(changed.account, session.role.role, session.purpose, { ...on, factors: session.factors });
  }

  /** A role that the account has, a purpose that the role has. */
  async choose(
    session: Session,
    { role, purpose }: { readonly role?: PersonRole | undefined; readonly purpose?: Purpose | undefined },
    peer: string,
  ): Promise<Entered | Turned> {
    if (session.stage !== 'role' && session.stage !== 'open') return misplaced(session);
    const wanted = role ?? session.role?.role;
    if (wanted === undefined || !session.account.roles.some((one) => one.role === wanted))
      return turned('forbidden', 'This account does not have this role.', 'role not held', session.account);
    const stays = wanted === session.role?.role;
    const meant = purpose ?? (stays ? session.purpose : purposesOf(wanted)[0]);
    if (!purposesOf(wanted).includes(meant))
      return turned(
        'forbidden',
        'This role does not act for this purpose.',
        'purpose not of the role',
        session.account,
      );
    const on = { peer, instead: session, saml: session.saml, factors: session.factors };
    return this.#open(session.account, wanted, meant, on);
  }

  /** Takes the factors away; the code with which the person chooses a password anew, null where it has none. */
  async invite(): Promise<{ readonly code: string; readonly activation: NonNullable<Credentials['activation']> }> {
    const [code = ''] = drawRecoveryCodes();
    return { code, activation: { hash: hashCode(code), until: this.activationUntil() } };
  }

  /** Until when a code that is given now is good. */
  activationUntil(): Date {
    return new Date(this.#deps.clock().getTime() + this.#deps.policy.activationHours * 60 * MINUTE);
  }

  /** For the browser of somebody who has shown both factors there. */
  deviceOf({ id }: Account): string {
    return this.#deps.devices.tokenFor(id);
  }

  /** Why the account lets nobody in now; null: it does. */
  #closed(found: Credentials, counter?: Counter): string | null {
    if (found.account.state !== 'active') return `account ${found.account.state}`;
    if (found.account.roles.length === 0) return 'account without a role';
    return counter?.own !== true && this.#isLocked(found) ? 'locked' : null;
  }

  #isLocked({ lockedUntil }: Credentials): boolean {
    return lockedUntil !== null && lockedUntil > this.#deps.clock();
  }

  #ago(ms: number): Date {
    return new Date(this.#deps.clock().getTime() - ms);
  }

  /** A device that is the account's own is counted by itself: what others do at the address or the account stays theirs. */
  #counter({ peer, device }: Whence, account?: Account): Counter {
    const { devices, policy } = this.#deps;
    const own = account === undefined ? null : devices.counterOf(device, account.id);
    return own === null
      ? { name: peer, limit: policy.peerFailures, own: false }
      : { name: own, limit: policy.failures, own: true };
  }

  #isBarred({ name, limit }: Counter): Promise<boolean> {
    const { credentials, policy } = this.#deps;
    return credentials.isBarred(name, this.#ago(policy.lockMinutes * MINUTE), limit);
  }

  async #failed({ name }: Counter): Promise<number> {
    const { credentials, policy, clock } = this.#deps;
    return credentials.peerFailed(name, this.#ago(policy.lockMinutes * MINUTE), clock());
  }

  /** Counts a guess at a code before it is looked at. */
  async #mayGuess(found: Credentials, counter: Counter): Promise<boolean> {
    return counter.own ? (await this.#failed(counter)) <= counter.limit : this.#guess(found);
  }

  /** While it is locked guesses do not lengthen the lock: a stranger must not keep a doctor out for good. */
  #guess({ account }: Credentials): Promise<boolean> {
    const { credentials, policy, clock } = this.#deps;
    const now = clock();
    const until = new Date(now.getTime() + policy.lockMinutes * MINUTE);
    return credentials.guessed(account.id, policy.failures, until, now);
  }

  async #setPassword({ account }: Credentials, password: string): Promise<Turned | null> {
    const { credentials, passwords, policy, clock } = this.#deps;
    const fault = passwordFault(password.normalize('NFKC'), account.loginName);
    if (fault !== null) return turned('invalid-value', fault, 'password against the policy', account);
    for (const former of await credentials.passwords(account.id, policy.history))
      if (await passwords.check(password, former))
        return turned('invalid-value', 'This password was used before.', 'password against the policy', account);
    await credentials.setPassword(account.id, await passwords.make(password), clock());
    return null;
  }

  #isExpired({ passwordChangedAt, mustChange }: Credentials): boolean {
    return (
      mustChange || passwordChangedAt === null || passwordChangedAt < this.#ago(this.#deps.policy.passwordDays * DAY)
    );
  }

  async #enter(found: Credentials, factors: readonly Factor[], on: Coming): Promise<Entered | Turned> {
    const { account } = found;
    const [only, ...more] = account.roles;
    if (only === undefined) return turned('forbidden', 'This account has no role.', 'account without a role', account);
    if (on.second && !factors.includes('totp'))
      return this.#half(account, found.totpConfirmed ? 'totp' : 'enrolment', { ...on, factors });
    // Both factors were shown: what failed before is forgotten.
    await this.#deps.credentials.entered(account.id, this.#deps.clock());
    if (factors.includes('password') && this.#isExpired(found))
      return this.#half(account, 'password', { ...on, factors });
    return more.length > 0
      ? this.#half(account, 'role', { ...on, factors })
      : this.#open(account, only.role, purposesOf(only.role)[0], { ...on, factors });
  }

  #half(account: Account, stage: Exclude<Stage, 'open'>, on: Opening): Promise<Entered> {
    return this.#start(account, { stage, role: null, purpose: 'OPS' }, HALF_OPEN_SECONDS, on);
  }

  #open(account: Account, role: PersonRole, purpose: Purpose, on: Opening): Promise<Entered> {
    const { longestSeconds } = this.#deps.limits;
    const { instead } = on;
    // The longest time counts from the first step, whatever is chosen anew on the way.
    const spent =
      instead?.stage === 'open' ? (Date.parse(instead.endsAt) - this.#deps.clock().getTime()) / 1_000 : null;
    return this.#start(account, { stage: 'open', role, purpose }, spent ?? longestSeconds, on);
  }

  async #start(
    account: Account,
    to: { readonly stage: Stage; readonly role: PersonRole | null; readonly purpose: Purpose },
    seconds: number,
    { peer, instead, saml, factors }: Opening,
  ): Promise<Entered> {
    const { sessions, clock, limits } = this.#deps;
    const pass = drawPass();
    const hash = hashPass(pass);
    if (hash === null) throw new Error('a pass that was just drawn is none');
    const startedAt = clock();
    const endsAt = new Date(startedAt.getTime() + seconds * 1_000);
    const made = { ...to, accountId: account.id, factors, saml, peer, startedAt, endsAt };
    await sessions.start(hash, { ...made, idleSeconds: limits.idleSeconds }, instead?.id);
    const session = await sessions.find(hash);
    // It may have ended between the two statements: whoever is suspended meanwhile is not in.
    return session === null ? Promise.reject(new Error('a session is gone right after it began')) : { pass, session };
  }
}

interface Coming {
  readonly peer: string;
  readonly instead: Session | null;
  readonly saml: SamlSession | null;
  readonly second: boolean;
}

type Opening = Omit<Coming, 'second'> & { readonly factors: readonly Factor[] };

const WRONG = 'The login name or the password is wrong, or the account is locked.';

const turned = (code: Problem['code'], text: string, why: string, account: Account | null): Turned => ({
  problem: problem(code, undefined, text),
  why,
  account,
});

const barred = (): Turned =>
  turned('limit-exceeded', 'Too many failures from this address; try again later.', 'address barred', null);

const misplaced = ({ stage, account }: Session): Turned =>
  turned('conflict', `The session waits for another step: ${stage}.`, 'step out of turn', account);
