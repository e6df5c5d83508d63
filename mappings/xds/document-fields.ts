/** The HL7 v2 forms in which document metadata names patients, people, institutions and times (IHE ITI TF-3 §4.2.3.1.7). */
import type { DocumentAuthor, DocumentCode } from '../../hub/core/document.ts';
import type { Coded, PersonName, Sex, SourceTime } from '../../hub/core/record.ts';
import type { PatientView } from '../../hub/core/view.ts';

const OID = /^[0-2](\.(0|[1-9]\d*))+$/;

/** HL7 v2.5 §2.7: delimiters inside a component are escaped; line ends mean nothing in a name or number. */
const escape = (text: string): string =>
  text
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .trim()
    .replace(
      /[\\|^&~]/g,
      (found) => ({ '\\': '\\E\\', '|': '\\F\\', '^': '\\S\\', '&': '\\T\\', '~': '\\R\\' })[found] ?? '',
    );

/** rim:Value holds 256 characters (rim.xsd LongName); what is longer is left out, never cut into another value. */
const fits = (value: string): boolean => value.length <= 256;

/** `id^^^&oid&ISO`; an authority that is no OID stands under `fallback`, the one OID known to cover it. */
export const cx = (value: string, authority: string, fallback: string): string =>
  `${escape(value)}^^^&${OID.test(authority) ? authority : fallback}&ISO`;

/** CXi (ITI TF-3 §4.2.3.1.7): `id^^^&oid&ISO^type`. */
export const cxi = (value: string, authority: string | null, type: string): string =>
  `${escape(value)}^^^${authority === null ? '' : `&${authority}&ISO`}^${type}`;

/** DTM in UTC to the second. */
export const dtm = (at: SourceTime): string => at.replace(/[-:T]/g, '').slice(0, 14);

/** XCN of someone of whom only the name is known. */
export const xcn = (name: string): string => `^${escape(name)}`;

/** XON: name, and the code that its authority gave. */
export function xon(name: string, code?: { readonly value: string; readonly authority: string }): string {
  const whole = code === undefined ? '' : `^^^^^&${code.authority}&ISO^^^^${escape(code.value)}`;
  const long = `${escape(name)}${whole}`;
  return fits(long) ? long : `${escape(name).slice(0, 128)}${whole}`;
}

const GENDER: Readonly<Record<Sex, string>> = { male: 'M', female: 'F', other: 'O', unknown: 'U' };

/** PID-3, PID-5, PID-7, PID-8 as the hospital knows the patient (ITI TF-3 §4.2.3.2.23). */
export function sourcePatientInfo(patient: PatientView, fallback: string): string[] {
  const { names, birthDate, sex } = patient;
  const lines = [
    `PID-3|${cx(patient.localId, patient.authority, fallback)}`,
    ...names.map((name) => `PID-5|${xpn(name)}`),
    ...(birthDate === null ? [] : [`PID-7|${birthDate.replaceAll('-', '')}`]),
    ...(sex === null ? [] : [`PID-8|${GENDER[sex]}`]),
  ];
  return lines.filter(fits);
}

/** HL7 table 0465: A alphabetic, I ideographic, P phonetic. */
function xpn(name: PersonName): string {
  const representation = { alphabetic: 'A', ideographic: 'I', phonetic: 'P' }[name.representation];
  return `${escape(name.family ?? name.text)}^${escape(name.given ?? '')}^^^^^L^${representation}`;
}

/** A code of the index as document metadata has it; null where it names no system or no code. */
export function documentCode(coded: Coded | null | undefined): DocumentCode | null {
  if (coded === null || coded === undefined) return null;
  const scheme = coded.system.replace(/^urn:oid:/, '').trim();
  const code = coded.code.trim();
  if (scheme === '' || code === '' || !fits(scheme) || !fits(code)) return null;
  return { code, scheme, display: [{ language: 'zh-CN', text: (coded.display ?? code).slice(0, 256) }] };
}

export const author = (institution: string, person?: string): DocumentAuthor => ({
  ...(person === undefined || person.trim() === '' ? {} : { person: xcn(person) }),
  institutions: [institution],
  roles: [],
  specialties: [],
  telecoms: [],
});

/** The name by which a person is called: written, else read. */
export function shownName(names: readonly PersonName[]): string {
  const by = (representation: PersonName['representation']): string | undefined =>
    names.find((name) => name.representation === representation)?.text;
  return by('ideographic') ?? by('alphabetic') ?? by('phonetic') ?? '';
}
