/**
 * 主索引: who is one person, decided before the eyes of the watcher. A doubt side by side, two words of people, what readers
 * see of it and that it can be undone; what hospitals say of their numbers, rightly and wrongly. Each step is a check.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { Exam } from '../province/exams.ts';
import type { Person } from '../province/persons.ts';
import { same } from './asker.ts';
import type { Asker, Check } from './asker.ts';
import { search, whole } from './checks.ts';
import { documented } from './document-checks.ts';
import { at, call, list, postJson, text } from './http.ts';
import * as cast from './identity-cast.ts';
import { when } from './play.ts';
import type { Senders, Told } from './senders.ts';

export interface Stage {
  readonly asker: Asker;
  /** Where two people must agree. */
  readonly secondOperator: string;
  readonly senders: Senders;
  readonly show: (told: Told) => void;
  readonly say: (line: string) => void;
}

/** Plays the scene; each step that should hold is given back as a check, to be counted with the others. */
export async function playIdentity(stage: Stage): Promise<readonly Check[]> {
  const checks: Check[] = [];
  const step = async (name: string, holds: () => Promise<string>): Promise<void> => {
    const wrong = await holds().catch((error: unknown) => (error instanceof Error ? error.message : 'it broke'));
    stage.say(`  ${wrong === '' ? '->' : '!!'} ${name}`);
    checks.push({ name: `主索引 ${name}`, holds: () => Promise.resolve(wrong) });
  };
  const priors = stage.asker.played.exams.filter(({ person }) => [cast.AT_H1, cast.AT_H2].includes(person));
  await joined(stage, priors, step);
  await undone(stage, priors, step);
  await byTwo(stage, step);
  await byHospitals(stage, step);
  return checks;
}

type Step = (name: string, holds: () => Promise<string>) => Promise<void>;

async function joined(stage: Stage, priors: readonly Exam[], step: Step): Promise<void> {
  const { asker } = stage;
  await step('h1 read her card, h2 wrote 王曉蘭 without an ID: two persons and a question', async () => {
    await until(async () => same('two', await views(asker, priors), apart(priors)));
    const doubt = await doubtBetween(asker, cast.AT_H1, cast.AT_H2);
    if (doubt === null) return 'no review of the two is open';
    return sideBySide(stage, text(doubt, 'reviewId'));
  });
  await step('the operator: one person; FHIR, QIDO-RS and ITI-18 give the priors of both hospitals', async () => {
    const doubt = await doubtBetween(asker, cast.AT_H1, cast.AT_H2);
    const state = await decide(stage, text(doubt, 'reviewId'), 'same', '来电核实，系同一人');
    return same('state', state, 'resolved') || same('one', await views(asker, priors), together(priors));
  });
}

async function undone(stage: Stage, priors: readonly Exam[], step: Step): Promise<void> {
  const { asker, senders } = stage;
  await step('undone: each exam is back where it belongs, on every face', async () => {
    const [person = ''] = await patients(asker, cast.AT_H1);
    const file = await call(`${asker.hub.base}/api/v1/persons/${person}`, { token: asker.operator });
    const decisionId = text(file.json(), 'decisions', 0, 'decisionId');
    const path = `/api/v1/persons/${person}/undo`;
    await act(stage, '撤销 undo', path, { decisionId, reason: '本人到院，系另一人' }, asker.operator);
    return same('two', await views(asker, priors), apart(priors));
  });
  await step('"not the same" is remembered: h2 registers her anew, and nobody is asked again', async () => {
    const doubt = await doubtBetween(asker, cast.AT_H1, cast.AT_H2);
    if (doubt === null) return 'the question is not open again';
    await decide(stage, text(doubt, 'reviewId'), 'not-same', '证件与照片不符，系另一人');
    const [first] = priors;
    if (!first) return 'there is no exam';
    await senders.hl7('h2', 'ADT^A04 with another telephone number', cast.againAtH2(when(first, 600)));
    await applied(asker);
    if ((await doubtBetween(asker, cast.AT_H1, cast.AT_H2)) !== null) return 'the question is open again';
    return same('two', await views(asker, priors), apart(priors));
  });
}

