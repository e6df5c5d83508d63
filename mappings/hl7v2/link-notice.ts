/** ADT^A31 as the PIX update notification (ITI TF-2 §3.10.4.1): the identifiers of one patient and nothing else. */
import type { PatientNumber } from '../../hub/core/patient-query.ts';
import { written } from './ack.ts';
import { escape, STANDARD } from './escape.ts';
import { cx } from './cx.ts';

export interface NoticeHead {
  readonly controlId: string;
  readonly time: string;
  readonly receiver: { readonly application: string; readonly facility: string };
}

export function writeLinkNotice({ controlId, time, receiver }: NoticeHead, numbers: readonly PatientNumber[]): string {
  const { application, facility } = receiver;
  const to = [escape(application), escape(facility)];
  return written(
    [
      [
        'MSH',
        '^~\\&',
        'HUTONG',
        'HUB',
        ...to,
        time,
        '',
        'ADT^A31^ADT_A05',
        controlId,
        'P',
        '2.5',
        '',
        '',
        '',
        '',
        '',
        'UNICODE UTF-8',
      ],
      ['EVN', '', time],
      // §3.10.4.1.2.2: PID-5 says nothing of the person, and PV1 that there is no visit.
      ['PID', '', '', numbers.map((one) => cx(one, '', STANDARD)).join('~'), '', '~^^^^^^S'],
      ['PV1', '', 'N'],
    ],
    STANDARD,
  );
}
