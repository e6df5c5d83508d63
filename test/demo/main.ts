/**
 * `npm run demo`: a hub on an empty folder, three hospitals that feed it through its real ports, and what must be true
 * afterwards, asked from outside. `-- --once` ends with 0 only if every check held.
 */
import { resolve } from 'node:path';
import { CHECKS } from './checks.ts';
import { DOCUMENT_CHECKS } from './document-checks.ts';
import type { Asker, Check } from './asker.ts';
import { at, call } from './http.ts';
import { startPacs } from './hospital-pacs.ts';
import { startHub } from './hub.ts';
import type { DemoHub } from './hub.ts';
import { playIdentity } from './identity.ts';
import { abroad, playAbroad, startNeighbour } from './neighbour.ts';
import type { Neighbour } from './neighbour.ts';
import { playPeople, type SignOn } from './people.ts';
import { paint, play, province } from './play.ts';
import type { Played } from './play.ts';
import { createClient, Senders } from './senders.ts';
import type { Told } from './senders.ts';

const say = (line = ''): void => {
  process.stdout.write(`${line}\n`);
};

const show = (told: Told): void => {
  const time = told.ms < 10 ? told.ms.toFixed(1) : told.ms.toFixed(0);
  say(
    `  ${told.from.padEnd(6)} ${told.port.padEnd(5)} ${told.what.padEnd(46)} ${told.outcome.padEnd(12)} ${time.padStart(6)} ms${told.expected ? '' : '   <- not expected'}`,
  );
};

async function main(): Promise<boolean> {
  const started = Date.now();
  say('Hutong 互通 demo: starting the hub on an empty folder …');
  const hub = await startHub();
  say(`  ready after ${((Date.now() - started) / 1000).toFixed(1)} s at ${hub.base}`);
  const tokens: Record<string, string> = {};
  for (const site of ['h1', 'h2', 'h3'])
    tokens[site] = await createClient(hub, `demo feed ${site}`, 'hospital-feed', site);
  const query = await createClient(hub, 'demo query platform', 'query-platform');
  const operator = await createClient(hub, 'demo operator', 'operator');
  say('\npainting CT, MR and radiographs, while the hub of 邻省 starts …');
  neighbour = await startNeighbour(hub.neighbour);
  const played = paint(province(new Date().toISOString().slice(0, 10)));
  const travelled = abroad(played);
  await openArchive(hub, played);
  await neighbour.up();
  say(`  邻省 is up at ${neighbour.base}, ${((Date.now() - started) / 1000).toFixed(1)} s`);
  const senders = new Senders(hub, tokens, show);
  const scene = (title: string): void => {
    say(`\n${title}   +${((Date.now() - started) / 1000).toFixed(0)} s`);
  };
  await play(senders, played, scene);
  scene('邻省 the neighbouring province: a person of ours is examined there');
  const there = new Senders(neighbour, {}, show);
  await playAbroad(neighbour, travelled, there, senders);
  await there.close();
  await settled(hub, operator);
  const asked = { hub, query, operator, feed: tokens.h1 ?? '', played, abroad: travelled };
  scene('主索引 who is one person: doubts, decisions and their undoing');
  const secondOperator = await createClient(hub, 'demo operator 2', 'operator');
  const identity = await playIdentity({ asker: { ...asked, told: [] }, secondOperator, senders, show, say });
  await senders.close();
  const told = [...senders.told, ...there.told];
  scene('登录 people come in: a doctor, an operator, an auditor');
  const people = await playPeople({ hub, played, say });
  const held = await check({ ...asked, told }, [...identity, ...people.checks]);
  const files = [...played.files.values(), travelled.files].flat();
  const megabytes = files.reduce((sum, file) => sum + file.bytes.length, 0) / 1e6;
  say(
    `\n${String(told.length)} messages and batches, ${String(played.exams.length + 1)} exams, ${String(files.length)} images (${megabytes.toFixed(0)} MB), ${((Date.now() - started) / 1000).toFixed(0)} s.`,
  );
  addresses(hub, query, played, people.accounts);
  return held;
}

