/**
 * Visits of a registered patient as hospitals tell them (HL7 PV1): registers of their own under the registration, so that
 * admissions, moves, discharges and their cancellations join in any order (decisions/0001). Whose they are is the
 * registration's person of today.
 */
import type { Derivation, HubId, SiteId } from './identifier.ts';
import type { DoctorRole, PatientRef, VisitFields, VisitRef } from './record.ts';
import { value, type Registers } from './register.ts';
import type { Sensitivity } from './subject.ts';

export interface VisitState {
  readonly visitId: HubId;
  readonly recordId: HubId;
  readonly site: SiteId;
  readonly ref: VisitRef;
  readonly facts: Registers;
}

export const visitIdOf = (recordId: HubId, { type, authority, value: number }: VisitRef, derive: Derivation): HubId =>
  derive.id('visit', recordId, type, authority, number);

/** A visit as it is read, under the person that its registration belongs to today. */
export interface VisitView {
  readonly visitId: HubId;
  readonly personId: HubId;
  readonly site: SiteId;
  readonly ref: VisitRef;
  readonly fields: VisitFields;
  /** What makes it sensitive: the rules that its department falls under. */
  readonly labels: readonly Sensitivity[];
}

const FIELDS = [
  ...(['class', 'place', 'service', 'account', 'disposition', 'admittedAt', 'dischargedAt', 'cancelled'] as const),
  ...(['attending', 'referring', 'consulting', 'admitting'] as const),
];

export const visitFields = ({ facts }: Pick<VisitState, 'facts'>): VisitFields =>
  Object.fromEntries(
    FIELDS.map((field) => [field, value<unknown>(facts, field)] as const).filter(([, told]) => told !== null),
  );

/** The account that a visit is charged to, whatever it is called by. */
export const accountOf = (ref: VisitRef, { account }: VisitFields): PatientRef | null =>
  ref.type === 'AN' ? ref : (account ?? null);

export const PV1_FIELD_OF: Readonly<Record<DoctorRole, number>> = {
  attending: 7,
  referring: 8,
  consulting: 9,
  admitting: 17,
};

/** `3.1|ICU`: field and component of PV1 with what stands there, as it is searched by. */
export const visitKey = (place: string, text: string): string =>
  `${place}|${text.normalize('NFKC').replace(/\s+/g, ' ').trim().toUpperCase()}`;

/** Everything but its numbers that a visit is found by. */
export function visitKeys({ class: kind, place, service, ...doctors }: VisitFields): readonly string[] {
  const told: [string, string | undefined][] = [
    ['2.1', kind?.code],
    ['2.1', kind?.source?.code],
    ['3.1', place?.pointOfCare],
    ['3.2', place?.room],
    ['3.3', place?.bed],
    ['3.4', place?.facility],
    ['3.7', place?.building],
    ['3.8', place?.floor],
    ['10.1', service?.code],
    ['10.1', service?.source?.code],
  ];
  for (const [role, field] of Object.entries(PV1_FIELD_OF) as [DoctorRole, number][])
    for (const { id, family = '', given = '' } of doctors[role] ?? [])
      told.push(
        [`${String(field)}.1`, id],
        [`${String(field)}.2`, family],
        [`${String(field)}.3`, given],
        [`${String(field)}.2`, family + given],
      );
  return [...new Set(told.flatMap(([at, text]) => (text === undefined || text === '' ? [] : [visitKey(at, text)])))];
}

/** Codes of the departments it was in, as rules of sensitivity name them. */
export const departmentsOf = ({ place, service }: VisitFields): readonly string[] => [
  ...new Set(
    [place?.department, place?.pointOfCare, service?.code, service?.source?.code].filter(
      (code) => code !== undefined && code !== '',
    ) as string[],
  ),
];

/** All that is given must hold. */
export interface VisitDemand {
  /** Of a visit, of an account: null: of any authority. */
  readonly numbers: readonly { readonly value: string; readonly authority: string | null }[];
  readonly accounts: readonly { readonly value: string; readonly authority: string | null }[];
  /** By `visitKey`. */
  readonly keys: readonly string[];
}

/** Visits that stand; cancelled ones are none. */
export interface VisitIndex {
  /**
   * Newest admission first, at most `limit`. `persons`: theirs alone. Without persons and without a number only visits
   * that have not ended: a ward and a doctor are asked for who is there.
   */
  find(demand: VisitDemand, persons: readonly string[] | null, limit: number): Promise<readonly VisitView[]>;
  /** In the order of `ids`; those that are gone are left out. */
  read(ids: readonly string[]): Promise<readonly VisitView[]>;
}
