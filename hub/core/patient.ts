/** One hospital's registration of a person: how assertions about it are folded, and when a careful clerk would stop. */
import { parseResidentId, type HubId, type SiteId } from './identifier.ts';
import { fail, ok, problem, type Finding, type Result } from './problem.ts';
import type { Identifier, PatientFields, PersonName, Sex } from './record.ts';
import { assertFields, qualityOf, stamp, value, type Registers } from './register.ts';
import type { PatientView } from './view.ts';

export interface PatientState {
  readonly recordId: HubId;
  readonly site: SiteId;
  readonly authority: string;
  readonly localId: string;
  readonly facts: Registers;
  readonly mergedInto: HubId | null;
}

export interface Assertion {
  readonly quality: 1 | 2 | 3;
  readonly at: string;
  /** Orders what was said at one time: a feed's words by their place in the journal, reports and images by their content. */
  readonly tie: string;
  /** An operator has looked at the doubt: apply. */
  readonly forced: boolean;
  /** The message was applied before and is read anew, under another mapping. */
  readonly again?: boolean;
}

/** A reading (pinyin, bopomofo) with the written name that it came with: it goes when that name does. */
interface KeptName extends PersonName {
  readonly of?: string;
}

/** Registers beside a registration's fields: the survivor, and the last word about each other registration. */
export const MERGED = 'merged';
export const TIE = 'tie|';

const NAME = 'name|';
const IDENTIFIER = 'identifier|';

/** Folds `fields` into the registration. A doubt that the two are one person is a Problem, and nothing is applied. */
export function assertPatient(
  state: PatientState,
  fields: PatientFields,
  by: Assertion,
): Result<{ state: PatientState; findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  const doubt = contradiction(state, fields);
  let standing = state.facts;
  if (doubt !== null && !by.forced) {
    // An image header is no authority on the person: the registration stands, the difference is told, whichever of them
    // came first. What a header said that speaks of somebody else goes as a whole, its resident ID above all.
    standing = by.quality === 1 ? state.facts : withoutHeaders(state.facts);
    const registered = by.quality === 1 ? null : contradiction({ ...state, facts: standing }, fields);
    if (registered !== null) return fail(problem('identity-doubt', registered.where, registered.text));
    findings.push({ code: 'demographics-differ', where: doubt.where, text: doubt.text });
    if (by.quality === 1) return ok({ state, findings });
  }
  if (by.quality > 1 && isRenamed(state, fields)) findings.push(RENAMED);
  const { names, identifiers, ...plain } = fields;
  const mark = stamp(by.quality, by.at, 0, by.tie);
  let facts = assertFields(standing, plain, mark, by.again);
  const written = names?.find((name) => name.representation === 'ideographic' && !damaged(name.text));
  for (const name of names ?? []) {
    // A name with replaced or private-use characters never displaces a whole one (CODES §7.3).
    const quality = damaged(name.text) ? 1 : by.quality;
    const kept: KeptName =
      written === undefined || name === written ? name : { ...name, of: comparableName(written.text) };
    const told = stamp(quality, by.at, 0, by.tie);
    facts = assertFields(facts, { [NAME + name.representation]: kept }, told, by.again);
  }
  for (const id of identifiers ?? []) {
    facts = assertFields(facts, { [`${IDENTIFIER}${id.type}|${id.authority}`]: id }, mark, by.again);
  }
  return ok({ state: { ...state, facts }, findings: [...findings, ...suspicions(facts)] });
}

const RENAMED: Finding = {
  code: 'demographics-differ',
  where: 'name',
  text: 'Another name than is registered under this identifier, and nothing beside it that says it is the same person.',
};

/** A number given to a second person looks like this, and so does a corrected name: it is applied, and told. */
function isRenamed(state: PatientState, fields: PatientFields): boolean {
  if (!namesDiffer(state, fields)) return false;
  const resident = residentIdOf(state.facts);
  const sameNumber = (fields.identifiers ?? []).some(({ type, value: told }) => type === RESIDENT && told === resident);
  const born = value<string>(state.facts, 'birthDate');
  return !sameNumber && !(born !== null && born === fields.birthDate);
}

/** The resident ID tells sex and birth (GB 11643): where the registration tells others, the number may be somebody else's. */
function suspicions(facts: Registers): Finding[] {
  const resident = parseResidentId(residentIdOf(facts) ?? '');
  if (!resident.ok) return [];
  const born = value<string>(facts, 'birthDate');
  const found: Finding[] = [];
  const suspect = (where: string, what: string): void => {
    const text = `The resident ID tells another ${what} than is registered; it may be another person's number.`;
    found.push({ code: 'identifier-suspect', where, text });
  };
  if (born !== null && !compatibleDates(born, resident.birthDate)) suspect('birthDate', 'birth date');
  if (opposite(value<Sex>(facts, 'sex'), resident.sex)) suspect('sex', 'sex');
  return found;
}

