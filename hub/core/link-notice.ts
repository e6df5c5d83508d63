/**
 * Who is told when a person's numbers change (PIX update notification): a subscriber hears of the domains that it named,
 * and of others' only where its site may ask who a patient is.
 */
import type { PatientNumber } from './patient-query.ts';
import type { Result } from './problem.ts';
import type { SiteProfile } from './site.ts';
import { isFormer, type PersonView } from './view.ts';

export type NoticeWire = 'mllp' | 'soap';

export interface LinkSubscription {
  /** `site wire`: what the store knows it by. */
  readonly id: string;
  readonly site: SiteProfile;
  readonly wire: NoticeWire;
  readonly domains: readonly string[];
}

export interface LinkNotice {
  /** The same for every attempt at one notice. */
  readonly controlId: string;
  readonly numbers: readonly PatientNumber[];
}

export type SendNotice = (subscription: LinkSubscription, notice: LinkNotice) => Promise<Result<null>>;

export interface LinkTold {
  readonly numbers: readonly string[];
  readonly notices: number;
}

/** What was told. */
export interface LinkMemory {
  last(subscriber: string, personId: string): Promise<LinkTold | null>;
  tell(subscriber: string, personId: string, numbers: readonly string[]): Promise<void>;
}

/** Of all sites: their data say who subscribes. */
export function linkSubscriptions(sites: readonly SiteProfile[]): readonly LinkSubscription[] {
  return sites.flatMap((site) => {
    const { pixNotify, patientIds, hl7v2 } = site;
    if (pixNotify === undefined) return [];
    const own = new Set([patientIds.defaultAuthority]);
    const domains = pixNotify.domains.filter((domain) => hl7v2.query === true || own.has(domain));
    const wires: NoticeWire[] = [];
    if (pixNotify.mllp !== undefined) wires.push('mllp');
    if (pixNotify.soap !== undefined) wires.push('soap');
    return wires.map((wire) => ({ id: `${site.id} ${wire}`, site, wire, domains }));
  });
}

/** Numbers of these domains that stand, in one order. The person's own id is one of the affinity domain. */
export function numbersIn(
  person: PersonView | null,
  domains: readonly string[],
  affinityDomainOid: string,
): readonly PatientNumber[] {
  if (person?.replacedBy !== null) return [];
  const found = new Map<string, PatientNumber>();
  const add = (authority: string, value: string): void => {
    if (domains.includes(authority)) found.set(`${authority}|${value}`, { authority, value });
  };
  add(affinityDomainOid, person.personId);
  for (const record of person.records) {
    const { authority, localId, identifiers } = record;
    if (isFormer(record)) continue;
    add(authority, localId);
    for (const one of identifiers) add(one.authority, one.value);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, number]) => number);
}
