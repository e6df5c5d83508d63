/** What I am told: emergency accesses and their reviews, consents and refusals that were recorded or withdrawn. */
import type { ReactNode } from 'react';
import { api, ask } from '../../api.ts';
import type { Schemas } from '../../api.ts';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { patient } from '../../text/patient.ts';
import { dateTime, wordOf } from '../clinical/format.ts';
import { OwnPage, PagedList, useInstitutions, usePaged } from './own.tsx';

type Notice = Schemas['PatientNotice'];

export function MyNoticesPage(): ReactNode {
  const words = useText(patient).notices;
  return <OwnPage title={words.title}>{(personId) => <Notices personId={personId} />}</OwnPage>;
}

function Notices({ personId }: { readonly personId: string }): ReactNode {
  const words = useText(patient).notices;
  const { nameOf } = useInstitutions();
  const loaded = usePaged<Notice>(personId, (after) =>
    ask(
      api.GET('/persons/{id}/notices', {
        params: { path: { id: personId }, query: { limit: 50, ...(after === undefined ? {} : { after }) } },
      }),
    ),
  );
  return (
    <PagedList loaded={loaded} none={words.none} moreText={words.more}>
      {(one) => (
        <li key={one.noticeId} className={one.kind === 'break-glass' ? 'exam-row is-critical' : 'exam-row'}>
          <div className="row-main">
            <strong>{words.kinds[one.kind]}</strong>
            <p>
              <Said notice={one} nameOf={nameOf} />
            </p>
            <p className="fine">
              <time dateTime={one.at}>{dateTime(one.at)}</time>
            </p>
          </div>
        </li>
      )}
    </PagedList>
  );
}

function Said(props: { readonly notice: Notice; readonly nameOf: (code: string) => string }): ReactNode {
  const words = useText(patient);
  const { reasons } = useText(clinical).emergency;
  const { kind, content } = props.notice;
  const { institution, institutionName, by, reason, until } = content;
  const place = institution === null ? institutionName : props.nameOf(institution);
  const who = [place ?? words.notices.unknown, by ?? ''].filter((part) => part !== '').join(' ');
  switch (kind) {
    case 'break-glass':
      return `${words.notices.glass(who, dateTime(until))} ${
        reason === null ? '' : `${words.notices.reason}: ${wordOf(reasons, reason)}`
      }`;
    case 'break-glass-reviewed':
      return reason === 'justified' ? words.notices.justified : words.notices.unjustified;
    case 'consent-recorded':
      return words.notices.recorded(institution === null ? words.accesses.self : who);
    case 'consent-withdrawn':
      return words.notices.withdrawn;
  }
}
