/** A SOAP request that the hub is about to send, as an audit event: the initiator's side of ITI TF-2 §3.n.5 and RAD TF-2 §4.n.5. */
import type { AuditEvent, OutgoingCall } from '../../hub/core/audit.ts';
import { parseXml } from '../xds/xml.ts';
import { soapDetail } from './soap-detail.ts';

/** The hub's own bodies: as large as what they ask for. */
const OWN_XML = { bytes: 64 * 2 ** 20, depth: 64, elements: 1_000_000 };
const MOST = 1_000;

export function callEvent({
  action,
  messageId,
  body,
  endpoint,
}: OutgoingCall): Pick<AuditEvent, 'action' | 'outcome' | 'operation' | 'objects' | 'detail'> {
  const root = parseXml(Buffer.from(body), OWN_XML);
  const about = { initiated: true, endpoint };
  const detail = root.ok ? soapDetail({ action, messageId, body: root.value }, about) : { ...about, messageId };
  const studies = [...body.matchAll(/\sstudyInstanceUID="([0-9.]{1,64})"/g)].flatMap(([, uid]) => uid ?? []);
  const documents = (detail.documents ?? []).map(({ uniqueId }) => uniqueId);
  return {
    action: detail.query === undefined ? 'read' : 'search',
    outcome: 'success',
    operation: detail.transaction ?? action,
    objects: [...new Set([...studies, ...documents])].slice(0, MOST),
    detail,
  };
}
