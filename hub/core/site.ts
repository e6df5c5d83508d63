/**
 * A hospital as data: what `adapters/sites/<id>/site.yaml` and `codes.csv` say, validated once at load. Mappings take
 * it as an argument; adapters ask it who a sender is.
 */
import type { SiteId } from './identifier.ts';
import type { Coded } from './record.ts';

export interface SiteProfile {
  readonly id: SiteId;
  readonly name: string;
  /** Canonical institution key for the provincial exam index: 22-character institution code, else USCC. */
  readonly institutionCode: string;
  readonly uscc?: string;
  readonly level?: string;
  /** IANA time zone of times without an offset; Asia/Shanghai by default. */
  readonly timeZone: string;
  readonly storage: 'centre' | 'centre-and-local' | 'hospital';
  /** A study with no declared count is complete when no image came for so long; 60 where the site does not say. */
  readonly settleSeconds?: number;
  readonly patientIds: {
    /** OID of the authority of PID-3 and of DICOM PatientID where none is given. */
    readonly defaultAuthority: string;
    /** OID of who gives out visit numbers (PV1-19) and accounts (PID-18), where a message names nobody. */
    readonly visitAuthority?: string;
    readonly accountAuthority?: string;
    /** Other authorities this site may use: key as sent (namespace or OID) -> canonical authority. */
    readonly authorities: Readonly<Record<string, string>>;
    /** PID-3.5 / REST id type -> canonical identifier type (HL7 0203). */
    readonly types: Readonly<Record<string, string>>;
  };
  readonly accessionIssuer?: string;
  readonly hl7v2: {
    readonly senders: readonly { readonly application: string; readonly facility: string }[];
    /** Peer addresses (CIDR) that may send; `certificates` are SHA-256 fingerprints of client certificates. */
    readonly addresses: readonly string[];
    readonly certificates: readonly string[];
    /** true: its senders may also ask who a patient is (QBP), as a query platform does. */
    readonly query?: boolean;
    /** Overrides MSH-18 when set: `GB18030`, `UTF-8`, … */
    readonly charset?: string;
    /** What an absent MSH-18 means; without it the bytes decide (UTF-8 if valid, else GB18030). */
    readonly defaultCharset?: string;
    readonly nameOrder: 'family-given' | 'whole';
    /** Extra date formats besides HL7 DTM, e.g. `yyyy/M/d H:mm:ss`. */
    readonly dateFormats: readonly string[];
  };
  readonly dicom: {
    readonly aeTitles: readonly string[];
    readonly addresses: readonly string[];
    readonly certificates: readonly string[];
    /** true: its AE titles may also ask and fetch (C-FIND, C-MOVE, C-GET), as a query platform does. */
    readonly query?: boolean;
    /** Overrides (0008,0005) when set. */
    readonly charset?: string;
    readonly defaultCharset?: string;
    /** Where the hub may fetch or send (C-MOVE destinations, C-GET source). */
    readonly nodes: readonly { readonly aeTitle: string; readonly host: string; readonly port: number }[];
    /** The node that answers C-GET/C-MOVE for images kept at the hospital. */
    readonly imageSource?: string;
  };
  /** Where it is told when the numbers of a person change, and in which domains (ITI-10, ITI-46). */
  readonly pixNotify?: PixNotify;
  /** Its own XDS domain, where it runs one: the hub reads from it. */
  readonly xds?: SiteXds;
  /** How strictly the form of this site's submissions to the registry is taken; lenient by default. */
  readonly metadataForm?: 'strict' | 'lenient';
  readonly codes: CodeTable;
}

export interface PixNotify {
  /** OIDs of assigning authorities. */
  readonly domains: readonly string[];
  readonly mllp?: { readonly host: string; readonly port: number };
  readonly soap?: { readonly url: string; readonly token?: string };
}

export interface SiteXds {
  /** ITI-18; ITI-43 and the unique id of the repository behind it; RAD-69 and that of the imaging source. */
  readonly registry: string;
  readonly repository: { readonly url: string; readonly oid: string };
  readonly imagingSource?: { readonly url: string; readonly oid: string };
  /** Its notification broker (DSUB, ITI-52), where it has one: the hub subscribes to new documents. */
  readonly subscription?: string;
  readonly timeoutMs: number;
  readonly token?: string;
  /** Paths of PEM files: the client certificate and its key, and who signed the hospital's own. */
  readonly tls?: { readonly certificate?: string; readonly key?: string; readonly ca?: string };
  /** Authority of the patient ids that its registry knows. */
  readonly patientIdAuthority: string;
  /** How many patients are asked about in a minute, and how long one rests after it was asked about. */
  readonly poll: { readonly perMinute: number; readonly everyMinutes: number };
}

/** codes.csv: (table, source code) -> provincial code. Tables: sex, marital, ethnic, patient-class, procedure, modality, body-part, department, result-status … */
export interface CodeTable {
  lookup(table: string, code: string): Coded | null;
  /** The province's codes that the table leads to; absent where the table is not listed. */
  targets?(table: string): readonly Coded[];
}

/** All sites the hub knows; built by adapters/sites at start, reloaded as data. */
export interface Sites {
  readonly all: readonly SiteProfile[];
  byId(id: string): SiteProfile | null;
  byHl7Sender(application: string, facility: string): SiteProfile | null;
  byAeTitle(aeTitle: string): SiteProfile | null;
}

/** The site whose own patient numbers an authority gives, where there is one. */
export function authorityOwner(sites: Pick<Sites, 'all'>): (authority: string) => SiteId | null {
  const owners = new Map(sites.all.map(({ id, patientIds }) => [patientIds.defaultAuthority, id]));
  return (authority) => owners.get(authority) ?? null;
}
