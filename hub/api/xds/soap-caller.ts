/**
 * Who calls at a SOAP door: the system that HTTP named, the user whom an assertion in the envelope names, or both, the one
 * in the other's name (IHE XUA, ITI TF-2 §3.40). Whoever is refused learns it as a SOAP fault, and the audit as well.
 */
import type { Request, Response } from 'express';
import { decide, decidePatient } from '../../core/access.ts';
import type { Act, Caller, Decision, OnBehalfOf } from '../../core/access.ts';
import type { AccessDesk } from '../../core/access-ports.ts';
import { audited, auditedUser } from '../../core/audit.ts';
import type { AuditEvent, AuditTrail } from '../../core/audit.ts';
import { siteId } from '../../core/identifier.ts';
import type { AssertionCheck, Believed } from '../../security/assertion.ts';
import type { SecurityRefusal } from '../../../mappings/xds/security-header.ts';
import { senderFault } from '../../../mappings/xds/soap.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import { callerOf, setCaller } from '../caller.ts';

export interface CallerDeps {
  readonly audit: AuditTrail;
  readonly access: AccessDesk;
  /** Where it is absent a patient is known by the ids of the message alone, and other ids are other patients. */
  readonly scope?: PatientScope;
  /** Absent: no assertion is looked at. */
  readonly assertions?: Pick<AssertionCheck, 'inspect' | 'use'>;
}

