/**
 * What a patient is told of access to the record and of consents (PIPL 44, SECURITY P9): a list for the patient's own
 * system, and a message where one is configured to take them. It is written with what it tells of, so nothing is untold;
 * that the receiver is away holds nobody up.
 */
import type { HubId } from './identifier.ts';
import type { Page, PageRequest } from './operation.ts';
import type { Result } from './problem.ts';

export type NoticeKind = 'break-glass' | 'break-glass-reviewed' | 'consent-recorded' | 'consent-withdrawn';

export interface PatientNotice {
  readonly noticeId: string;
  readonly personId: HubId;
  readonly kind: NoticeKind;
  /** What it is about: `break-glass/id`, `consent/id`. */
  readonly subject: string;
  readonly content: NoticeContent;
  readonly at: string;
  readonly deliveredAt: string | null;
}

/** The patient, as a notice names who did something; never by name. */
export const BY_THE_PATIENT = '您本人';

/** No clinical word, and no name of the patient. */
export interface NoticeContent {
  /** Code of the institution that saw or recorded; null: not known. */
  readonly institution: string | null;
  readonly institutionName: string | null;
  /** Who, as the institution names them; null: not told. */
  readonly by: string | null;
  /** Code of the reason, or of the outcome of the review. */
  readonly reason: string | null;
  readonly until: string | null;
}

export interface PatientNoticeList {
  /** Newest first, of all ids that are this person today. */
  of(personId: string, page: PageRequest): Promise<Page<PatientNotice>>;
}

/** Notices that wait for the receiver. */
export interface NoticeSpool {
  /** The one that is due longest, in this worker's hands until `until`; null: none is due. */
  take(until: Date): Promise<(PatientNotice & { readonly attempts: number }) | null>;
  delivered(noticeId: string): Promise<void>;
  again(noticeId: string, at: Date): Promise<void>;
}

export interface NoticeSender {
  /** Never rejects. */
  send(notice: PatientNotice): Promise<Result<null>>;
  close(): void;
}

const KINDS: Readonly<Record<NoticeKind, string>> = {
  'break-glass': '紧急调阅',
  'break-glass-reviewed': '紧急调阅复核',
  'consent-recorded': '授权登记',
  'consent-withdrawn': '授权撤回',
};

/** What stands in a message to the patient. */
export function noticeText({ kind, content, at }: PatientNotice): string {
  const { institutionName, by, until, reason } = content;
  const place = institutionName ?? (by === BY_THE_PATIENT ? null : '未登记机构');
  const who = [place, by].filter((part) => part !== null).join(' ');
  const [from, to] = [chinaTime(at), until === null ? '' : chinaTime(until)];
  switch (kind) {
    case 'break-glass':
      return `【${KINDS[kind]}】${from}，${who}因紧急救治调阅您的检查资料，有效至${to}。该次调阅将由专人复核。如有疑问，请联系就诊医院。`;
    case 'break-glass-reviewed':
      return `【${KINDS[kind]}】${who}对您检查资料的紧急调阅已复核：${reason === 'justified' ? '理由成立' : '理由不成立，已记录并追究'}。`;
    case 'consent-recorded':
      return `【${KINDS[kind]}】${from}，${who}登记了您对检查资料调阅的授权或拒绝。您可以随时撤回。`;
    case 'consent-withdrawn':
      return `【${KINDS[kind]}】${from}，您的一项检查资料授权或拒绝已撤回，即时生效。`;
  }
}

/** Beijing time to the minute. */
const chinaTime = (instant: string): string =>
  new Date(Date.parse(instant) + 8 * 3_600_000).toISOString().slice(0, 16).replace('T', ' ');
