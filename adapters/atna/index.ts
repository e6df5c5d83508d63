/** The door of the room that speaks to an audit record repository. */
export { createSyslogSender, type SyslogPeer } from './syslog-sender.ts';
export { createDatagramSender } from './datagram-sender.ts';
export { postAnchor } from './post-anchor.ts';
