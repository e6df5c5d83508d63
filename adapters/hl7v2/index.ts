/** The HL7 v2 adapter: an MLLP listener as a Channel, and an MLLP sender. */
export {
  createHl7Channel,
  type Hl7Channel,
  type Hl7ChannelOptions,
  type Hl7Limits,
  type Hl7TlsOptions,
} from './listener.ts';
export { createHl7LinkNotices, type LinkNotices } from './link-notice.ts';
export { createHl7Sender, type Hl7Answer, type Hl7Sender, type Hl7SenderOptions } from './sender.ts';
