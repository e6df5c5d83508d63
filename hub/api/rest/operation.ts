/** Types of handlers, drawn from the generated contract: the compiler asks for one per operation, with its answers. */
import type { operations } from '../../../openapi/generated/hub.ts';
import type { Caller } from '../../core/access.ts';
import type { Sight } from '../../core/access-ports.ts';
import type { Problem } from '../../core/problem.ts';
import type { FieldError } from './problem.ts';

type OperationId = keyof operations;

/** Operations whose bodies are messages for the journal: their bytes are kept, so they read the request themselves. */
export type FeedId = 'sendRegistration' | 'sendOrder' | 'sendExam' | 'voidExam' | 'sendReport' | 'withdrawReport';

/** Operations of signing on: nobody is known there yet. They record what they did themselves. */
export type PublicId =
  | 'signIn'
  | 'activateAccount'
  | 'readSession'
  | 'changeSession'
  | 'endSession'
  | 'enterCode'
  | 'enrolSecondFactor'
  | 'changePassword'
  | 'listIdentityProviders';

/** What a request shows of who sends it, before anybody is known. */
export interface Visitor {
  readonly peer: string;
  /** Of the session's cookie. */
  readonly pass: string | null;
  /** Of the device's cookie (hub/security/device.ts). */
  readonly device: string | null;
  /** The browser came over TLS: its cookies must not go over anything else. */
  readonly secure: boolean;
}

type Json<T> = T extends { readonly content: { readonly 'application/json': infer Body } } ? Body : never;
type Success<Op> = Op extends { readonly responses: infer Responses }
  ? { [S in keyof Responses & number]: { readonly status: S; readonly body: Json<Responses[S]> } }[keyof Responses &
      number]
  : never;

export interface Refused {
  readonly problem: Problem;
  readonly errors?: readonly FieldError[];
  /** Where HTTP knows more than the problem: 429. */
  readonly status?: number;
  readonly cookies?: readonly string[];
}

/** Whose data an answer holds, and what of it, for the audit; the answer waits until that is durable. */
export interface Disclosure {
  readonly action: 'read' | 'search' | 'export' | 'change' | 'administer';
  readonly persons: readonly string[];
  readonly objects: readonly string[];
  readonly reason?: string;
}

export type Reply<Id extends OperationId> =
  | (Success<operations[Id]> & {
      readonly disclosure?: Disclosure;
      /** `Set-Cookie`. */
      readonly cookies?: readonly string[];
      /** The audit was told, or owes it to itself: an emergency waits for nothing. */
      readonly recorded?: true;
    })
  | Refused;

type Query<Op> = Op extends { readonly parameters: { readonly query?: infer Q } } ? Exclude<Q, undefined> : never;
type Path<Op> = Op extends { readonly parameters: { readonly path: infer P } } ? P : object;
type Body<Op> = Op extends { readonly requestBody: { readonly content: { readonly 'application/json': infer B } } }
  ? B
  : undefined;

/** A request after the contract's checks: what stands here has the shapes of openapi/hub.yaml. */
export interface Asked<Id extends OperationId> {
  readonly caller: Id extends PublicId ? Caller | null : Caller;
  readonly visitor: Visitor;
  /** What of clinical content this caller may see; of an act that shows none, nothing is looked up. */
  readonly sight: Id extends PublicId ? Sight | null : Sight;
  readonly query: [Query<operations[Id]>] extends [never] ? object : Query<operations[Id]>;
  readonly path: Path<operations[Id]>;
  readonly body: Body<operations[Id]>;
}

export type Handlers = {
  readonly [Id in Exclude<OperationId, FeedId>]: (asked: Asked<Id>) => Promise<Reply<Id>>;
};
