/**
 * Queries about who a patient is: PIX (ITI-9, QBP^Q23), PDQ (ITI-21, QBP^Q22) and its patient visit form (ITI-22,
 * QBP^ZV1), and the cancellation of their continuation (QCN^J01). ITI TF-2 §3.9, §3.21, §3.22; HL7 v2.5 §5.3.
 */
import { saysNobody, type Demand, type PatientNumber } from '../../hub/core/patient-query.ts';
import { fail, ok, problem, type Problem, type Result } from '../../hub/core/problem.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { visitKey } from '../../hub/core/visit.ts';
import { sexOf } from '../codes/demographics.ts';
import type { Hl7Header } from './header.ts';
import type { Field, Message, Segment } from './message.ts';
import { readDate } from './time.ts';

export type QueryKind = 'pix' | 'pdq' | 'pdvq';

interface Tagged {
  /** QPD-2: what the answer, its continuation and its cancellation name the query by. */
  readonly tag: string;
}

export type Hl7Query =
  | (Tagged & { readonly kind: 'pix'; readonly source: PatientNumber; readonly targets: readonly string[] })
  | (Tagged & {
      readonly kind: 'pdq' | 'pdvq';
      readonly demand: Demand;
      readonly domains: readonly string[];
      /** RCP-2: patients in one answer. */
      readonly limit: number;
      /** DSC-1 of the answer that is continued. */
      readonly pointer: string | null;
    })
  | (Tagged & { readonly kind: 'cancel' });

const TRIGGERS: Readonly<Record<string, QueryKind | 'cancel'>> = {
  'QBP^Q23': 'pix',
  'QBP^Q22': 'pdq',
  'QBP^ZV1': 'pdvq',
  'QCN^J01': 'cancel',
};

export const queryKindOf = (header: Hl7Header): QueryKind | 'cancel' | null =>
  TRIGGERS[`${header.messageCode}^${header.trigger}`] ?? null;

export const QUERY_LIMITS = { qpd: 32_768, criteria: 50, domains: 50, page: 50, pages: 200 } as const;

const tooMany = (where: string): Result<never> =>
  fail(problem('limit-exceeded', where, 'This is more than one query takes.'));

export function readQuery(message: Message, kind: QueryKind | 'cancel', site: SiteProfile): Result<Hl7Query> {
  if (kind === 'cancel') {
    const tag = message.first('QID')?.text(1) ?? '';
    return tag === '' ? fail(problem('required-missing', 'QID-1')) : ok({ kind, tag });
  }
  const qpd = message.first('QPD');
  if (qpd === undefined) return fail(problem('required-missing', 'QPD', 'A query needs QPD.'));
  if (qpd.raw.length > QUERY_LIMITS.qpd) return tooMany('QPD');
  const tag = qpd.text(2);
  if (tag === '') return fail(problem('required-missing', 'QPD-2', 'A query needs its tag in QPD-2.'));
  return kind === 'pix' ? readPix(qpd, tag, site) : readDemographics(message, qpd, { kind, tag }, site);
}

function readPix(qpd: Segment, tag: string, site: SiteProfile): Result<Hl7Query> {
  const value = qpd.text(3);
  if (value === '') return fail(problem('required-missing', 'QPD-3', 'A PIX query needs one patient identifier.'));
  if (qpd.repetitions(3).length > 1) return fail(problem('invalid-value', 'QPD-3', 'One patient identifier is taken.'));
  const targets = domainsOf(qpd, 4, site);
  if (!targets.ok) return targets;
  const authority = authorityOf(qpd.field(3), site);
  return ok({ kind: 'pix', tag, source: { authority, value }, targets: targets.value });
}

/** CX that name nothing but an authority; one that does not is as unknown as one that nobody has. */
function domainsOf(qpd: Segment, field: number, site: SiteProfile): Result<readonly string[]> {
  const sent = qpd.repetitions(field);
  if (sent.length > QUERY_LIMITS.domains) return tooMany(`QPD-${String(field)}`);
  return ok(sent.map((one) => authorityOf(one.field, site)));
}