/** Which ids are the same patient's, for users whose assertion was issued for one patient. */
export interface PatientScope {
  /** The persons of the index behind ids of the affinity domain. */
  personsOf(ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Every CX under which a person of the index is known. */
  idsOf(personId: string): Promise<readonly string[]>;
  /** CX under which the patients of ids that were merged away stand now. */
  survivorsOf(ids: readonly string[]): Promise<readonly string[]>;
}

/** What the envelope says of its caller; null: nothing, or the envelope could not be read. */
export type Stated = Believed | SecurityRefusal | null;

export type Admission = { readonly caller: Caller } | { readonly fault: SoapFault; readonly status: number };

/** The caller with the right to `act`, or the fault: 401 where nobody is known, 403 where a known one may not. */
export async function admit(
  deps: CallerDeps,
  door: {
    readonly operation: string;
    readonly act: Act;
    readonly transactions?: Readonly<Record<string, { readonly act: Act }>>;
  },
  request: Request,
  response: Response,
  stated: Stated,
): Promise<Admission> {
  const system = callerOf(response);
  const refuse = async (fault: SoapFault, known: Caller | OnBehalfOf | null, reason: string): Promise<Admission> => {
    await deps.audit.record({
      ...who(known, request),
      action: 'refuse',
      outcome: 'refused',
      operation: door.operation,
      persons: [],
      objects: [],
      reason,
    });
    if (known === null) response.setHeader('WWW-Authenticate', 'Bearer realm="hutong"');
    return { fault, status: known === null ? 401 : 403 };
  };
  const unproven = (refusal: SecurityRefusal): Promise<Admission> =>
    refuse(senderFault(refusal.reason, [refusal.code]), system, `${refusal.code}: ${refusal.reason}`);
  if (stated && 'reason' in stated) return unproven(stated);
  if (!stated && !system)
    return refuse(senderFault('A caller is required.', ['wsse:FailedAuthentication']), null, 'no caller');
  const caller = stated ? callerInName(stated, system, request) : system;
  if (caller === null) {
    const reason = 'the roles of the user give no right here';
    return refuse(senderFault(`Refused: ${reason}.`), stated ? stated.user : null, reason);
  }
  const decision = decideAny(caller, door.act, Object.values(door.transactions ?? {}));
  if (!decision.allowed) return refuse(senderFault(`Refused: ${decision.reason}.`), caller, decision.reason);
  if (stated && deps.assertions) {
    const used = await deps.assertions.use(stated);
    if ('reason' in used) return unproven(used);
  }
  setCaller(response, caller);
  return { caller };
}

/** Of several transactions the body tells which; who may do none of them is told here. */
function decideAny(caller: Caller, act: Act, transactions: readonly { readonly act: Act }[]): Decision {
  const decisions = [act, ...transactions.map((each) => each.act)].map((each) => decide(caller, each));
  return decisions.find(({ allowed }) => allowed) ?? decide(caller, act);
}

/** The system in the user's name; without a system, the user at the issuer's. null: the user has no role here. */
function callerInName({ user, issuer }: Believed, system: Caller | null, request: Request): Caller | null {
  if (system) return { ...system, onBehalfOf: user };
  if (user.role === null) return null;
  const site = issuer.site === null ? {} : { site: siteId(issuer.site) };
  const peer = peerAt(request);
  return { id: `xua:${issuer.issuer}`, name: issuer.issuer, role: user.role, ...site, peer, onBehalfOf: user };
}

const peerAt = (request: Request): string => (request.socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '');

type Who = Pick<
  AuditEvent,
  'face' | 'callerId' | 'callerName' | 'callerRole' | 'peer' | 'onBehalfOf' | 'purpose' | 'institution'
>;

export function who(known: Caller | OnBehalfOf | null, request: Request): Who {
  if (known && 'id' in known) return { face: 'xds', ...audited(known) };
  const nobody = { face: 'xds', callerId: '', callerName: '', callerRole: '', peer: peerAt(request) };
  return known === null ? nobody : { ...nobody, callerId: `xua:${known.issuer}`, onBehalfOf: auditedUser(known) };
}

/**
 * The fault where the caller's assertion was issued for another patient than one of these. Without an assertion for one
 * patient there is none. `ids` are CX of as many patients, `persons` such as are known by the index alone.
 */
export async function refuseOthers(
  deps: CallerDeps,
  operation: string,
  caller: Caller,
  request: Request,
  patients: { readonly ids: readonly string[]; readonly persons: readonly string[] },
): Promise<SoapFault | null> {
  if ((caller.onBehalfOf?.patientIds.length ?? 0) === 0) return null;
  const ids = [...new Set(patients.ids)];
  const known = ids.length === 0 ? new Map<string, string>() : await deps.scope?.personsOf(ids);
  const named = ids.map((id): [string[], string | undefined] => [[id], known?.get(id)]);
  const covered = new Set(known?.values());
  const others = [...new Set(patients.persons)].filter((person) => !covered.has(person));
  for (const [own, person] of [...named, ...others.map((one): [string[], string] => [[], one])]) {
    const persons = person === undefined ? [] : [person];
    const fault = await refusePatient(deps, operation, caller, request, { ids: own, persons });
    if (fault) return fault;
  }
  return null;
}

/** As refuseOthers, of one patient: `ids` are CX that the caller knows of them, beside those that the index knows. */
export async function refusePatient(
  deps: CallerDeps,
  operation: string,
  caller: Caller,
  request: Request,
  patient: { readonly ids: readonly string[]; readonly persons: readonly string[] },
): Promise<SoapFault | null> {
  const decision = await decideOn(deps, caller, patient);
  if (decision.allowed) return null;
  await deps.audit.record({
    ...who(caller, request),
    action: 'refuse',
    outcome: 'refused',
    operation,
    persons: patient.persons,
    objects: [],
    reason: decision.reason,
  });
  return { ...senderFault(`Refused: ${decision.reason}.`, ['wsse:FailedAuthentication']), status: 403 };
}

/** Those of these patients, by their CX, whom the caller may see: all of them where it calls in nobody's name. */
export async function seenOf<Id extends string>(
  deps: Pick<CallerDeps, 'scope'>,
  caller: Caller,
  ids: readonly Id[],
): Promise<ReadonlySet<Id>> {
  if ((caller.onBehalfOf?.patientIds.length ?? 0) === 0 || ids.length === 0) return new Set(ids);
  const known = await deps.scope?.personsOf(ids);
  const seen = new Set<Id>();
  for (const id of new Set(ids)) {
    const person = known?.get(id);
    const decision = await decideOn(deps, caller, { ids: [id], persons: person === undefined ? [] : [person] });
    if (decision.allowed) seen.add(id);
  }
  return seen;
}

async function decideOn(
  { scope }: Pick<CallerDeps, 'scope'>,
  caller: Caller,
  patient: { readonly ids: readonly string[]; readonly persons: readonly string[] },
): Promise<Decision> {
  const named = caller.onBehalfOf?.patientIds ?? [];
  if (named.length === 0) return { allowed: true };
  const more = scope ? (await Promise.all(patient.persons.map((person) => scope.idsOf(person)))).flat() : [];
  const ids = [...patient.ids, ...more];
  const straight = decidePatient(caller, ids);
  // The statement may be older than a merge: the patient whom it names is then the one who remained.
  return straight.allowed || !scope ? straight : decidePatient(caller, ids, await scope.survivorsOf(named));
}
