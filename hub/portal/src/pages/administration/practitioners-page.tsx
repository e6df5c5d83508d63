/** Doctors and their standing at their institutions; who is suspended or leaves is out of the hub at once. */
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { Shown, TroubleAlert, useAsked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { useSession } from '../../session.tsx';
import { administration } from '../../text/administration.ts';
import { operations } from '../../text/operations.ts';
import { stamp } from '../operations/format.ts';
import { Choice, Pages, State, TextField, usePages } from '../operations/parts.tsx';
import { Facts, History, Steps } from './parts.tsx';

export function PractitionersPage(): ReactNode {
  const all = useText(operations);
  const words = useText(administration);
  const [state, setState] = useState('');
  const [institution, setInstitution] = useState('');
  const query = {
    ...(state === '' ? {} : { state: state as Schemas['Standing'] }),
    ...(institution.trim() === '' ? {} : { institution: institution.trim() }),
  };
  const pages = usePages(`practitioners ${JSON.stringify(query)}`, (after) =>
    ask(api.GET('/practitioners', { params: { query: { ...query, ...(after === undefined ? {} : { after }) } } })),
  );
  return (
    <section className="ops">
      <h1>{words.practitioners.title}</h1>
      <Apply done={pages.again} />
      <div className="ops-filter">
        <Choice
          label={words.state}
          any={all.any}
          value={state}
          choices={Object.entries(words.standings)}
          onChange={setState}
        />
        <TextField label={words.accounts.institution} value={institution} onChange={setInstitution} />
      </div>
      <Pages
        pages={pages}
        label={words.practitioners.title}
        rowKey={(row) => row.practitionerId}
        columns={[
          {
            title: words.practitioners.name,
            render: (_, row) => <Link to={`/administration/practitioners/${row.practitionerId}`}>{row.name}</Link>,
          },
          { title: words.state, render: (_, row) => <State state={row.state} words={words.standings} /> },
          { title: words.accounts.institution, dataIndex: 'institution' },
          { title: words.accounts.department, dataIndex: 'department' },
          { title: words.practitioners.licence, dataIndex: 'licence' },
          { title: words.at, render: (_, row) => stamp(row.appliedAt) },
        ]}
      />
    </section>
  );
}

const BLANK = { institution: '', licence: '', name: '', department: '', title: '', accountId: '' };

function Apply({ done }: { readonly done: () => void }): ReactNode {
  const all = useText(administration);
  const words = all.practitioners;
  const [form, setForm] = useState(BLANK);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [sent, setSent] = useState(false);
  const labels = {
    institution: all.accounts.institution,
    licence: words.licence,
    name: words.name,
    department: all.accounts.department,
    title: words.jobTitle,
    accountId: words.account,
  };
  const apply = async (): Promise<void> => {
    const { institution, licence, name, department, ...rest } = form;
    const optional = Object.fromEntries(Object.entries(rest).filter(([, value]) => value.trim() !== ''));
    const answer = await ask(
      api.POST('/practitioners', { body: { institution, licence, name, department, ...optional } }),
    );
    setTrouble(answer.ok ? null : answer.trouble);
    setSent(answer.ok);
    if (!answer.ok) return;
    setForm(BLANK);
    done();
  };
  const missing = [form.institution, form.licence, form.name, form.department].some((value) => value.trim() === '');
  return (
    <details className="ops-box">
      <summary>{words.apply}</summary>
      <form
        className="ops-filter"
        onSubmit={(event) => {
          event.preventDefault();
          void apply();
        }}
      >
        {trouble === null ? null : <TroubleAlert trouble={trouble} />}
        {(Object.keys(BLANK) as (keyof typeof BLANK)[]).map((name) => (
          <TextField
            key={name}
            label={labels[name]}
            value={form[name]}
            onChange={(value) => setForm({ ...form, [name]: value })}
          />
        ))}
        <Button type="primary" htmlType="submit" disabled={missing}>
          {all.institutions.submit}
        </Button>
      </form>
      {sent ? <p role="status">{all.institutions.submitted}</p> : null}
    </details>
  );
}

export function PractitionerPage(): ReactNode {
  const words = useText(administration);
  const back = useText(operations).back;
  const { session } = useSession();
  const id = useParams().id ?? '';
  const asked = useAsked(`practitioner ${id}`, (signal) =>
    ask(api.GET('/practitioners/{id}', { params: { path: { id } }, signal })),
  );
  return (
    <section className="ops">
      <p>
        <Link to="/administration/practitioners">{back}</Link>
      </p>
      <Shown asked={asked}>
        {({ practitioner, history }, again) => (
          <>
            <h1>{practitioner.name}</h1>
            <Facts
              facts={[
                [words.state, <State key="state" state={practitioner.state} words={words.standings} />],
                [words.accounts.institution, practitioner.institution],
                [words.accounts.department, practitioner.department],
                [words.practitioners.jobTitle, practitioner.title],
                [words.practitioners.licence, practitioner.licence],
                [words.practitioners.account, practitioner.accountId],
              ]}
            />
            {session?.role === 'security-administrator' ? (
              <Steps of="practitioners" id={practitioner.practitionerId} state={practitioner.state} done={again} />
            ) : null}
            <History entries={history} />
          </>
        )}
      </Shown>
    </section>
  );
}