/** HD in component 4: the universal id, else the namespace as the site's data know it. */
function authorityOf(field: Field, site: SiteProfile): string {
  return canonical(field.text(4, 1), field.text(4, 2), site);
}

function canonical(namespace: string, universal: string, site: SiteProfile): string {
  const { authorities } = site.patientIds;
  const key = universal || namespace;
  return Object.hasOwn(authorities, key) ? (authorities[key] ?? key) : key;
}

interface NumberDraft {
  value: string;
  namespace: string;
  universal: string;
}

interface Draft {
  /** Of the patient, of an account, of a visit. */
  readonly numbers: Record<NumberField, NumberDraft>;
  /** Of the visit. */
  readonly keys: string[];
  names: Demand['names'][number][];
  birthDate: string | null;
  sex: Demand['sex'];
  phone: string | null;
  address: string[];
  /** Fields that a patient is searched by once. */
  readonly once: Set<string>;
}

function readDemographics(
  message: Message,
  qpd: Segment,
  { kind, tag }: { readonly kind: 'pdq' | 'pdvq'; readonly tag: string },
  site: SiteProfile,
): Result<Hl7Query> {
  const sent = qpd.repetitions(3);
  if (sent.length > QUERY_LIMITS.criteria) return tooMany('QPD-3');
  const noNumber = (): NumberDraft => ({ value: '', namespace: '', universal: '' });
  const draft: Draft = {
    numbers: { 'PID.3': noNumber(), 'PID.18': noNumber(), 'PV1.19': noNumber() },
    ...{ keys: [], names: [], birthDate: null, sex: null, phone: null, address: [], once: new Set() },
  };
  for (const { field, at } of sent) {
    const wrong = take(draft, field, `QPD-3[${String(at)}]`, { site, kind });
    if (wrong !== null) return fail(wrong);
  }
  const demand = demandOf(draft, site);
  if (isEmpty(demand))
    return fail(problem('required-missing', 'QPD-3', 'A query needs something to find patients by.'));
  const domains = domainsOf(qpd, 8, site);
  if (!domains.ok) return domains;
  const pointer = message.first('DSC')?.text(1) ?? '';
  const limit = limitOf(message.first('RCP'));
  if (limit === null) return fail(problem('invalid-value', 'RCP-2', 'A number of records (RD) is taken.'));
  return ok({ kind, tag, demand, domains: domains.value, limit, pointer: pointer === '' ? null : pointer });
}

function demandOf({ numbers, keys, once: _once, ...rest }: Draft, site: SiteProfile): Demand {
  const named = (field: NumberField): Demand['numbers'] => {
    const { value, namespace, universal } = numbers[field];
    if (value === '') return [];
    return [{ value, authority: namespace === '' && universal === '' ? null : canonical(namespace, universal, site) }];
  };
  const visits = { numbers: named('PV1.19'), accounts: named('PID.18'), keys };
  const isAsked = visits.numbers.length + visits.accounts.length + keys.length > 0;
  return { ...rest, numbers: named('PID.3'), ...(isAsked ? { visits } : {}) };
}

/** A sex is nobody's, and a class of visit alone is everybody's. */
const isEmpty = (demand: Demand): boolean => {
  const { numbers, accounts, keys } = demand.visits ?? { numbers: [], accounts: [], keys: [] };
  return saysNobody(demand) && numbers.length + accounts.length === 0 && keys.every((key) => key.startsWith('2.'));
};

function limitOf(rcp: Segment | undefined): number | null {
  const text = rcp?.text(2, 1) ?? '';
  if (text === '') return QUERY_LIMITS.page;
  const unit = rcp?.text(2, 2) ?? '';
  if (!/^[1-9]\d{0,8}$/.test(text) || !['', 'RD'].includes(unit)) return null;
  return Math.min(Number(text), QUERY_LIMITS.pages);
}

