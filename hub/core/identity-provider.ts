/** Hospitals whose identity providers sign people on (HUB_SAML_IDPS): data, and the port of hub/store/saml-request.ts. */
import type { PersonRole } from './access.ts';
import type { SiteId } from './identifier.ts';
import type { InstitutionCode } from './institution.ts';

export interface IdentityProvider {
  /** Stands in URLs and after the login names of its people. */
  readonly id: string;
  readonly name: string;
  readonly nameEn?: string;
  readonly institution: InstitutionCode | null;
  /** To which its interface engineers are bound. */
  readonly site: SiteId | null;
  /** EntityDescriptor, as the provider gave it. */
  readonly metadata: string;
  /**
   * Where the second factor is shown: always at the provider, always here, or at the provider where one of these
   * AuthnContextClassRefs says so and here otherwise.
   */
  readonly secondFactor: 'idp' | 'hub' | readonly string[];
  /** Names of attributes; null: the NameID for the login, nothing for the others. */
  readonly attributes: Readonly<
    Record<'login' | 'name' | 'department' | 'practitionerId' | 'roles' | 'residentId', string | null>
  >;
  /** What a value of the roles' attribute makes of its bearer here. */
  readonly roles: ReadonlyMap<string, PersonRole>;
  /** What everybody is that it signs on; null: only what the table gives. */
  readonly defaultRole: PersonRole | null;
  /** Whether an account made at the first sign-on stands at once or waits for approval. */
  readonly provision: 'approved' | 'review';
  /** The response has to be signed as well as the assertion in it. */
  readonly signedResponse: boolean;
}

/** Whom it signs on are patients: the province's provider for citizens. */
export const isOfCitizens = ({ defaultRole }: Pick<IdentityProvider, 'defaultRole'>): boolean =>
  defaultRole === 'patient';

/** Roles that a hospital may give its people here. Those who administer the hub are appointed in it. */
export const GIVEN_BY_HOSPITALS: readonly PersonRole[] = ['physician', 'interface-engineer', 'operator', 'regulator'];

export interface SamlRequest {
  readonly id: string;
  readonly idp: string;
  /** SHA-256 of the cookie of the browser that began. */
  readonly browser: Uint8Array;
  readonly returnPath: string;
  readonly createdAt: Date;
  readonly endsAt: Date;
}

/** Requests that wait for an answer, in whatever process they were made or are answered. */
export interface SamlRequestStore {
  begin(request: SamlRequest): Promise<void>;
  /** One that waits for its first answer; null: none such, or its time is over. */
  waiting(id: string): Promise<SamlRequest | null>;
  /** The first answer, once: false where another came before. The browser has until then to come for it. */
  answer(id: string, code: Uint8Array, sealed: string, until: Date): Promise<boolean>;
  /** Takes the answer away with the request. null: none such. */
  take(code: Uint8Array): Promise<(SamlRequest & { readonly answer: string }) | null>;
}
