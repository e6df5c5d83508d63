/**
 * Tells a subscriber of one person's numbers as they are now (ITI-10, ITI-46): from the outbox, so durably, in order for
 * each person, once a change. A subscriber that is away rests a while, and holds nobody else up.
 */
import { createHash } from 'node:crypto';
import { refusalOf, type AccessDesk } from '../core/access-ports.ts';
import type { AuditTrail } from '../core/audit.ts';
import { numbersIn, type LinkMemory, type LinkSubscription, type SendNotice } from '../core/link-notice.ts';
import type { OutboxOutcome } from '../core/outbox.ts';
import type { IndexReader, Log } from '../core/ports.ts';
import type { Problem } from '../core/problem.ts';

export interface NotifyLinksDeps {
  readonly subscriptions: readonly LinkSubscription[];
  readonly reader: Pick<IndexReader, 'person'>;
  readonly memory: LinkMemory;
  readonly send: SendNotice;
  readonly affinityDomainOid: string;
  readonly access: AccessDesk;
  readonly audit: AuditTrail;
  readonly log: Log;
  readonly clock: () => Date;
  /** How long a subscriber rests that did not take a notice. */
  readonly restMs: number;
}

const TRANSACTIONS = { mllp: ['hl7v2', 'ITI-10'], soap: ['xds', 'ITI-46'] } as const;

/** `key`: `person subscriber`. */
export function createNotifyLinks(deps: NotifyLinksDeps): (key: string) => Promise<OutboxOutcome> {
  const { reader, memory, clock } = deps;
  const byId = new Map(deps.subscriptions.map((one) => [one.id, one]));
  const restsUntil = new Map<string, number>();
  return async (key) => {
    const [, personId = '', id = ''] = /^(\S+) (.+)$/.exec(key) ?? [];
    const subscription = byId.get(id);
    // It subscribes no more.
    if (subscription === undefined) return { done: true };
    const rest = restsUntil.get(id) ?? 0;
    if (rest > clock().getTime()) return { done: false, againAt: new Date(rest) };
    const person = await reader.person(personId);
    // Joined to another: that one's own notice says what is so now.
    const known = person?.personId === personId ? person : null;
    const numbers = numbersIn(known, subscription.domains, deps.affinityDomainOid);
    const named = numbers.map(({ authority, value }) => `${authority}|${value}`);
    const told = await memory.last(id, personId);
    if (told === null ? numbers.length < 2 : same(told.numbers, named)) return { done: true };
    if (!(await mayHear(deps, subscription, personId))) return { done: true };
    if (numbers.length > 0) {
      const controlId = controlIdOf(key, told?.notices ?? 0, named);
      const sent = await deps.send(subscription, { controlId, numbers });
      await record(deps, subscription, personId, controlId, sent.ok ? null : sent.problem);
      if (!sent.ok) {
        const until = clock().getTime() + deps.restMs;
        restsUntil.set(id, until);
        return { done: false, againAt: new Date(until) };
      }
    }
    await memory.tell(id, personId, named);
    return { done: true };
  };
}

/** A hospital is told of its own patients, and of others whom no refusal keeps from it. */
async function mayHear(
  { access, audit }: NotifyLinksDeps,
  { id, site, wire }: LinkSubscription,
  personId: string,
): Promise<boolean> {
  const caller = { id: `site:${site.id}`, name: site.name, role: 'query-platform', site: site.id, peer: id } as const;
  const sight = await access.sight(caller);
  if ((await sight.persons([personId])).has(personId)) return true;
  const [face, operation] = TRANSACTIONS[wire];
  const refused = refusalOf(sight.told()) ?? { persons: [personId], objects: [], reason: 'not known' };
  await audit.record({
    ...{ action: 'refuse', outcome: 'refused', face, operation, peer: id, ...refused },
    ...{ callerId: caller.id, callerName: caller.name, callerRole: caller.role },
  });
  return false;
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((one, at) => one === b[at]);

/** Twenty characters, the most MSH-10 holds up to 2.6: a repeated attempt is known as one, and another notice is not. */
const controlIdOf = (key: string, notices: number, numbers: readonly string[]): string =>
  createHash('sha256')
    .update([key, notices, ...numbers].join('\n'))
    .digest('hex')
    .slice(0, 20)
    .toUpperCase();

/** Every attempt: what was not acknowledged may have been read all the same. */
async function record(
  { audit, log }: NotifyLinksDeps,
  { id, site, wire }: LinkSubscription,
  personId: string,
  controlId: string,
  failure: Problem | null,
): Promise<void> {
  const [face, transaction] = TRANSACTIONS[wire];
  const endpoint = wire === 'soap' ? site.pixNotify?.soap?.url : undefined;
  await audit.record({
    action: 'export',
    outcome: failure === null ? 'success' : 'failure',
    face,
    operation: transaction,
    callerId: `site:${site.id}`,
    callerName: site.name,
    callerRole: 'query-platform',
    peer: wire === 'mllp' ? (site.pixNotify?.mllp?.host ?? '') : new URL(endpoint ?? 'http://unknown.invalid').hostname,
    persons: [personId],
    objects: [],
    detail: {
      ...{ transaction, initiated: true, messageId: controlId, change: 'update' },
      ...(endpoint === undefined ? {} : { endpoint }),
    },
    ...(failure === null ? {} : { reason: failure.code }),
  });
  if (failure !== null) log.warn({ subscriber: id, code: failure.code }, 'a subscriber did not take a notice of links');
}
