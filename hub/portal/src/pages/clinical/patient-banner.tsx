/** Who the records on the page belong to: always in sight, so that two patients are never mixed up (DEMANDS 36). */
import type { ReactNode } from 'react';
import type { Schemas } from '../../api.ts';
import { useText } from '../../language.tsx';
import { clinical } from '../../text/clinical.ts';
import { ageAt, wordOf } from './format.ts';

interface Shown {
  readonly name: string | null;
  readonly sex: string | null;
  readonly birthDate: string | null;
}

/** Name, sex and age in one line. */
export function PatientLine({ person }: { readonly person: Shown }): ReactNode {
  const words = useText(clinical).person;
  const age = ageAt(person.birthDate, new Date());
  return (
    <span className="patient-line">
      <strong>{person.name ?? words.unnamed}</strong>
      {person.sex === null ? null : <span>{wordOf(words.sexes, person.sex)}</span>}
      {age === null ? null : <span>{age.years < 2 ? words.months(age.months) : words.age(age.years)}</span>}
    </span>
  );
}

export function PatientBanner(props: {
  readonly person: Schemas['PersonHeader'];
  readonly children?: ReactNode;
}): ReactNode {
  const { person, children } = props;
  const words = useText(clinical).person;
  return (
    <section className="panel patient" aria-label={words.banner}>
      <PatientLine person={person} />
      {person.birthDate === null ? null : (
        <span>
          <span className="fine">{words.born}</span> {person.birthDate}
        </span>
      )}
      {person.residentId === null ? null : (
        <span>
          <span className="fine">{words.residentId}</span> {person.residentId}
        </span>
      )}
      {person.registrations.length === 0 ? null : (
        <details>
          <summary>{words.registrations(person.registrations.length)}</summary>
          <ul className="plain">
            {person.registrations.map(({ site, siteName, localId }) => (
              <li key={`${site} ${localId}`}>
                {siteName} <span className="fine">{localId}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      {children}
    </section>
  );
}
