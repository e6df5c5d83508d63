/**
 * The protocol data units of the DICOM upper layer (PS3.8 §9.3) as values, with the numbers the standard gives them.
 * Encoding, decoding and the byte stream live beside it, so that server, client and tests share one vocabulary.
 */

export const PDU_TYPE = {
  associateRq: 0x01,
  associateAc: 0x02,
  associateRj: 0x03,
  data: 0x04,
  releaseRq: 0x05,
  releaseRp: 0x06,
  abort: 0x07,
} as const;

/** PS3.7 §A.2.1: the one application context there is. */
export const APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1';

export interface ProposedContext {
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
}

/** PS3.8 Table 9-18. */
export const CONTEXT_RESULT = {
  accepted: 0,
  userRejection: 1,
  noReason: 2,
  abstractSyntaxNotSupported: 3,
  transferSyntaxesNotSupported: 4,
} as const;

export interface AnsweredContext {
  readonly id: number;
  readonly result: number;
  /** Not significant unless accepted. */
  readonly transferSyntax: string;
}

/** PS3.7 §D.3.3.4: who may be SCU and SCP of a class; needed where the requestor of C-GET receives C-STORE. */
export interface RoleSelection {
  readonly sopClass: string;
  readonly scu: boolean;
  readonly scp: boolean;
}

export interface UserIdentity {
  /** 1 user name, 2 user name and passcode, 3 Kerberos, 4 SAML, 5 JSON web token (PS3.7 §D.3.3.7). */
  readonly type: number;
  readonly responseRequested: boolean;
  readonly primary: Buffer;
  readonly secondary: Buffer;
}

export interface UserInformation {
  /** Largest P-DATA-TF variable field this side takes; 0 means no limit (PS3.8 §D.1). */
  readonly maxLength: number;
  readonly implementationClassUid: string;
  readonly implementationVersion: string;
  readonly asyncOperations?: { readonly invoked: number; readonly performed: number };
  readonly roles: readonly RoleSelection[];
  readonly identity?: UserIdentity;
  readonly identityResponse?: Buffer;
}

export interface AssociateRq {
  readonly protocolVersion: number;
  readonly called: string;
  readonly calling: string;
  readonly applicationContext: string;
  readonly contexts: readonly ProposedContext[];
  readonly user: UserInformation;
}

export interface AssociateAc {
  readonly called: string;
  readonly calling: string;
  readonly applicationContext: string;
  readonly contexts: readonly AnsweredContext[];
  readonly user: UserInformation;
}

/** PS3.8 Table 9-21. */
export interface Rejection {
  readonly result: number;
  readonly source: number;
  readonly reason: number;
}

export const REJECT = {
  noReason: { result: 1, source: 1, reason: 1 },
  applicationContext: { result: 1, source: 1, reason: 2 },
  callingAeNotRecognised: { result: 1, source: 1, reason: 3 },
  calledAeNotRecognised: { result: 1, source: 1, reason: 7 },
  protocolVersion: { result: 1, source: 2, reason: 2 },
  congestion: { result: 2, source: 3, reason: 1 },
  localLimit: { result: 2, source: 3, reason: 2 },
} as const satisfies Record<string, Rejection>;

/** PS3.8 Table 9-26: reasons of an A-ABORT by the service provider (source 2). */
export const ABORT_REASON = {
  notSpecified: 0,
  unrecognisedPdu: 1,
  unexpectedPdu: 2,
  unrecognisedParameter: 4,
  unexpectedParameter: 5,
  invalidParameter: 6,
} as const;

export interface Abort {
  /** 0 service user, 2 service provider. */
  readonly source: number;
  readonly reason: number;
}

/** A piece of one presentation data value, handed on as it arrived. */
export interface PdvFragment {
  readonly context: number;
  readonly command: boolean;
  /** The last bytes of the last fragment of the command or data set (PS3.8 §E.2). */
  readonly last: boolean;
  readonly data: Buffer;
}

export type PduEvent =
  | { readonly kind: 'associate-rq'; readonly pdu: AssociateRq }
  | { readonly kind: 'associate-ac'; readonly pdu: AssociateAc }
  | { readonly kind: 'associate-rj'; readonly pdu: Rejection }
  /** A P-DATA-TF begins; its fragments follow. */
  | { readonly kind: 'data' }
  | { readonly kind: 'pdv'; readonly fragment: PdvFragment }
  | { readonly kind: 'release-rq' }
  | { readonly kind: 'release-rp' }
  | { readonly kind: 'abort'; readonly pdu: Abort }
  /** Not a PDU of this protocol, or one that breaks its own rules. Nothing after it is read. */
  | { readonly kind: 'invalid'; readonly reason: number; readonly text: string };