async function byTwo(stage: Stage, step: Step): Promise<void> {
  const { asker, secondOperator } = stage;
  await step('two valid resident IDs: one operator is not enough, nor twice the same, a second one is', async () => {
    const doubt = await doubtBetween(asker, cast.OLD_ID, cast.NEW_ID);
    if (doubt === null) return 'no review of the two is open';
    const [id, reason] = [text(doubt, 'reviewId'), '公安更正证件号码，有证明'];
    const wrong = await sideBySide(stage, id);
    const states = [
      await decide(stage, id, 'same', reason),
      await decide(stage, id, 'same', reason, asker.operator, '409'),
      await decide(stage, id, 'same', reason, secondOperator),
    ];
    const seen = [
      ...states,
      new Set([...(await patients(asker, cast.OLD_ID)), ...(await patients(asker, cast.NEW_ID))]).size,
    ];
    return wrong || same('states, persons', seen, ['open', '', 'resolved', 1]);
  });
}

async function byHospitals(stage: Stage, step: Step): Promise<void> {
  const { asker, senders } = stage;
  const [exam] = asker.played.exams;
  if (!exam) throw new Error('there is no exam');
  await step('h1 merges 司马建国 into 张伟 by mistake: refused with the reason, his exams stay his', async () => {
    await senders.hl7('h1', 'ADT^A40 of two strangers', cast.falseMerge(when(exam, 700)));
    await applied(asker);
    const open = await reviews(asker, 'message');
    const refused = open.filter(
      (item) => text(item, 'problem', 'code') === 'identity-doubt' && text(item, 'site') === 'h1',
    );
    stage.say(`       ${text(refused[0], 'problem', 'where')}: ${text(refused[0], 'problem', 'text')}`);
    const { victim } = cast.WRONGLY_MERGED;
    const his = asker.played.exams.find(({ site, person }) => site === 'h1' && person === victim);
    if (!his) return 'he has no exam';
    return same('refusals', refused.length, 1) || whole(asker, his, victim.residentId ?? '');
  });
  await step(
    'a newborn with the ID of the mother is a person of its own, and the number is told as suspect',
    async () => {
      const [baby, mother] = [
        await patients(asker, cast.NEWBORN),
        await search(asker, 'Patient', { identifier: cast.NEWBORN.residentId ?? '' }),
      ];
      const found = mother.map((one) => text(one, 'id'));
      if (baby.length !== 1 || found.length === 0 || baby.some((id) => found.includes(id)))
        return JSON.stringify({ baby, found });
      const told = await call(`${asker.hub.base}/api/v1/journal?finding=identifier-suspect&site=h3`, {
        token: asker.operator,
      });
      return list(told.json(), 'items').length >= 1 ? '' : `no finding: HTTP ${String(told.status)}`;
    },
  );
  await step('A24: two numbers of h3 are one patient; A37: they are not', async () => {
    const both = async (): Promise<number> =>
      new Set([...(await patients(asker, cast.FIRST_NUMBER)), ...(await patients(asker, cast.SECOND_NUMBER))]).size;
    const seen = [await both()];
    for (const [event, minute] of [
      ['A24', 710],
      ['A37', 720],
    ] as const) {
      await senders.hl7('h3', `ADT^${event}`, cast.linkNumbers(event, when(exam, minute)));
      await applied(asker);
      seen.push(await both());
    }
    return same('persons', seen, [2, 1, 2]);
  });
}

/** Which of the two exams each face gives for each of the two numbers. */
interface Views {
  readonly fhir: readonly (readonly string[])[];
  readonly qido: readonly (readonly string[])[];
  readonly xds: readonly (readonly string[])[];
}

const uids = (exams: readonly Exam[]): string[] => exams.map(({ studyUid }) => studyUid).sort();
const apart = (priors: readonly Exam[]): Views => {
  const each = priors.map((exam) => [exam.studyUid]);
  return { fhir: each, qido: each, xds: each };
};
const together = (priors: readonly Exam[]): Views => {
  const each = priors.map(() => uids(priors));
  return { fhir: each, qido: each, xds: each };
};

async function views(asker: Asker, priors: readonly Exam[]): Promise<Views> {
  const [fhir, qido, xds]: [string[][], string[][], string[][]] = [[], [], []];
  for (const { person } of priors) {
    const { number } = cast.numberOf(person);
    const studies = await search(asker, 'ImagingStudy', { 'patient.identifier': number });
    fhir.push(uids(priors.filter(({ studyUid }) => JSON.stringify(studies).includes(studyUid))));
    qido.push(uids(await byNumbers(asker, person, priors)));
    const [id = ''] = await patients(asker, person);
    xds.push(uids(await documented(asker, id, priors)));
  }
  return { fhir, qido, xds };
}

