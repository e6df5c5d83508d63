/** Answers to PIX and PDQ queries: RSP^K23, RSP^K22, RSP^ZV2 (ITI TF-2 §3.9.4.2, §3.21.4.2, §3.22.4.2). */
import type { FoundPage, FoundPatient, PatientNumber } from '../../hub/core/patient-query.ts';
import type { Problem } from '../../hub/core/problem.ts';
import type { PersonName } from '../../hub/core/record.ts';
import { answerHeader, echoed, errorSegment, renderingOf, written } from './ack.ts';
import { escape, type Delimiters } from './escape.ts';
import { answerDelimiters, type Hl7Header } from './header.ts';
import { cx } from './cx.ts';
import type { QueryKind } from './query.ts';
import { visitPair } from './visit-answer.ts';

const TYPES: Readonly<Record<QueryKind, readonly [string, string, string]>> = {
  pix: ['RSP', 'K23', 'RSP_K23'],
  pdq: ['RSP', 'K22', 'RSP_K21'],
  pdvq: ['RSP', 'ZV2', 'RSP_ZV2'],
};

export type QueryOutcome =
  | { readonly kind: 'pix'; readonly numbers: readonly PatientNumber[] }
  | { readonly kind: 'pdq' | 'pdvq'; readonly page: FoundPage }
  /** Of a query of that kind, or of a message too broken to have one. */
  | { readonly kind: 'refused'; readonly of: QueryKind; readonly problem: Problem };

export interface AnsweredQuery {
  readonly header: Hl7Header;
  /** QPD as sent; empty where there was none. */
  readonly qpd: string;
  readonly tag: string;
  readonly controlId: string;
  readonly time: string;
  /** Of the times that are told. */
  readonly timeZone: string;
}

export function writeQueryAnswer(asked: AnsweredQuery, outcome: QueryOutcome): string {
  const { header, tag, qpd } = asked;
  const d = answerDelimiters(header);
  const type = TYPES[outcome.kind === 'refused' ? outcome.of : outcome.kind].join(d.component);
  const refusal = outcome.kind === 'refused' ? outcome.problem : null;
  // AR: the hub will not; AE: it cannot as asked (v2.5.1 §2.9.2.2).
  const code = refusal === null ? 'AA' : renderingOf(refusal.code)[0] === 'error' ? 'AE' : 'AR';
  const head = written(
    [
      answerHeader(header, type, asked.controlId, asked.time),
      ['MSA', code, echoed(header, 10)],
      ...(refusal === null ? [] : [errorSegment(refusal, header.version, d)]),
      ['QAK', escape(tag, d), statusOf(outcome, code), '', ...countsOf(outcome)],
    ],
    d,
  );
  const echo = qpd !== '' && d === header.delimiters ? `${qpd}\r` : '';
  return head + echo + written(bodyOf(outcome, asked, d), d);
}

const statusOf = (outcome: QueryOutcome, code: string): string => {
  if (outcome.kind === 'refused') return code;
  const found = outcome.kind === 'pix' ? outcome.numbers : outcome.page.patients;
  return found.length > 0 ? 'OK' : 'NF';
};

/** QAK-4 to -6: all hits, those of this answer, those to come. */
function countsOf(outcome: QueryOutcome): readonly string[] {
  if (outcome.kind !== 'pdq' && outcome.kind !== 'pdvq') return [];
  const { total, patients, remaining } = outcome.page;
  return [total, patients.length, remaining].map(String);
}

function bodyOf(
  outcome: QueryOutcome,
  asked: Pick<AnsweredQuery, 'timeZone'>,
  d: Delimiters,
): readonly (readonly string[])[] {
  if (outcome.kind === 'refused') return [];
  if (outcome.kind === 'pix') {
    if (outcome.numbers.length === 0) return [];
    // §3.9.4.2.2.6: an empty name, and one of no name at all, so that PID-5 says nothing of the person.
    const noName = `${d.repetition}${d.component.repeat(6)}S`;
    return [['PID', '', '', outcome.numbers.map((one) => cx(one, '', d)).join(d.repetition), '', noName]];
  }
  const { patients, remaining, pointer } = outcome.page;
  return [
    ...patients.flatMap((patient, at) => {
      const pid = pidOf(patient, at + 1, d);
      return outcome.kind === 'pdvq' ? visitPair(pid, patient.visit ?? null, { d, timeZone: asked.timeZone }) : [pid];
    }),
    ...(pointer === null || remaining === 0 ? [] : [['DSC', pointer, 'I']]),
  ];
}

const REPRESENTATION = { ideographic: 'I', alphabetic: 'A', phonetic: 'P' } as const;
const SEX = { male: 'M', female: 'F', other: 'O', unknown: 'U' } as const;

function xpn({ text, family, given, representation }: PersonName, d: Delimiters): string {
  const parts = family === undefined && given === undefined ? [text, ''] : [family ?? '', given ?? ''];
  return [...parts.map((part) => escape(part, d)), '', '', '', '', 'L', REPRESENTATION[representation]].join(
    d.component,
  );
}

function pidOf(patient: FoundPatient, sequence: number, d: Delimiters): readonly string[] {
  const repeated = (all: readonly string[]): string => all.join(d.repetition);
  const address = patient.addresses.map(({ text, postalCode }) =>
    [escape(text, d), '', '', '', escape(postalCode ?? '', d)].join(d.component).replace(/\^+$/, ''),
  );
  return [
    ...['PID', String(sequence), '', repeated(patient.numbers.map((one) => cx(one, one.type, d))), ''],
    ...[repeated(patient.names.map((name) => xpn(name, d))), ''],
    ...[(patient.birthDate ?? '').replaceAll('-', ''), patient.sex === null ? '' : SEX[patient.sex], '', ''],
    ...[repeated(address), '', repeated(patient.phones.map((phone) => escape(phone, d)))],
  ];
}
