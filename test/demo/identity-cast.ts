/**
 * Persons whom no clerk would join at a glance, and one at whom a hospital errs: who is registered where, with what wrong,
 * and the exams of the two that are one. Beside `province/persons.ts`, whose persons every hospital knows rightly.
 */
import { residentCheck } from '../../hub/core/identifier.ts';
import { DIALECTS, merge, message, pid, registration } from '../province/messages.ts';
import { uidOf } from '../province/exams.ts';
import type { Exam } from '../province/exams.ts';
import { personNamed } from '../province/persons.ts';
import type { Person, SiteName } from '../province/persons.ts';
import type { Senders } from './senders.ts';

const numbered = (born: string, sequence: string): string =>
  `990103${born}${sequence}${residentCheck(`990103${born}${sequence}`)}`;

const WANG = { pinyin: ['Wang', 'Xiaolan'], sex: 'F', born: '19850617', ethnic: '01' } as const;
const MA = {
  name: '马国强',
  pinyin: ['Ma', 'Guoqiang'],
  sex: 'M',
  born: '19620509',
  phone: '19900002002',
  address: '虚构省虚构市西城区槐荫街8号',
  ethnic: '01',
} as const;
const SUN: Omit<Person, 'local'> = {
  name: '孙立仁',
  pinyin: ['Sun', 'Liren'],
  sex: 'M',
  born: '19580930',
  residentId: null,
  phone: '',
  address: '',
  ethnic: '01',
};
const MOTHER = personNamed('赵丽娜');

/** One woman: her card was read at h1; at h2 somebody wrote her name in old characters, with an old telephone number. */
export const AT_H1: Person = {
  ...WANG,
  name: '王晓兰',
  residentId: numbered('19850617', '426'),
  phone: '19900002001',
  address: '虚构省虚构市东城区长青路901号',
  local: { h1: 'P910001' },
};
export const AT_H2: Person = {
  ...WANG,
  name: '王曉蘭',
  residentId: null,
  phone: '18600451273',
  address: '',
  local: { h2: '20269101' },
};
/** One man whose resident ID the police corrected: both are valid. */
export const OLD_ID: Person = { ...MA, residentId: numbered('19620509', '311'), local: { h1: 'P910002' } };
export const NEW_ID: Person = { ...MA, residentId: numbered('19620509', '331'), local: { h3: 'BL-910002' } };
/** Two numbers of one hospital. */
export const FIRST_NUMBER: Person = { ...SUN, local: { h3: 'BL-910010' } };
export const SECOND_NUMBER: Person = { ...SUN, local: { h3: 'BL-910011' } };
/** Registered with the mother's resident ID, as 45 of 100 newborns are. */
export const NEWBORN: Person = {
  ...MOTHER,
  name: '赵丽娜之女',
  pinyin: ['Zhao', 'Zhi Nu'],
  born: '20261103',
  local: { h3: 'BL-910020' },
};
/** Two men whom h1 will say are one. */
export const WRONGLY_MERGED = { survivor: personNamed('张伟'), victim: personNamed('司马建国') } as const;

const CAST = [AT_H1, AT_H2, OLD_ID, NEW_ID, FIRST_NUMBER, SECOND_NUMBER, NEWBORN];

export function numberOf(person: Person): { readonly site: SiteName; readonly number: string } {
  const [site = 'h1', number = ''] = (Object.entries(person.local)[0] ?? []) as [SiteName?, string?];
  return { site, number };
}

/** A radiograph of her at each hospital, after the pattern of one that is there. */
export function priorsOf(patterns: readonly Exam[]): readonly Exam[] {
  return [AT_H1, AT_H2].map((person, at) => {
    const { site } = numberOf(person);
    const pattern = patterns.find((exam) => exam.site === site && exam.modality === 'DX' && !exam.report.positive);
    if (!pattern) throw new Error(`no radiograph at ${site} to go by`);
    const number = `${pattern.startedAt.slice(2, 8)}${String(901 + at)}`;
    return {
      ...pattern,
      person,
      accession: `DX${number}`,
      placer: `SQ${number}`,
      studyUid: uidOf('study', site, number),
      seed: 901 + at,
    };
  });
}

export async function registerCast(senders: Senders, at: string): Promise<void> {
  for (const [index, person] of CAST.entries()) {
    const { site, number } = numberOf(person);
    const what = person === NEWBORN ? 'ADT^A04 newborn with the ID of the mother' : 'ADT^A04 registration';
    await senders.hl7(site, what, registration(DIALECTS[site], person, number, `CAST${String(index)}`, at));
  }
}

/** h2 says once more what it said. */
export const againAtH2 = (at: string): Buffer =>
  registration(DIALECTS.h2, { ...AT_H2, phone: '13300867654' }, numberOf(AT_H2).number, 'CASTAGAIN', at);

export const falseMerge = (at: string): Buffer =>
  merge(
    DIALECTS.h1,
    WRONGLY_MERGED.survivor,
    WRONGLY_MERGED.survivor.local.h1 ?? '',
    WRONGLY_MERGED.victim.local.h1 ?? '',
    'CASTA40',
    at,
  );

/** A24: the two numbers are one patient's; A37: they are not (v2.5.1 §3.3.24, §3.3.37). */
export const linkNumbers = (event: 'A24' | 'A37', at: string): Buffer =>
  message(DIALECTS.h3, `ADT^${event}^ADT_${event}`, `CAST${event}`, at, [
    `EVN|${event}|${at}`,
    pid(DIALECTS.h3, FIRST_NUMBER, numberOf(FIRST_NUMBER).number),
    pid(DIALECTS.h3, SECOND_NUMBER, numberOf(SECOND_NUMBER).number),
  ]);
