/** Sends notices of links by SOAP (ITI-46); taken where the subscriber's acknowledgement says so. */
import type { LinkNotice, LinkSubscription } from '../../hub/core/link-notice.ts';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { attributeOf, down } from '../../mappings/xds/hl7v3.ts';
import { LINK_NOTICE, writeLinkNoticeV3 } from '../../mappings/xds/link-notice.ts';
import { SoapClient } from './soap-client.ts';

export interface SoapLinkNotices {
  send(subscription: LinkSubscription, notice: LinkNotice): Promise<Result<null>>;
  close(): void;
}

const TIMEOUT_MS = 10_000;

/** `device`: OID of the hub. */
export function createSoapLinkNotices(device: string, clock: () => Date): SoapLinkNotices {
  const clients = new Map<string, SoapClient>();
  return {
    async send({ id, site }, { controlId, numbers }) {
      const to = site.pixNotify?.soap;
      if (to === undefined) return fail(problem('unavailable'));
      const client = clients.get(id) ?? new SoapClient({ ...to, timeoutMs: TIMEOUT_MS });
      clients.set(id, client);
      const at = clock().toISOString().replace(/\D/g, '').slice(0, 14);
      const body = writeLinkNoticeV3({ device, id: controlId, at }, site.patientIds.defaultAuthority, numbers);
      const reply = await client.call({ action: LINK_NOTICE, body, packaged: false });
      if (!reply.ok) return reply;
      reply.value.close();
      const [code] = down([reply.value.body], 'acknowledgement', 'typeCode');
      return ['CA', 'AA'].includes(attributeOf(code, 'code'))
        ? ok(null)
        : fail(problem('precondition', undefined, 'The subscriber answered that it did not take the notice.'));
    },
    close() {
      for (const client of clients.values()) client.close();
    },
  };
}