type NumberField = 'PID.3' | 'PID.18' | 'PV1.19';
/** CX: the number itself, or of its authority the namespace, the universal id and the kind of that. */
const NUMBER = /^(PID\.3|PID\.18|PV1\.19)(?:\.(?:1|4(?:\.([123]))?))?$/;
/** Class, place (PL), doctors (XCN: id, family, given) and service: what §3.22.4.1.2.2.2 asks visits by, beside their numbers. */
const VISIT = /^PV1\.(?:(2|10)(?:\.1)?|3(?:\.([1-478])(?:\.[12])?)?|([789]|17)(?:\.([1-3])(?:\.1)?)?)$/;

/** One `@PID.5.1.1^SMITH`: null: taken. A criterion that is not understood refuses the query, since without it more is found. */
function take(
  draft: Draft,
  field: Field,
  where: string,
  { site, kind }: { readonly site: SiteProfile; readonly kind: 'pdq' | 'pdvq' },
): Problem | null {
  const name = field.text(1).replace(/^@/, '').toUpperCase();
  const value = field.component(2);
  if (value === '') return null;
  const begins = value.endsWith('*');
  const text = begins ? value.slice(0, -1) : value;
  if (text === '') return null;
  const key = name.replace(/\.1$/, '');
  // A second number would be told by the authority of the first, or stand in its place.
  if (draft.once.has(key)) return problem('invalid-value', `${where}.1`, 'This is searched by once in a query.');
  if (!/^PID\.(5|11)(\.|$)/.test(key)) draft.once.add(key);
  const isOfVisit = name.startsWith('PV1.') || /^PID\.18(\.|$)/.test(name);
  if (isOfVisit && begins) return problem('invalid-value', `${where}.2`, 'Visits are searched by whole values.');
  if (name.startsWith('PV1.') && kind === 'pdq') return notSearchedBy(where);
  const number = NUMBER.exec(name);
  if (number !== null) return takeNumber(draft, number, name, text);
  return name.startsWith('PV1.')
    ? takeVisit(draft, name, text, where)
    : takePerson(draft, name, { text, begins }, where, site);
}

const notSearchedBy = (where: string): Problem => problem('unknown-code', `${where}.1`, 'This is not searched by.');

function takeNumber(draft: Draft, [, of = '', part]: RegExpExecArray, name: string, text: string): null {
  const number = draft.numbers[of as NumberField];
  if (part === '2') number.universal = text;
  else if (part === '1' || name.endsWith('.4')) number.namespace = text;
  else if (part === undefined) number.value = text;
  return null;
}

function takeVisit(draft: Draft, name: string, text: string, where: string): Problem | null {
  const match = VISIT.exec(name);
  if (match === null) return notSearchedBy(where);
  const [, plain, place = '1', doctor, part = '1'] = match;
  const at = plain !== undefined ? `${plain}.1` : doctor !== undefined ? `${doctor}.${part}` : `3.${place}`;
  draft.keys.push(visitKey(at, text));
  return null;
}

function takePerson(
  draft: Draft,
  name: string,
  { text, begins }: { readonly text: string; readonly begins: boolean },
  where: string,
  site: SiteProfile,
): Problem | null {
  const named = (part: 'any' | 'family' | 'given'): null => {
    draft.names.push({ part, text, begins });
    return null;
  };
  switch (name) {
    case 'PID.5':
      return named('any');
    case 'PID.5.1':
    case 'PID.5.1.1':
      return named('family');
    case 'PID.5.2':
      return named('given');
    case 'PID.7':
    case 'PID.7.1':
      return takeBirth(draft, text, where, site);
    case 'PID.8':
      draft.sex = sexOf(site.codes.lookup('sex', text)?.code ?? text);
      return draft.sex === null ? problem('unknown-code', `${where}.2`) : null;
    case 'PID.13':
    case 'PID.13.1':
      draft.phone = text;
      return null;
    default:
      if (!/^PID\.11(\.[1-6](\.1)?)?$/.test(name)) return notSearchedBy(where);
      draft.address.push(text);
      return null;
  }
}

function takeBirth(draft: Draft, text: string, where: string, site: SiteProfile): Problem | null {
  const read = readDate(text, { timeZone: site.timeZone, dateFormats: site.hl7v2.dateFormats });
  if (typeof read === 'string') return problem('invalid-value', `${where}.2`, 'This is no date of birth.');
  draft.birthDate = read.date;
  return null;
}
