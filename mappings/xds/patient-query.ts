/**
 * Questions about who a patient is in HL7 v3: PIXV3 (ITI-45, PRPA_IN201309UV02) and PDQV3 (ITI-47, PRPA_IN201305UV02 with
 * its continuation QUQI_IN000003UV01). A parameter that is not understood refuses the question, since without it more is found.
 */
import type { Demand, PatientNumber } from '../../hub/core/patient-query.ts';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import { sexOf } from '../codes/demographics.ts';
import { attributeOf, down, HL7V3 } from './hl7v3.ts';
import type { XmlElement } from './xml.ts';

export const PIX_QUERY = `${HL7V3}:PRPA_IN201309UV02`;
export const PDQ_QUERY = `${HL7V3}:PRPA_IN201305UV02`;
export const PDQ_CONTINUE = `${HL7V3}:QUQI_IN000003UV01`;
export const PDQ_CANCEL = `${HL7V3}:QUQI_IN000003UV01_Cancel`;

export type PatientQuestion =
  | { readonly kind: 'pix'; readonly tag: string; readonly source: PatientNumber; readonly targets: readonly string[] }
  | {
      readonly kind: 'pdq';
      readonly tag: string;
      readonly demand: Demand;
      readonly domains: readonly string[];
      readonly limit: number;
    }
  /** `startAt` from 0. */
  | { readonly kind: 'continue'; readonly tag: string; readonly startAt: number; readonly limit: number }
  | { readonly kind: 'cancel'; readonly tag: string };

export const QUESTION_LIMITS = { parameters: 50, page: 50, pages: 200 } as const;

const QUERY = '/controlActProcess/queryByParameter';
export const PARAMETERS = `${QUERY}/parameterList`;

/** queryByParameter, to be given back in the answer. */
export const queryOf = (body: XmlElement): XmlElement | undefined =>
  down([body], 'controlActProcess', 'queryByParameter')[0];

export function readQuestion(body: XmlElement): Result<PatientQuestion> {
  if (body.name === 'QUQI_IN000003UV01' || body.name === 'QUQI_IN000003UV01_Cancel') return readContinuation(body);
  const query = queryOf(body);
  const [list] = query === undefined ? [] : down([query], 'parameterList');
  if (query === undefined || list === undefined) return fail(problem('required-missing', PARAMETERS));
  const tag = tagOf(query);
  if (tag === '') return fail(problem('required-missing', `${QUERY}/queryId`, 'A question needs its queryId.'));
  if (list.children.length > QUESTION_LIMITS.parameters) return fail(problem('limit-exceeded', PARAMETERS));
  return body.name === 'PRPA_IN201309UV02' ? readPix(list, tag) : readPdq(query, list, tag);
}

const tagOf = (query: XmlElement): string => {
  const [id] = down([query], 'queryId');
  const [root, extension] = [attributeOf(id, 'root'), attributeOf(id, 'extension')];
  return root === '' ? '' : `${root}^${extension}`.slice(0, 256);
};

/** Schematically `value` elements of all parameters of that name, in the order of the message. */
const values = (list: XmlElement, name: string): readonly XmlElement[] => down([list], name, 'value');

function readPix(list: XmlElement, tag: string): Result<PatientQuestion> {
  const ids = values(list, 'patientIdentifier');
  const [root, extension] = [attributeOf(ids[0], 'root'), attributeOf(ids[0], 'extension')];
  if (ids.length !== 1 || root === '' || extension === '')
    return fail(
      problem('required-missing', `${PARAMETERS}/patientIdentifier`, 'One patient identifier with root and extension.'),
    );
  const targets = values(list, 'dataSource').map((value) => attributeOf(value, 'root'));
  return ok({ kind: 'pix', tag, source: { authority: root, value: extension }, targets });
}

type Draft = { -readonly [K in keyof Demand]: Demand[K] };

