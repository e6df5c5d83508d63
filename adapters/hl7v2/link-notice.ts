/** Sends notices of links by MLLP (ITI-10), over one connection to each subscriber that opens with the first of them. */
import type { LinkNotice, LinkSubscription } from '../../hub/core/link-notice.ts';
import { fail, ok, problem, type Result } from '../../hub/core/problem.ts';
import { writeLinkNotice, writeTime } from '../../mappings/hl7v2/index.ts';
import { createHl7Sender, type Hl7Sender } from './sender.ts';

export interface LinkNotices {
  send(subscription: LinkSubscription, notice: LinkNotice): Promise<Result<null>>;
  close(): Promise<void>;
}

/** The outbox tries again: a worker waits for a subscriber that is away no longer than this. */
const WAITS = { connectMs: 2_000, answerMs: 10_000 };

export function createHl7LinkNotices(clock: () => Date): LinkNotices {
  const senders = new Map<string, Hl7Sender>();
  return {
    async send({ id, site }, { controlId, numbers }) {
      const to = site.pixNotify?.mllp;
      if (to === undefined) return fail(problem('unavailable'));
      const sender = senders.get(id) ?? createHl7Sender({ ...to, ...WAITS });
      senders.set(id, sender);
      const receiver = site.hl7v2.senders[0] ?? { application: '', facility: '' };
      const head = { controlId, time: writeTime(clock(), site.timeZone), receiver };
      const sent = await sender.send(Buffer.from(writeLinkNotice(head, numbers)));
      if (!sent.ok) return sent;
      const { code } = sent.value;
      return code === 'AA' || code === 'CA'
        ? ok(null)
        : fail(problem('precondition', 'MSA-1', 'The subscriber answered that it did not take the notice.'));
    },
    async close() {
      await Promise.all([...senders.values()].map((sender) => sender.close()));
    },
  };
}
