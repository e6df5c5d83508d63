/** Persons that a search found: one line each, with the way in where there is none yet. */
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { Schemas } from '../../api.ts';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { dateTime } from './format.ts';
import { PatientLine } from './patient-banner.tsx';

type Found = Schemas['PersonFound'];

export function FoundPersons(props: {
  readonly items: readonly Found[];
  readonly open: (by: 'code' | 'emergency', personId: string) => void;
}): ReactNode {
  return (
    <ul className="rows">
      {props.items.map((one) => (
        <li key={one.person.personId} className="panel row">
          {one.access !== 'closed' ? <OpenRow found={one} /> : <ClosedRow found={one} open={props.open} />}
        </li>
      ))}
    </ul>
  );
}

function OpenRow({ found }: { readonly found: Found }): ReactNode {
  const words = useText(clinical);
  const { person, examCount, lastExamAt, modalities, sites } = found;
  return (
    <>
      <div className="row-main">
        <Link to={`/persons/${person.personId}`} className="row-link">
          <PatientLine person={person} />
        </Link>
        <p className="fine">
          {[
            person.birthDate === null ? '' : `${words.person.born} ${person.birthDate}`,
            person.residentId === null ? '' : `${words.person.residentId} ${person.residentId}`,
            ...person.registrations.slice(0, 3).map(({ siteName, localId }) => `${siteName} ${localId}`),
          ]
            .filter((part) => part !== '')
            .join(' · ')}
        </p>
      </div>
      <div className="row-side">
        {found.access === 'reason' ? (
          <span className="closed">{words.reason.needed}</span>
        ) : examCount === 0 ? (
          <span className="fine">{words.search.never}</span>
        ) : (
          <>
            <span>
              {words.search.exams(examCount)} <span className="fine">{modalities.join(' ')}</span>
            </span>
            <span className="fine">
              {words.search.last} {dateTime(lastExamAt, { date: true })} {sites[0] ?? ''}
            </span>
          </>
        )}
      </div>
    </>
  );
}

function ClosedRow(props: {
  readonly found: Found;
  readonly open: (by: 'code' | 'emergency', personId: string) => void;
}): ReactNode {
  const { person } = props.found;
  const words = useText(clinical).search;
  return (
    <>
      <div className="row-main">
        <PatientLine person={person} /> <span className="closed">{words.closed}</span>
        <p className="fine">{words.closedHint}</p>
      </div>
      <div className="row-acts">
        <Button onClick={() => props.open('code', person.personId)}>{words.useCode}</Button>
        <Button danger onClick={() => props.open('emergency', person.personId)}>
          {words.emergency}
        </Button>
      </div>
    </>
  );
}