function readPdq(query: XmlElement, list: XmlElement, tag: string): Result<PatientQuestion> {
  const draft: Draft = { numbers: [], names: [], birthDate: null, sex: null, phone: null, address: [] };
  const domains: string[] = [];
  for (const parameter of list.children) {
    const where = `${PARAMETERS}/${/^\w{1,64}$/.test(parameter.name) ? parameter.name : ''}`;
    for (const value of down([parameter], 'value')) {
      if (parameter.name === 'otherIDsScopingOrganization') domains.push(attributeOf(value, 'root'));
      else {
        const wrong = take(draft, parameter.name, value, where);
        if (wrong !== null) return fail(wrong);
      }
    }
  }
  const { numbers, names, address, birthDate, phone } = draft;
  if (numbers.length + names.length + address.length === 0 && birthDate === null && phone === null)
    return fail(problem('required-missing', PARAMETERS, 'A question needs something to find patients by.'));
  return ok({ kind: 'pdq', tag, demand: draft, domains, limit: quantity(query, 'initialQuantity') });
}

const quantity = (of: XmlElement, name: string): number => {
  const text = attributeOf(down([of], name)[0], 'value');
  return /^[1-9]\d{0,8}$/.test(text) ? Math.min(Number(text), QUESTION_LIMITS.pages) : QUESTION_LIMITS.page;
};

/** null: taken. */
function take(draft: Draft, name: string, value: XmlElement, where: string): Problem | null {
  switch (name) {
    case 'livingSubjectId':
      return takeNumber(draft, value, where);
    case 'livingSubjectName':
      return takeName(draft, value);
    case 'livingSubjectBirthTime': {
      const date = /^(\d{4})(\d\d)?(\d\d)?/.exec(attributeOf(value, 'value'));
      if (date === null) return problem('invalid-value', where, 'A birth time has its value as TS.');
      draft.birthDate = date.slice(1).filter(Boolean).join('-');
      return null;
    }
    case 'livingSubjectAdministrativeGender':
      draft.sex = attributeOf(value, 'code') === 'UN' ? 'other' : sexOf(attributeOf(value, 'code'));
      return draft.sex === null ? problem('unknown-code', where) : null;
    case 'patientTelecom':
      draft.phone = attributeOf(value, 'value').replace(/^(tel|mailto):/, '');
      return draft.phone === '' ? problem('invalid-value', where) : null;
    case 'patientAddress':
      draft.address = [...draft.address, ...textsOf(value)];
      return null;
    default:
      return problem('unknown-code', where, 'This is not searched by.');
  }
}

function takeNumber(draft: Draft, value: XmlElement, where: string): Problem | null {
  const [root, extension] = [attributeOf(value, 'root'), attributeOf(value, 'extension')];
  if (root === '' || extension === '') return problem('invalid-value', where, 'An id has root and extension.');
  draft.numbers = [...draft.numbers, { authority: root, value: extension }];
  return null;
}

/** EN in parts or as text; `*` at the end stands for any more (§3.47.4.1.2.1). */
function takeName(draft: Draft, value: XmlElement): null {
  const parts = value.children.filter(({ name }) => name === 'family' || name === 'given');
  const named = parts.map(({ name, text }) => ({
    part: name === 'family' ? ('family' as const) : ('given' as const),
    text,
  }));
  const all = named.length > 0 ? named : [{ part: 'any' as const, text: value.text }];
  const asked = all.flatMap(({ part, text }) => {
    const whole = text.trim();
    const begins = whole.endsWith('*');
    const bare = begins ? whole.slice(0, -1).trim() : whole;
    return bare === '' ? [] : [{ part, text: bare, begins }];
  });
  draft.names = [...draft.names, ...asked];
  return null;
}

const textsOf = (value: XmlElement): readonly string[] =>
  [value, ...value.children].map(({ text }) => text.trim()).filter((text) => text !== '');

function readContinuation(body: XmlElement): Result<PatientQuestion> {
  const [continuation] = down([body], 'controlActProcess', 'queryContinuation');
  const where = '/controlActProcess/queryContinuation';
  const tag = continuation === undefined ? '' : tagOf(continuation);
  if (continuation === undefined || tag === '') return fail(problem('required-missing', `${where}/queryId`));
  const status = attributeOf(down([continuation], 'statusCode')[0], 'code');
  if (body.name.endsWith('_Cancel') || status === 'aborted') return ok({ kind: 'cancel', tag });
  const start = attributeOf(down([continuation], 'startResultNumber')[0], 'value');
  if (!/^[1-9]\d{0,8}$/.test(start)) return fail(problem('required-missing', `${where}/startResultNumber`));
  return ok({
    kind: 'continue',
    tag,
    startAt: Number(start) - 1,
    limit: quantity(continuation, 'continuationQuantity'),
  });
}