/** As a viewer does it: the numbers of the person from FHIR, then what QIDO-RS has under each. */
async function byNumbers(asker: Asker, person: Person, priors: readonly Exam[]): Promise<Exam[]> {
  const [known] = await search(asker, 'Patient', { identifier: cast.numberOf(person).number });
  const found = new Set<string>();
  for (const number of list(known, 'identifier').map((one) => text(one, 'value'))) {
    if (!priors.some((exam) => cast.numberOf(exam.person).number === number)) continue;
    const answer = await call(`${asker.hub.base}/dicomweb/studies?PatientID=${encodeURIComponent(number)}`, {
      token: asker.query,
      accept: 'application/dicom+json',
    });
    if (answer.status === 200) for (const one of list(answer.json())) found.add(text(one, '0020000D', 'Value', 0));
  }
  return priors.filter(({ studyUid }) => found.has(studyUid));
}

/** Ids of the persons of today that have a hospital's number. */
async function patients(asker: Asker, person: Person): Promise<string[]> {
  const found = await search(asker, 'Patient', { identifier: cast.numberOf(person).number });
  return [...new Set(found.map((one) => text(one, 'id')))];
}

async function reviews(asker: Asker, kind: 'identity' | 'message'): Promise<readonly unknown[]> {
  const path = `/api/v1/reviews?kind=${kind}&state=open&order=urgent&limit=200`;
  return list((await call(asker.hub.base + path, { token: asker.operator })).json(), 'items');
}

async function doubtBetween(asker: Asker, a: Person, b: Person): Promise<unknown> {
  const wanted = [await patients(asker, a), await patients(asker, b)].flat();
  const found = (await reviews(asker, 'identity')).find((item) =>
    wanted.every((id) => list(item, 'persons').includes(id)),
  );
  return found ?? null;
}

/** Shows what an operator sees: masked values, and what each attribute says. */
async function sideBySide(stage: Stage, reviewId: string): Promise<string> {
  const { asker, say } = stage;
  const answer = await call(`${asker.hub.base}/api/v1/reviews/${reviewId}/sides`, { token: asker.operator });
  const sides = list(answer.json(), 'sides');
  for (const side of sides) {
    const name = text(side, 'names', 0, 'text');
    const values = [
      text(side, 'sex'),
      text(side, 'birthDate'),
      text(side, 'residentId') || '-',
      text(side, 'phone') || '-',
    ];
    say(`       ${text(side, 'site')} ${text(side, 'localId').padEnd(10)} ${name} ${values.join(' ')}`);
  }
  const comparison = at(answer.json(), 'comparison');
  const said = list(comparison, 'contributions').map(
    (one) => `${text(one, 'attribute')} ${text(one, 'level')} ${signed(Number(at(one, 'weight')))}`,
  );
  const veto = text(comparison, 'veto');
  say(`       ${said.join(', ')}: ${text(comparison, 'weight')} bits${veto === '' ? '' : `, yet ${veto}`}`);
  return sides.length === 2 && said.length > 1 ? '' : `side by side: HTTP ${String(answer.status)}`;
}

const signed = (bits: number): string => `${bits < 0 ? '−' : '+'}${Math.abs(bits).toFixed(1)}`;

async function decide(
  stage: Stage,
  id: string,
  decision: 'same' | 'not-same',
  reason: string,
  token = stage.asker.operator,
  expected = '200',
): Promise<string> {
  const answer = await act(
    stage,
    `review: ${decision}`,
    `/api/v1/reviews/${id}/decide`,
    { decision, reason },
    token,
    expected,
  );
  return text(answer, 'state');
}

/** What an operator does, as a line of the demo. */
async function act(
  stage: Stage,
  what: string,
  path: string,
  body: unknown,
  token: string,
  expected = '200',
): Promise<unknown> {
  const start = performance.now();
  const answer = await postJson(stage.asker.hub.base + path, token, body);
  const outcome = String(answer.status);
  const from = token === stage.secondOperator ? '操作员2' : '操作员';
  const told = { from, port: 'REST', what, outcome, ms: performance.now() - start, expected: outcome === expected };
  stage.senders.told.push(told);
  stage.show(told);
  return answer.status === 200 ? answer.json() : null;
}

/** Documents are made when a study has settled, beside everything else. */
async function until(holds: () => Promise<string>): Promise<void> {
  for (let tries = 0; tries < 40; tries++) {
    if ((await holds()) === '') return;
    await pause(500);
  }
  throw new Error(await holds());
}

async function applied(asker: Asker): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const counters = await call(`${asker.hub.base}/api/v1/journal/counters`, { token: asker.operator });
    if (at(counters.json(), 'pending') === 0) return;
    await pause(100);
  }
}
