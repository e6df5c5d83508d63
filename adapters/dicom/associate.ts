/** Opens an association as its requestor (PS3.8 §7.1): the part that every service the hub uses at other nodes shares. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION } from '../../mappings/dicom/write.ts';
import { Association } from './association.ts';
import type { AcceptedContext, Serve } from './association.ts';
import { DIMSE_LIMITS } from './limits.ts';
import type { DimseLimits } from './limits.ts';
import { APPLICATION_CONTEXT, CONTEXT_RESULT } from './pdu.ts';
import type { AssociateAc, PdvFragment, ProposedContext, Rejection, RoleSelection } from './pdu.ts';
import { PDU_LIMITS } from './pdu-stream.ts';
import { UpperLayer } from './upper-layer.ts';
import type { Ending, UpperLayerUser } from './upper-layer.ts';

export interface Node {
  readonly aeTitle: string;
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly ca: string | Buffer; readonly key?: string | Buffer; readonly cert?: string | Buffer };
}

export interface AssociateOptions {
  readonly node: Node;
  readonly callingAe: string;
  readonly contexts: readonly Omit<ProposedContext, 'id'>[];
  /** Classes of which this side wants to be SCP too: what C-GET sends back. */
  readonly roles?: readonly RoleSelection[];
  readonly limits?: Partial<DimseLimits>;
  /** Requests of the peer on this association; without it they are answered by an abort. */
  readonly serve?: Serve;
}

export interface OpenAssociation {
  readonly association: Association;
  /** Resolves when released, or when the peer is gone. */
  release(): Promise<void>;
  abort(reason: string): void;
}

/** PS3.8 §9.3.2.2: identifiers are odd and at most 255. */
const MAX_CONTEXTS = 128;

export function associate(options: AssociateOptions): Promise<Result<OpenAssociation>> {
  if (options.contexts.length === 0 || options.contexts.length > MAX_CONTEXTS) {
    throw new Error('an association has 1 to 128 presentation contexts');
  }
  return new Promise((resolve) => {
    const limits = { ...DIMSE_LIMITS, ...options.limits };
    const socket = open(options.node);
    const late = setTimeout(() => socket.destroy(new Error('no connection in time')), limits.artimMs);
    const refused = (error: Error): void => {
      clearTimeout(late);
      resolve(fail(problem('unavailable', undefined, `The node cannot be reached: ${error.message}`)));
    };
    socket.once('error', refused);
    socket.once(options.node.tls ? 'secureConnect' : 'connect', () => {
      clearTimeout(late);
      socket.off('error', refused);
      new Requestor(socket, options, limits, resolve);
    });
  });
}

function open({ host, port, tls }: Node): Socket {
  if (!tls) return connect({ host, port });
  // The name in the certificate is checked against the host, as for any TLS client (BCP 195).
  return connectTls({ host, port, minVersion: 'TLSv1.2', ...tls });
}

class Requestor implements UpperLayerUser, OpenAssociation {
  readonly #layer: UpperLayer;
  readonly #options: AssociateOptions;
  readonly #proposed: readonly ProposedContext[];
  readonly #limits: DimseLimits;
  readonly #timer: NodeJS.Timeout;
  #settle: ((result: Result<OpenAssociation>) => void) | null;
  #association: Association | null = null;
  #over: (() => void)[] = [];
  #fault: string | null = null;

  constructor(
    socket: Socket,
    options: AssociateOptions,
    limits: DimseLimits,
    settle: (result: Result<OpenAssociation>) => void,
  ) {
    this.#options = options;
    this.#limits = limits;
    this.#settle = settle;
    this.#proposed = options.contexts.map((context, at) => ({ ...context, id: 2 * at + 1 }));
    const pdu = { ...PDU_LIMITS, maxDataLength: limits.hardPduLength };
    this.#layer = new UpperLayer(socket, 'requestor', this, limits, pdu);
    this.#timer = setTimeout(() => this.#layer.abort('no answer to the association request'), limits.responseMs);
    this.#layer.request({
      protocolVersion: 1,
      called: options.node.aeTitle,
      calling: options.callingAe,
      applicationContext: APPLICATION_CONTEXT,
      contexts: this.#proposed,
      user: {
        maxLength: limits.maxPduLength,
        implementationClassUid: IMPLEMENTATION_CLASS,
        implementationVersion: IMPLEMENTATION_VERSION,
        roles: options.roles ?? [],
      },
    });
  }

  get association(): Association {
    if (!this.#association) throw new Error('no association yet');
    return this.#association;
  }

  associateConfirmed(ac: AssociateAc): void {
    clearTimeout(this.#timer);
    const serve: Serve = this.#options.serve ?? (() => this.#unasked());
    this.#association = new Association(this.#layer, this.#accepted(ac), serve, this.#limits.responseMs);
    this.#settle?.(ok(this));
    this.#settle = null;
  }

  #unasked(): null {
    this.#layer.abort('the peer sent a request that was not asked for');
    return null;
  }

  #accepted(ac: AssociateAc): AcceptedContext[] {
    const granted = new Map(ac.user.roles.map((role) => [role.sopClass, role]));
    return ac.contexts.flatMap((answer) => {
      const proposed = this.#proposed.find((context) => context.id === answer.id);
      if (answer.result !== CONTEXT_RESULT.accepted || !proposed) return [];
      // A peer that answers with a syntax that was not proposed breaks PS3.8 §9.3.3.2; the context is of no use.
      if (!proposed.transferSyntaxes.includes(answer.transferSyntax)) return [];
      const role = granted.get(proposed.abstractSyntax);
      const { abstractSyntax } = proposed;
      return [
        {
          id: answer.id,
          abstractSyntax,
          transferSyntax: answer.transferSyntax,
          scu: role?.scu ?? true,
          scp: role?.scp ?? false,
        },
      ];
    });
  }

  fragment(fragment: PdvFragment): void | Promise<void> {
    return this.#association?.fragment(fragment);
  }

  releaseRequested(): void {
    this.#layer.respondRelease();
  }

  ended(ending: Ending): void {
    clearTimeout(this.#timer);
    const text = this.#fault ?? ending.text;
    this.#association?.end(text);
    this.#settle?.(
      fail(
        ending.rejection ? rejected(ending.rejection) : problem('unavailable', undefined, `No association: ${text}`),
      ),
    );
    this.#settle = null;
    for (const resolve of this.#over.splice(0)) resolve();
  }

  /** A handler threw: the association ends with its reason. */
  failed(cause: unknown): void {
    this.#fault = cause instanceof Error ? cause.message : 'a handler failed';
  }

  async release(): Promise<void> {
    if (this.#layer.ended) return;
    const over = new Promise<void>((resolve) => this.#over.push(resolve));
    const late = setTimeout(() => this.#layer.abort('no answer to the release'), this.#limits.artimMs);
    this.#layer.release();
    await over;
    clearTimeout(late);
  }

  abort(reason: string): void {
    this.#layer.abort(reason);
  }
}

/** PS3.8 Table 9-21: a transient rejection may be tried again; a title that is not known will not become known by itself. */
function rejected({ result, source, reason }: Rejection): ReturnType<typeof problem> {
  const text = `The node rejects the association (result ${String(result)}, source ${String(source)}, reason ${String(reason)}).`;
  if (result === 2) return problem('busy', undefined, text);
  return problem(source === 1 && (reason === 3 || reason === 7) ? 'unknown-sender' : 'forbidden', undefined, text);
}
