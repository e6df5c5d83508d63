/** Institutions and their standing: applied for by one, reviewed by another. */
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
import { Choice, Pages, State, TextField, usePages, useSites } from '../operations/parts.tsx';
import { Facts, History, Steps, Ticks } from './parts.tsx';

export function InstitutionsPage(): ReactNode {
  const all = useText(operations);
  const words = useText(administration);
  const [state, setState] = useState('');
  const pages = usePages(`institutions ${state}`, (after) =>
    ask(
      api.GET('/institutions', {
        params: {
          query: {
            ...(state === '' ? {} : { state: state as Schemas['Standing'] }),
            ...(after === undefined ? {} : { after }),
          },
        },
      }),
    ),
  );
  return (
    <section className="ops">
      <h1>{words.institutions.title}</h1>
      <Apply done={pages.again} />
      <div className="ops-filter">
        <Choice
          label={words.state}
          any={all.any}
          value={state}
          choices={Object.entries(words.standings)}
          onChange={setState}
        />
      </div>
      <Pages
        pages={pages}
        label={words.institutions.title}
        rowKey={(row) => row.code}
        columns={[
          {
            title: words.institutions.nameZh,
            render: (_, row) => <Link to={`/administration/institutions/${row.code}`}>{row.nameZh}</Link>,
          },
          { title: words.institutions.code, dataIndex: 'code' },
          { title: words.state, render: (_, row) => <State state={row.state} words={words.standings} /> },
          { title: words.institutions.kind, render: (_, row) => words.institutions.kinds[row.kind] },
          { title: words.institutions.sites, render: (_, row) => row.sites.join(', ') },
        ]}
      />
    </section>
  );
}

const BLANK = { code: '', nameZh: '', nameEn: '', parent: '', region: '', licence: '', uscc: '' };

function Apply({ done }: { readonly done: () => void }): ReactNode {
  const words = useText(administration).institutions;
  const sites = useSites();
  const [form, setForm] = useState(BLANK);
  const [kind, setKind] = useState<Schemas['InstitutionKind']>('hospital');
  const [own, setOwn] = useState<readonly string[]>([]);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [sent, setSent] = useState(false);
  const field = (name: keyof typeof BLANK): ReactNode => (
    <TextField label={words[name]} value={form[name]} onChange={(value) => setForm({ ...form, [name]: value })} />
  );
  const apply = async (): Promise<void> => {
    const told = Object.fromEntries(
      Object.entries(form)
        .map(([name, value]) => [name, value.trim()])
        .filter(([, value]) => value !== ''),
    ) as Pick<Schemas['InstitutionApplication'], 'code' | 'nameZh'>;
    const answer = await ask(api.POST('/institutions', { body: { ...told, kind, sites: [...own] } }));
    setTrouble(answer.ok ? null : answer.trouble);
    setSent(answer.ok);
    if (!answer.ok) return;
    setForm(BLANK);
    setOwn([]);
    done();
  };
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
        {field('code')}
        {field('nameZh')}
        {field('nameEn')}
        <Choice
          label={words.kind}
          value={kind}
          choices={Object.entries(words.kinds)}
          onChange={(value) => setKind(value as Schemas['InstitutionKind'])}
        />
        {field('parent')}
        {field('region')}
        {field('licence')}
        {field('uscc')}
        {sites.length === 0 ? null : (
          <Ticks
            legend={words.sites}
            choices={sites.map(({ id, name }) => [id, name] as const)}
            ticked={own}
            onChange={setOwn}
          />
        )}
        <Button type="primary" htmlType="submit" disabled={form.code.trim() === '' || form.nameZh.trim() === ''}>
          {words.submit}
        </Button>
      </form>
      {sent ? <p role="status">{words.submitted}</p> : null}
    </details>
  );
}

export function InstitutionPage(): ReactNode {
  const words = useText(administration);
  const back = useText(operations).back;
  const { session } = useSession();
  const id = useParams().id ?? '';
  const asked = useAsked(`institution ${id}`, (signal) =>
    ask(api.GET('/institutions/{id}', { params: { path: { id } }, signal })),
  );
  const { institutions } = words;
  return (
    <section className="ops">
      <p>
        <Link to="/administration/institutions">{back}</Link>
      </p>
      <Shown asked={asked}>
        {({ institution, history }, again) => (
          <>
            <h1>{institution.nameZh}</h1>
            <Facts
              facts={[
                [words.state, <State key="state" state={institution.state} words={words.standings} />],
                [institutions.code, institution.code],
                [institutions.nameEn, institution.nameEn],
                [institutions.kind, institutions.kinds[institution.kind]],
                [institutions.parent, institution.parent],
                [institutions.region, institution.region],
                [institutions.licence, institution.licence],
                [institutions.uscc, institution.uscc],
                [institutions.sites, institution.sites.join(', ')],
              ]}
            />
            {session?.role === 'security-administrator' ? (
              <Steps of="institutions" id={institution.code} state={institution.state} done={again} />
            ) : null}
            <History entries={history} />
          </>
        )}
      </Shown>
    </section>
  );
}