/** h3's own archive, which the hub asks for the images that h3 keeps. */
async function openArchive(hub: DemoHub, played: Played): Promise<void> {
  const kept = played.exams
    .filter((exam) => exam.site === 'h3')
    .map((exam) => ({ exam, files: played.files.get(exam) ?? [] }));
  const sitesDir = resolve(process.env.HUB_SITES_DIR ?? 'adapters/sites');
  await startPacs({
    aeTitle: 'H3PACS',
    port: hub.pacsPort,
    hubAe: hub.aeTitle,
    hubPort: hub.dimsePort,
    sitesDir,
    kept,
  });
}

/** Waits until the journal is worked off and the studies have had their quiet time (5 s in the demo sites). */
async function settled(hub: DemoHub, operator: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  say('\nwaiting until everything is applied and the studies are complete …');
  for (;;) {
    const counters = await call(`${hub.base}/api/v1/journal/counters`, { token: operator });
    if (counters.status === 200 && at(counters.json(), 'pending') === 0) break;
    if (Date.now() > deadline) return;
    await new Promise((settle) => setTimeout(settle, 200));
  }
  await new Promise((settle) => setTimeout(settle, 8_000));
}

async function check(asker: Asker, played: readonly Check[]): Promise<boolean> {
  say('\n检查 checks through the outside faces');
  let failed = 0;
  const checks = [...CHECKS, ...DOCUMENT_CHECKS, ...played];
  for (const { name, holds } of checks) {
    const wrong = await holds(asker).catch((error: unknown) => (error instanceof Error ? error.message : 'it broke'));
    if (wrong !== '') failed++;
    say(`  ${wrong === '' ? 'ok    ' : 'FAILED'}  ${name}${wrong === '' ? '' : `\n          ${wrong.slice(0, 400)}`}`);
  }
  say(`\n${String(checks.length - failed)} of ${String(checks.length)} checks held.`);
  return failed === 0;
}

function addresses(hub: DemoHub, query: string, played: Played, accounts: readonly SignOn[]): void {
  const logins = accounts.map(
    ({ loginName, displayName, password, secret }) =>
      `  ${loginName.padEnd(9)} ${displayName}   password ${password}   second factor (TOTP secret) ${secret}`,
  );
  const auth = `-H 'Authorization: Bearer ${query}'`;
  say(`
Open
  ${hub.base}/                         the portal; sign in as
${logins.join('\n')}
  ${hub.base}/docs                     the REST API
  ${hub.base}/fhir/metadata            what FHIR serves here
  ${hub.base}/xds/initiating-gateway   ITI-18, ITI-43, RAD-69 over both communities; 邻省 is ${hub.neighbour.base}
  MLLP ${hub.host}:${String(hub.mllpPort)}   DICOM ${hub.aeTitle}@${hub.host}:${String(hub.dimsePort)}   RAD-69 ${hub.base}/xds/imaging-source
Ask (the query platform's token, valid until this demo ends)
  curl -s ${auth} '${hub.base}/fhir/ImagingStudy?_count=5'
  curl -s ${auth} -d 'patient.identifier=${played.revised.person.residentId ?? ''}' '${hub.base}/fhir/DiagnosticReport/_search'
  curl -s ${auth} -H 'Accept: application/dicom+json' '${hub.base}/dicomweb/studies?StudyInstanceUID=${played.revised.studyUid}'
  curl -s ${auth} -H 'Accept: multipart/related; type="application/dicom"' -o study.mime '${hub.base}/dicomweb/studies/${played.revised.studyUid}'
Administer
  token ${hub.adminToken}
`);
}

const once = process.argv.includes('--once');
let held = false;
let neighbour: Neighbour | null = null;
let broken = false;
// The hub ends this process when it has drained; the code is the demo's.
process.on('exit', () => {
  if (broken || (once && !held)) process.exitCode = 1;
});
/** The neighbour drains first, then this process; it would also end by itself when this process is gone. */
function end(): void {
  void (neighbour?.stop() ?? Promise.resolve()).finally(() => process.kill(process.pid, 'SIGTERM'));
}
main().then(
  (outcome) => {
    held = outcome;
    if (once) end();
    else say('The hub stays up. Ctrl-C ends it.');
  },
  (error: unknown) => {
    say(`demo: ${error instanceof Error ? error.message : 'it broke'}`);
    broken = true;
    // Before the hub has raised anything nobody listens for a signal.
    if (process.listenerCount('SIGTERM') > 0) end();
    else process.exit(1);
  },
);
