/** Who looked at my records: who, of which hospital, when and why, in plain words; emergencies stand out by word and mark. */
import { useState } from 'react';
import type { ReactNode } from 'react';
import { api, ask } from '../../api.ts';
import type { Answer, Schemas } from '../../api.ts';
import { useText } from '../../language.tsx';
import { patient } from '../../text/patient.ts';
import { shell } from '../../text/shell.ts';
import { dateTime, wordOf } from '../clinical/format.ts';
import { OwnPage, PagedList, useInstitutions, usePaged } from './own.tsx';

type Access = Schemas['ShownAccess'];

export function MyAccessesPage(): ReactNode {
  const words = useText(patient).accesses;
  return <OwnPage title={words.title}>{(personId) => <Accesses personId={personId} />}</OwnPage>;
}

const SELF = 'patient';
/** So many are wanted at once, and so many pages looked through for them: one's own looks may fill pages. */
const WANTED = 20;
const MOST_PAGES = 10;

async function looks(
  personId: string,
  withSelf: boolean,
  after: string | undefined,
): Promise<Answer<{ items: readonly Access[]; next: string | null }>> {
  const items: Access[] = [];
  let mark = after;
  for (let page = 0; page < MOST_PAGES; page++) {
    const query = { limit: 100, ...(mark === undefined ? {} : { after: mark }) };
    const answer = await ask(api.GET('/persons/{id}/accesses', { params: { path: { id: personId }, query } }));
    if (!answer.ok) return answer;
    items.push(...answer.value.items.filter(({ role }) => withSelf || role !== SELF));
    if (answer.value.next === null) return { ok: true, value: { items, next: null } };
    mark = answer.value.next;
    if (items.length >= WANTED) break;
  }
  return { ok: true, value: { items, next: mark ?? null } };
}

function Accesses({ personId }: { readonly personId: string }): ReactNode {
  const words = useText(patient).accesses;
  const [withSelf, setWithSelf] = useState(false);
  const { nameOf } = useInstitutions();
  const loaded = usePaged<Access>(`${personId} ${String(withSelf)}`, (after) => looks(personId, withSelf, after));
  return (
    <>
      <p>{words.intro}</p>
      <label className="check">
        <input type="checkbox" checked={withSelf} onChange={(event) => setWithSelf(event.target.checked)} />{' '}
        {words.showSelf}
      </label>
      <PagedList loaded={loaded} none={words.none} moreText={words.more}>
        {(access) => <Look key={JSON.stringify(access)} access={access} nameOf={nameOf} />}
      </PagedList>
    </>
  );
}

function Look(props: { readonly access: Access; readonly nameOf: (code: string) => string }): ReactNode {
  const words = useText(patient).accesses;
  const { roles, purposes } = useText(shell);
  const { at, institution, role, reader, purpose, emergency, action, what } = props.access;
  const isSelf = role === SELF;
  const who = isSelf
    ? words.self
    : [props.nameOf(institution), wordOf(roles, role), reader ?? ''].filter((part) => part !== '').join(' ');
  const did = action === 'search' ? words.searched : action === 'export' ? words.exported : words.what[what];
  return (
    <li className={emergency ? 'exam-row is-critical' : 'exam-row'}>
      <div className="row-main">
        <strong>{who}</strong> {emergency ? <span className="critical">{words.emergency}</span> : null}
        <p>
          <time dateTime={at}>{dateTime(at)}</time> · {did}
          {purpose === null || isSelf ? null : ` · ${words.why}: ${wordOf(purposes, purpose)}`}
        </p>
        {emergency ? <p className="fine">{words.emergencyText}</p> : null}
      </div>
    </li>
  );
}
