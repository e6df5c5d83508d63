/**
 * 登录: people come in. A doctor of h1, an operator and an auditor are invited, choose a password and a second factor, and
 * do what they may and what they may not. Each step is a check; whoever watches may sign in as them afterwards.
 */
import { Secret, TOTP } from 'otpauth';
import type { Exam } from '../province/exams.ts';
import { same } from './asker.ts';
import type { Check } from './asker.ts';
import { at, list, text } from './http.ts';
import type { DemoHub } from './hub.ts';
import type { Played } from './play.ts';

/** 省第一人民医院, as adapters/sites/h1 names it. */
const H1 = 'MA9990H1799010011A1001';
/** Of the demo, which ends with it. */
const PASSWORD = 'Demo-Hutong-2026';

const CAST = [
  { loginName: 'doctor', displayName: '李医生', role: 'physician', institution: H1, department: '呼吸内科' },
  { loginName: 'operator', displayName: '值班运维', role: 'operator' },
  { loginName: 'auditor', displayName: '审计员', role: 'auditor' },
] as const;
type Name = (typeof CAST)[number]['loginName'];

export interface SignOn {
  readonly loginName: string;
  readonly displayName: string;
  readonly password: string;
  /** Base 32, for an authenticator. */
  readonly secret: string;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly location: string;
}

/** A browser, as far as cookies and their proof go. */
class Browser {
  readonly #base: string;
  readonly #cookies = new Map<string, string>();

  constructor(base: string) {
    this.#base = base;
  }

  async ask(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(this.#base + path, {
      method,
      redirect: 'manual',
      headers: {
        Cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        'X-Hutong-CSRF': this.#cookies.get('hutong_csrf') ?? '',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    for (const set of response.headers.getSetCookie()) {
      const [pair = ''] = set.split(';');
      this.#cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    const told = isJson ? await response.json() : await response.arrayBuffer();
    return { status: response.status, body: told, location: response.headers.get('location') ?? '' };
  }
}

export interface PeopleStage {
  readonly hub: DemoHub;
  readonly played: Played;
  readonly say: (line: string) => void;
}

export interface PeoplePlayed {
  readonly checks: readonly Check[];
  readonly accounts: readonly SignOn[];
}

export async function playPeople({ hub, played, say }: PeopleStage): Promise<PeoplePlayed> {
  const checks: Check[] = [];
  const accounts: SignOn[] = [];
  const step = async (name: string, holds: () => Promise<string>): Promise<void> => {
    const wrong = await holds().catch((error: unknown) => (error instanceof Error ? error.message : 'it broke'));
    say(`  ${wrong === '' ? '->' : '!!'} ${name}`);
    checks.push({ name: `登录 ${name}`, holds: () => Promise.resolve(wrong) });
  };
  const browsers = new Map<Name, Browser>();
  const as = (name: Name): Browser => browsers.get(name) ?? new Browser(hub.base);
  await step('a doctor, an operator and an auditor choose a password and a second factor', async () => {
    for (const one of CAST) {
      const { browser, secret } = await comeIn(hub, one);
      browsers.set(one.loginName, browser);
      accounts.push({ loginName: one.loginName, displayName: one.displayName, password: PASSWORD, secret });
    }
    return same('invited', accounts.length, CAST.length);
  });
  await reads(as('doctor'), played, step);
  await breaksTheGlass(as('doctor'), as('auditor'), played, step);
  await step('the operator sees every message and no record', async () => {
    const journal = await as('operator').ask('GET', '/api/v1/journal?limit=5');
    const records = await as('operator').ask('POST', '/api/v1/persons/search', { name: '王', birthDate: '1980-01-01' });
    return same('statuses', [journal.status, records.status], [200, 403]);
  });
  return { checks, accounts };
}

type Step = (name: string, holds: () => Promise<string>) => Promise<void>;

/** Invited by the bootstrap administrator; the code of the invitation is used once. */
async function comeIn(hub: DemoHub, who: (typeof CAST)[number]): Promise<{ browser: Browser; secret: string }> {
  const { role, ...account } = who;
  const invited = await fetch(`${hub.base}/api/v1/accounts`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${hub.adminToken}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...account, roles: [{ role }] }),
  });
  const code = text(await invited.json(), 'activationCode');
  const browser = new Browser(hub.base);
  const { loginName } = who;
  await browser.ask('POST', '/api/v1/session/activation', { loginName, code, password: PASSWORD });
  const secret = text((await browser.ask('POST', '/api/v1/session/enrolment')).body, 'secret');
  const now = new TOTP({ secret: Secret.fromBase32(secret) }).generate();
  const entered = await browser.ask('POST', '/api/v1/session/totp', { code: now });
  const stage = text(entered.body, 'stage');
  if (stage !== 'open') throw new Error(`${loginName} is at stage ${stage} (${String(entered.status)})`);
  return { browser, secret };
}

