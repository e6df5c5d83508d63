/**
 * Institutions and what ties them: the tree (a hospital and its branches), the region they lie in, and consortia (医联体),
 * also across regions. Pure; the rows live in hub/store/institution.ts.
 */
import type { SiteId } from './identifier.ts';

/** 22-character institution code, or a USCC: the key by which SiteProfile names its institution too. */
export type InstitutionCode = string & { readonly __brand: 'InstitutionCode' };

export const institutionCode = (text: string): InstitutionCode => text as InstitutionCode;

/** Applied and not yet looked at; approved; suspended for a time; left for good. Only `approved` gives any right. */
export type InstitutionState = 'applied' | 'approved' | 'suspended' | 'left';

export type InstitutionKind =
  'hospital' | 'branch' | 'primary-care' | 'imaging-centre' | 'public-health' | 'authority' | 'other';

export interface Institution {
  readonly code: InstitutionCode;
  readonly nameZh: string;
  readonly nameEn: string | null;
  /** The institution that this one is a part of. */
  readonly parent: InstitutionCode | null;
  readonly kind: InstitutionKind;
  /** Administrative division, GB/T 2260 (6 digits); null: the hub's own province. */
  readonly region: string | null;
  readonly state: InstitutionState;
  /** Feeding sites that belong to it. */
  readonly sites: readonly SiteId[];
}

/** Institutions that agreed to share among themselves; members may lie in other regions. */
export interface Consortium {
  readonly id: string;
  readonly nameZh: string;
  readonly nameEn: string | null;
  /** ISO 8601; null: without an end. */
  readonly from: string | null;
  readonly until: string | null;
  readonly members: readonly InstitutionCode[];
}

/** Everything about institutions that a decision looks at, as it stands: small, and read as one. */
export class InstitutionMap {
  readonly #byCode: ReadonlyMap<InstitutionCode, Institution>;
  readonly #bySite: ReadonlyMap<string, InstitutionCode>;
  readonly #parts: ReadonlyMap<InstitutionCode, readonly InstitutionCode[]>;
  readonly #consortia: readonly Consortium[];

  constructor(institutions: readonly Institution[], consortia: readonly Consortium[]) {
    this.#byCode = new Map(institutions.map((one) => [one.code, one]));
    this.#bySite = new Map(institutions.flatMap((one) => one.sites.map((site) => [site, one.code] as const)));
    const parts = new Map<InstitutionCode, InstitutionCode[]>();
    for (const { code, parent } of institutions)
      if (parent !== null) parts.set(parent, [...(parts.get(parent) ?? []), code]);
    this.#parts = parts;
    this.#consortia = consortia;
  }

  byCode(code: string): Institution | null {
    return this.#byCode.get(code as InstitutionCode) ?? null;
  }

  /** Whose the site is; null where no institution owns it. */
  ofSite(site: string): InstitutionCode | null {
    return this.#bySite.get(site) ?? null;
  }

  /** The institution and all its parts, however deep; a circle in the data ends where it began. */
  within(code: InstitutionCode): ReadonlySet<InstitutionCode> {
    const found = new Set([code]);
    for (const one of found) for (const part of this.#parts.get(one) ?? []) found.add(part);
    return found;
  }

  /** Sites of an institution and its parts: whose patients are its patients. Parts that do not stand give nothing. */
  sitesWithin(code: InstitutionCode): readonly SiteId[] {
    return [...this.within(code)].flatMap((one) => {
      const institution = this.#byCode.get(one);
      return institution?.state === 'approved' ? institution.sites : [];
    });
  }

  /** Why what `source` made may be shown to `reader` at all, before any patient is looked at; null: no agreement reaches. */
  agreement(
    reader: InstitutionCode,
    source: InstitutionCode,
    at: string,
  ): 'own' | 'region' | `consortium/${string}` | null {
    if (this.within(reader).has(source) || this.within(source).has(reader)) return 'own';
    const [from, to] = [this.#byCode.get(source), this.#byCode.get(reader)];
    if (from === undefined || to === undefined) return null;
    if (province(from) === province(to)) return 'region';
    const common = this.#consortia.find(
      (one) =>
        one.members.includes(reader) &&
        one.members.includes(source) &&
        (one.from === null || one.from <= at) &&
        (one.until === null || at < one.until),
    );
    return common === undefined ? null : `consortium/${common.id}`;
  }
}

/** Institutions of one province share by its rule; beyond it by an agreement. The first two digits of GB/T 2260. */
const province = ({ region }: Institution): string => region?.slice(0, 2) ?? '';
