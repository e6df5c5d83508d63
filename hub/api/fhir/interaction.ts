/** Which FHIR interaction a method and a path mean (R4 §3.1.0), or why none. */
import { ELEMENTS } from '../../../mappings/fhir/generated/definitions.ts';
import { isResourceType, type ResourceType } from '../../../mappings/fhir/parameters.ts';
import type { HistoryScope } from '../../core/fhir.ts';
import { faulty, parsed, type Parsed } from './reply.ts';

export type Interaction =
  | { readonly kind: 'capabilities' }
  /** ITI-65: a transaction at the base. */
  | { readonly kind: 'provide' }
  /** ITI-105: one DocumentReference with its document inside. */
  | { readonly kind: 'publish' }
  /** ITI-83. */
  | { readonly kind: 'ihe-pix' }
  /** ITI-119. */
  | { readonly kind: 'match' }
  | { readonly kind: 'read'; readonly type: ResourceType; readonly id: string }
  | { readonly kind: 'binary'; readonly id: string }
  | { readonly kind: 'vread'; readonly type: ResourceType; readonly id: string; readonly version: string }
  | { readonly kind: 'history'; readonly scope: HistoryScope }
  | { readonly kind: 'search'; readonly type: ResourceType; readonly form: boolean };

const ID = /^[A-Za-z0-9.-]{1,64}$/;

const readOnly = (allow: string): Parsed<never> => ({
  ok: false,
  fault: {
    status: 405,
    code: 'not-supported',
    text: 'resources here are a projection of what hospitals sent: they are read, not written',
    headers: { Allow: allow },
  },
});

const nowhere = (text: string): Parsed<never> => faulty(404, 'not-found', text);

/** `path` is what follows the base, without a slash at either end. */
export function interactionOf(method: string, path: string): Parsed<Interaction> {
  const parts = path === '' ? [] : path.split('/');
  const [first, second, third, fourth, ...rest] = parts;
  const reads = method === 'GET' || method === 'HEAD';
  if (rest.length > 0) return nowhere('nothing is under this path');
  if (first === undefined) return method === 'POST' ? parsed({ kind: 'provide' }) : readOnly('POST');
  if (first === 'metadata' && second === undefined)
    return reads ? parsed({ kind: 'capabilities' }) : readOnly('GET, HEAD');
  if (first === '_history' && second === undefined)
    return reads ? parsed({ kind: 'history', scope: {} }) : readOnly('GET, HEAD');
  if (first === 'Binary' && second !== undefined && third === undefined && ID.test(second))
    return reads ? parsed({ kind: 'binary', id: second }) : readOnly('GET, HEAD');
  if (first === 'Patient' && second === '$ihe-pix' && third === undefined)
    return reads || method === 'POST' ? parsed({ kind: 'ihe-pix' }) : readOnly('GET, HEAD, POST');
  if (first === 'Patient' && second === '$match' && third === undefined)
    return method === 'POST' ? parsed({ kind: 'match' }) : readOnly('POST');
  if (first === 'DocumentReference' && second === undefined && method === 'POST') return parsed({ kind: 'publish' });
  if (!isResourceType(first)) return nowhere(unknownType(first));
  if (second === undefined) return reads ? parsed({ kind: 'search', type: first, form: false }) : readOnly('GET, HEAD');
  if (second === '_search' && third === undefined) {
    if (method === 'POST') return parsed({ kind: 'search', type: first, form: true });
    return reads ? parsed({ kind: 'search', type: first, form: false }) : readOnly('GET, HEAD, POST');
  }
  if (!reads) return readOnly('GET, HEAD');
  if (second === '_history' && third === undefined) return parsed({ kind: 'history', scope: { type: first } });
  if (!ID.test(second)) return nowhere('this is not the form of a resource id');
  if (third === undefined) return parsed({ kind: 'read', type: first, id: second });
  if (third !== '_history') return nowhere('this operation or compartment is not supported');
  if (fourth === undefined) return parsed({ kind: 'history', scope: { type: first, id: second } });
  return parsed({ kind: 'vread', type: first, id: second, version: fourth });
}

const unknownType = (type: string): string =>
  type in ELEMENTS ? 'this type is not served on its own' : 'this type is not served; see /metadata';
