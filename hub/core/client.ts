/** API clients as the hub keeps them, and the audit as a reader sees it: ports of hub/store/client.ts and audit.ts. */
import type { ClientRole } from './access.ts';
import type { AuditEvent, AuditRecord } from './audit.ts';
import type { SiteId } from './identifier.ts';
import type { Page, PageRequest } from './operation.ts';

export interface Client {
  readonly id: string;
  readonly name: string;
  readonly role: ClientRole;
  readonly site: SiteId | null;
  /** SHA-256 of the certificate by which it may call over TLS, beside its token: 64 hexadecimal digits in lower case. */
  readonly certificate: string | null;
  /** A security administrator lets it record consents and draw codes for its hospital's patients. */
  readonly recordsConsents: boolean;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
  /** Waits for a second administrator (core/approval.ts): it is known by nothing until then. */
  readonly pending: boolean;
}

/** Tokens reach the store only as their SHA-256: who reads the table cannot call with what is in it. */
export interface ClientStore {
  /** Rejects with a Failure (conflict) where another client that stands has the certificate. */
  add(
    client: Pick<Client, 'name' | 'role' | 'site' | 'createdBy'> &
      Partial<Pick<Client, 'certificate'>> & { readonly keys?: readonly PublicKeyJwk[] | null },
    tokenHash: Uint8Array,
  ): Promise<Client>;
  /** The client that may call with this token now, its own or a short one; revoked and pending ones are not found. Notes the use. */
  byTokenHash(tokenHash: Uint8Array): Promise<Client | null>;
  /** As byTokenHash, by the SHA-256 of the certificate that TLS has seen the key of. */
  byCertificate(sha256: string): Promise<Client | null>;
  byId(id: string): Promise<Client | null>;
  /** Newest first, revoked ones included. */
  list(page: PageRequest): Promise<Page<Client>>;
  /** Takes effect on the next call. null: there is no such client, or it was revoked before. */
  revoke(id: string): Promise<Client | null>;
  /** Takes effect on the next call. null: there is no such client that stands. */
  letRecordConsents(id: string, granted: boolean, by: string): Promise<Client | null>;
  /**
   * The one administrator that a start makes. `replace`: it has this token from now on; else it gets the token only
   * where there is none yet, or it was revoked. null: nothing was done, another token stands.
   */
  bootstrap(tokenHash: Uint8Array, replace: boolean): Promise<Client | null>;
}

/** RFC 7517, public members only. */
export type PublicKeyJwk = Readonly<Record<string, unknown>>;

/** SMART Backend Services: what a client signs with, and the short tokens that it gets for a signature. */
export interface TokenDesk {
  /** null: no such client that stands, or one without keys. */
  keysOf(clientId: string): Promise<{ readonly client: Client; readonly keys: readonly PublicKeyJwk[] } | null>;
  /** A token that ends by itself, and with its client. */
  grant(clientId: string, tokenHash: Uint8Array, scope: string, endsAt: Date): Promise<void>;
}

/** What the list shows; the detail of a record is for audit messages and AuditEvents. */
export type AuditEntry = Omit<AuditRecord, 'detail'>;

/** Absent members do not restrict; `from` included, `to` excluded. */
export interface AuditFilter {
  readonly from?: string;
  readonly to?: string;
  readonly action?: AuditEvent['action'];
  readonly outcome?: AuditEvent['outcome'];
  readonly callerId?: string;
  readonly personId?: string;
  readonly face?: string;
}

export interface AuditReader {
  /** Newest first. */
  list(filter: AuditFilter, page: PageRequest): Promise<Page<AuditEntry>>;
}
