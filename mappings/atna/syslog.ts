/** Audit messages as syslog: RFC 5424 lines in the octet-counted frames of RFC 5425, with the fields of ITI TF-2 §3.20. */
import type { AuditRecord, SyslogMessage } from '../../hub/core/audit.ts';
import { auditMessages } from './audit-message.ts';
import { kindOf } from './event.ts';
import type { AuditSource } from './participants.ts';

/** Facility 10 (security and authorisation) times eight, plus the severity. */
const PRIORITY = { notice: 85, warning: 84 } as const;
/** RFC 5424 §7.3.1: from 1 to this, then from 1 again. */
const SEQUENCE = 2_147_483_647n;
const BOM = '\ufeff';

export function syslogMessages(
  record: AuditRecord,
  source: AuditSource,
  idOf?: (person: string) => string | undefined,
): readonly SyslogMessage[] {
  const isIhe = kindOf(record).transaction !== null;
  return auditMessages(record, source, idOf).map((text) => ({
    severity: record.outcome === 'success' ? 'notice' : 'warning',
    at: record.at,
    messageId: isIhe ? 'IHE+RFC-3881' : 'DICOM+RFC3881',
    sequenceId: Number((BigInt(record.id) - 1n) % SEQUENCE) + 1,
    text,
  }));
}

/** RFC 5424 §6: PRINTUSASCII of bounded length, `-` for nothing. */
const field = (text: string, most: number): string => text.replace(/[^!-~]/g, '').slice(0, most) || '-';

/** RFC 5425 §4.3: MSG-LEN counts octets. */
export function frame(message: SyslogMessage, sender: SyslogSender): Buffer {
  const line = datagram(message, sender);
  return Buffer.concat([Buffer.from(`${String(line.length)} `), line]);
}

export interface SyslogSender {
  readonly host: string;
  readonly processId: string;
}

/** RFC 5426 §3.1: one message, nothing around it. */
export function datagram(message: SyslogMessage, sender: SyslogSender): Buffer {
  const { severity, at, messageId, sequenceId, text } = message;
  const head = [
    `<${String(PRIORITY[severity])}>1`,
    at,
    field(sender.host, 255),
    'hutong',
    field(sender.processId, 128),
    field(messageId, 32),
    `[meta sequenceId="${String(sequenceId)}"]`,
  ].join(' ');
  return Buffer.from(`${head} ${BOM}${text}`);
}
