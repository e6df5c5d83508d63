/**
 * Document Metadata Notify (ITI-53): wsnt:Notify as the hub sends it to subscribers, and as a hospital's broker sends it
 * to the hub. What it carries is an lcm:SubmitObjectsRequest: the entries, or references to them.
 */
import type { SubscriptionTopic } from '../../hub/core/document-subscription.ts';
import type { DocumentEntry, PatientCx, SubmissionSet } from '../../hub/core/document.ts';
import { LCM, RIM } from './ebrim-names.ts';
import { readSubmission } from './ebrim-read.ts';
import { writeObjectRefs, writeObjects } from './ebrim-write.ts';
import { DSUB, SIMPLE_DIALECT, TOPICS, WSNT } from './notification-names.ts';
import { WSA } from './soap.ts';
import { childNamed, childrenNamed, xml } from './xml.ts';
import type { XmlElement } from './xml.ts';

export interface Notification {
  readonly topic: SubscriptionTopic;
  /** Of the subscription, and of the broker. */
  readonly subscription: string;
  readonly producer: string;
  /** Entries, or the submission set. */
  readonly objects: readonly (DocumentEntry | SubmissionSet)[];
}

/** One NotificationMessage an object (ITI TF-2 §3.53.4.1.2). */
export function writeNotify({ topic, subscription, producer, objects }: Notification): string {
  const messages = objects.map(
    (object) =>
      `<wsnt:NotificationMessage><wsnt:SubscriptionReference><wsa:Address>${xml(subscription)}</wsa:Address></wsnt:SubscriptionReference>` +
      `<wsnt:Topic Dialect="${SIMPLE_DIALECT}">ihe:${TOPICS[topic]}</wsnt:Topic>` +
      `<wsnt:ProducerReference><wsa:Address>${xml(producer)}</wsa:Address></wsnt:ProducerReference>` +
      `<wsnt:Message><lcm:SubmitObjectsRequest><rim:RegistryObjectList>` +
      (topic === 'minimal' ? writeObjectRefs([object.id]) : writeObjects([object])) +
      `</rim:RegistryObjectList></lcm:SubmitObjectsRequest></wsnt:Message></wsnt:NotificationMessage>`,
  );
  return `<wsnt:Notify xmlns:wsnt="${WSNT}" xmlns:wsa="${WSA}" xmlns:ihe="${DSUB}" xmlns:lcm="${LCM}" xmlns:rim="${RIM}">${messages.join('')}</wsnt:Notify>`;
}

const MESSAGES = 10_000;

/**
 * Whose documents a Notify tells of: as many patients as it names. References name none, and neither does what cannot be
 * read as metadata; `documents` counts them all. null: it holds no message, or too many.
 */
export function readNotify(
  body: XmlElement,
): { readonly patients: readonly PatientCx[]; readonly documents: number } | null {
  const messages = childrenNamed(body, WSNT, 'NotificationMessage');
  if (messages.length === 0 || messages.length > MESSAGES) return null;
  const patients = new Set<PatientCx>();
  let documents = 0;
  for (const message of messages) {
    const content = childNamed(message, WSNT, 'Message');
    const submitted = content === undefined ? undefined : childNamed(content, LCM, 'SubmitObjectsRequest');
    if (submitted === undefined) continue;
    documents += childNamed(submitted, RIM, 'RegistryObjectList')?.children.length ?? 0;
    const { submission } = readSubmission(submitted, { form: 'lenient', objects: MESSAGES });
    for (const { patientId } of submission.objects) if (patientId !== '') patients.add(patientId);
  }
  return { patients: [...patients], documents };
}