/**
 * When the source took the registration back, if that is the last that it said of the patient. Whatever it tells later
 * stands again by itself, in whatever order the two arrive; an image header tells of no registration.
 */
function withdrawnAt(facts: Registers): string | null {
  const [mark, told] = facts['withdrawn'] ?? [];
  if (mark === undefined || told !== true) return null;
  const isLast = Object.entries(facts).every(
    ([field, [by]]) => by <= mark || qualityOf(by) === 1 || field === MERGED || field.startsWith(TIE),
  );
  return isLast ? (mark.split('|')[1] ?? null) : null;
}

/** What feeds and operators told. */
const withoutHeaders = (facts: Registers): Registers =>
  Object.fromEntries(Object.entries(facts).filter(([, [mark]]) => qualityOf(mark) > 1));

const RESIDENT = 'NI';

export function residentIdOf(facts: Registers): string | null {
  for (const [field, register] of Object.entries(facts)) {
    if (field.startsWith(`${IDENTIFIER}${RESIDENT}|`) && register[1] !== null) return (register[1] as Identifier).value;
  }
  return null;
}

/** Names compared as a clerk would: compatibility forms, blanks, case and all middle dots fold together. */
export function comparableName(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[\s\u3000^,·•‧・．.]/gu, '')
    .toUpperCase();
}

function damaged(text: string): boolean {
  return /[?\uFFFD\uE000-\uF8FF]/u.test(text);
}

/** What makes it doubtful that `fields` speak of the registered person; null: nothing. */
function contradiction(state: PatientState, fields: PatientFields): { where: string; text: string } | null {
  const sex = value<Sex>(state.facts, 'sex');
  if (opposite(sex, fields.sex ?? null))
    return { where: 'sex', text: 'The sex contradicts the one registered under this patient identifier.' };
  const resident = residentIdOf(state.facts);
  const told = fields.identifiers?.find((id) => id.type === RESIDENT)?.value;
  if (resident !== null && told !== undefined && resident !== told && namesDiffer(state, fields))
    return {
      where: 'identifiers',
      text: 'Resident ID and name both contradict those registered under this identifier.',
    };
  const born = value<string>(state.facts, 'birthDate');
  const toldBorn = fields.birthDate ?? null;
  if (born !== null && toldBorn !== null && !compatibleDates(born, toldBorn) && namesDiffer(state, fields))
    return { where: 'birthDate', text: 'Birth date and name both contradict those registered under this identifier.' };
  return null;
}

/** What speaks against two registrations being one person: the field; null: nothing. */
export function contradictionOf(a: PatientState, b: PatientState): string | null {
  const fields = (state: PatientState): PatientFields => {
    const { names, identifiers, sex, birthDate } = patientView(state);
    return { names, identifiers, sex, birthDate };
  };
  return contradiction(a, fields(b))?.where ?? null;
}

export const opposite = (a: Sex | null, b: Sex | null): boolean =>
  (a === 'male' && b === 'female') || (a === 'female' && b === 'male');

/** 1980-03 and 1980-03-15 agree: the shorter is a prefix of the longer. */
export const compatibleDates = (a: string, b: string): boolean => a.startsWith(b) || b.startsWith(a);

function namesDiffer(state: PatientState, fields: PatientFields): boolean {
  return (fields.names ?? []).some((name) => {
    const known = value<PersonName>(state.facts, NAME + name.representation);
    return known !== null && !damaged(name.text) && comparableName(known.text) !== comparableName(name.text);
  });
}

/** The current name in its representations; a reading of a name that was replaced is not a reading of this one. */
function namesOf(facts: Registers): PersonName[] {
  const written = value<PersonName>(facts, `${NAME}ideographic`);
  const shown = written === null ? null : comparableName(written.text);
  return (['ideographic', 'alphabetic', 'phonetic'] as const).flatMap((representation) => {
    const kept = value<KeptName>(facts, NAME + representation);
    if (kept === null) return [];
    const { of, ...name } = kept;
    return of === undefined || shown === null || of === shown ? [name] : [];
  });
}

export function patientView(state: PatientState): PatientView {
  const { facts } = state;
  const identifiers = Object.keys(facts)
    .filter((field) => field.startsWith(IDENTIFIER))
    .sort()
    .map((field) => value<Identifier>(facts, field))
    .filter((id) => id !== null);
  return {
    recordId: state.recordId,
    site: state.site,
    authority: state.authority,
    localId: state.localId,
    names: namesOf(facts),
    sex: value(facts, 'sex'),
    birthDate: value(facts, 'birthDate'),
    identifiers,
    phone: value(facts, 'phone'),
    address: value(facts, 'address'),
    maritalStatus: value(facts, 'maritalStatus'),
    ethnicGroup: value(facts, 'ethnicGroup'),
    nationality: value(facts, 'nationality'),
    deceased: value(facts, 'deceased'),
    residentId: residentIdOf(facts),
    mergedInto: state.mergedInto,
    withdrawnAt: withdrawnAt(facts),
  };
}