const withId = (played: Played, fits: (sites: ReadonlySet<string>) => boolean): Exam | undefined =>
  played.exams.find(
    ({ person }) =>
      person.residentId !== null &&
      fits(new Set(played.exams.filter((one) => one.person === person).map((one) => one.site))),
  );

async function find(browser: Browser, exam: Exam): Promise<{ personId: string; access: string }> {
  const found = await browser.ask('POST', '/api/v1/persons/search', { residentId: exam.person.residentId });
  return {
    personId: text(found.body, 'items', 0, 'person', 'personId'),
    access: text(found.body, 'items', 0, 'access'),
  };
}

async function reads(doctor: Browser, played: Played, step: Step): Promise<void> {
  const exam = withId(played, (sites) => sites.has('h1') && sites.size > 1);
  await step("the doctor finds h1's patient by the card: one time line of every hospital", async () => {
    if (exam === undefined) return 'nobody was at h1 and elsewhere';
    const { personId, access } = await find(doctor, exam);
    const line = await doctor.ask('GET', `/api/v1/persons/${personId}/timeline`);
    const sites = new Set(list(line.body, 'items').map((item) => text(item, 'site')));
    return same('access', access, 'open') || same('h1 and another', [sites.has('h1'), sites.size > 1], [true, true]);
  });
  await step('a link opens the images in the viewer, and opens them once', async () => {
    if (exam === undefined) return 'nobody was at h1 and elsewhere';
    const launch = await doctor.ask('POST', '/api/v1/viewer-launches', { studyUid: exam.studyUid });
    const url = text(launch.body, 'url');
    const [first, second] = [await doctor.ask('GET', url), await doctor.ask('GET', url)];
    return (
      same('opens', [first.status, first.location.includes('StudyInstanceUIDs=')], [303, true]) ||
      same('again', second.status >= 400, true)
    );
  });
}

async function breaksTheGlass(doctor: Browser, auditor: Browser, played: Played, step: Step): Promise<void> {
  const exam = withId(played, (sites) => !sites.has('h1'));
  let personId = '';
  await step("a patient who never was at h1 is named to the doctor's exact question, and closed", async () => {
    if (exam === undefined) return 'everybody was at h1';
    const found = await find(doctor, exam);
    personId = found.personId;
    const line = await doctor.ask('GET', `/api/v1/persons/${personId}/timeline`);
    return same('access', found.access, 'closed') || same('time line', line.status, 403);
  });
  await step('in an emergency the same is open at once, and waits for its review', async () => {
    const body = { personId, reason: 'unconscious', text: '昏迷送入急诊，需既往影像' };
    const broken = await doctor.ask('POST', '/api/v1/break-glass', body);
    const line = await doctor.ask('GET', `/api/v1/persons/${personId}/timeline`);
    const waiting = await auditor.ask('GET', '/api/v1/break-glass?state=open');
    return (
      same('statuses', [broken.status, line.status, waiting.status], [201, 200, 200]) ||
      same(
        'to review',
        list(waiting.body, 'items')
          .map((item) => text(item, 'personId'))
          .includes(personId),
        true,
      )
    );
  });
  await step('the auditor reads who looked: refused, then in an emergency', async () => {
    const read = await auditor.ask('GET', `/api/v1/audit?personId=${personId}&limit=100`);
    const seen = list(read.body, 'items').filter((item) => text(item, 'callerName') === '李医生');
    const outcomes = new Set(seen.map((item) => text(item, 'outcome')));
    return (
      same('outcomes', [...outcomes].sort(), ['refused', 'success']) || same('why', at(seen, 0) !== undefined, true)
    );
  });
}
