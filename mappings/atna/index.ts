/** The door of audit messages: records to AuditMessage XML and syslog frames, and what SOAP bodies say for a record. */
export { auditMessages } from './audit-message.ts';
export type { AuditSource } from './participants.ts';
export { callEvent } from './soap-call.ts';
export { soapDetail } from './soap-detail.ts';
export { datagram, frame, syslogMessages } from './syslog.ts';
