/** Accounts of people: found, invited; what becomes of one is on its own page. */
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { TroubleAlert } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { administration } from '../../text/administration.ts';
import { operations } from '../../text/operations.ts';
import { shell } from '../../text/shell.ts';
import { stamp } from '../operations/format.ts';
import { Choice, Pages, State, TextField, usePages } from '../operations/parts.tsx';
import { AskedFor } from './halves.tsx';
import { Secret } from './parts.tsx';
import { isWhole, PERSON_ROLES, RoleChoice } from './roles.tsx';
import type { AccountRole } from './roles.tsx';

const EMPTY = { state: '', role: '', institution: '' };

export function AccountsPage(): ReactNode {
  const all = useText(operations);
  const words = useText(administration).accounts;
  const stateWord = useText(administration).state;
  const never = useText(administration).never;
  const roles = useText(shell).roles;
  const [filter, setFilter] = useState(EMPTY);
  const told = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ''));
  const pages = usePages(`accounts ${JSON.stringify(told)}`, (after) =>
    ask(api.GET('/accounts', { params: { query: { ...told, ...(after === undefined ? {} : { after }) } } })),
  );
  const set = (name: keyof typeof EMPTY) => (value: string) => setFilter({ ...filter, [name]: value.trim() });
  return (
    <section className="ops">
      <h1>{words.title}</h1>
      <NewAccount made={pages.again} />
      <div className="ops-filter" role="search">
        <Choice
          label={stateWord}
          any={all.any}
          value={filter.state}
          choices={Object.entries(words.states)}
          onChange={set('state')}
        />
        <Choice
          label={words.roles}
          any={all.any}
          value={filter.role}
          choices={PERSON_ROLES.map((role) => [role, roles[role]] as const)}
          onChange={set('role')}
        />
        <TextField label={words.institution} value={filter.institution} onChange={set('institution')} />
      </div>
      <Pages
        pages={pages}
        label={words.title}
        rowKey={(row) => row.id}
        columns={[
          {
            title: words.loginName,
            render: (_, row) => <Link to={`/administration/accounts/${row.id}`}>{row.loginName}</Link>,
          },
          { title: words.displayName, dataIndex: 'displayName' },
          { title: stateWord, render: (_, row) => <State state={row.state} words={words.states} /> },
          {
            title: words.roles,
            render: (_, row) => row.roles.map(({ role }) => roles[role]).join(' · '),
            className: 'ops-break',
          },
          { title: words.institution, render: (_, row) => row.institution ?? '' },
          { title: words.source, render: (_, row) => words.sources[row.source] },
          { title: words.lastSignIn, render: (_, row) => stamp(row.lastSignInAt) || never },
        ]}
      />
    </section>
  );
}

type Made = Schemas['InvitedAccount'];
const BLANK = { loginName: '', displayName: '', institution: '', department: '', practitionerId: '' };

function NewAccount({ made }: { readonly made: () => void }): ReactNode {
  const words = useText(administration).accounts;
  const [form, setForm] = useState(BLANK);
  const [roles, setRoles] = useState<readonly AccountRole[]>([]);
  const [invited, setInvited] = useState<Made | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const set = (name: keyof typeof BLANK) => (value: string) => setForm({ ...form, [name]: value });
  const create = async (): Promise<void> => {
    const { loginName, displayName, ...rest } = form;
    const optional = Object.fromEntries(Object.entries(rest).filter(([, value]) => value.trim() !== ''));
    const body = { loginName: loginName.trim(), displayName: displayName.trim(), ...optional };
    const answer = await ask(
      api.POST('/accounts', {
        body: { ...body, roles: roles.map((one) => ({ role: one.role, site: one.site ?? null })) },
      }),
    );
    setTrouble(answer.ok ? null : answer.trouble);
    if (!answer.ok) return;
    setInvited(answer.value);
    setForm(BLANK);
    setRoles([]);
    made();
  };
  return (
    <details className="ops-box">
      <summary>{words.create}</summary>
      <form
        className="ops-filter"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        {trouble === null ? null : <TroubleAlert trouble={trouble} />}
        <TextField label={words.loginName} value={form.loginName} onChange={set('loginName')} />
        <TextField label={words.displayName} value={form.displayName} onChange={set('displayName')} />
        <TextField label={words.institution} value={form.institution} onChange={set('institution')} />
        <TextField label={words.department} value={form.department} onChange={set('department')} />
        <TextField
          label={words.practitionerId}
          hint={words.practitionerHint}
          value={form.practitionerId}
          onChange={set('practitionerId')}
        />
        <RoleChoice roles={roles} onChange={setRoles} />
        <Button
          type="primary"
          htmlType="submit"
          disabled={form.loginName.trim().length < 2 || form.displayName.trim() === '' || !isWhole(roles)}
        >
          {words.create}
        </Button>
      </form>
      {invited?.approval ? <AskedFor name={invited.loginName} approval={invited.approval} of="code" /> : null}
      {typeof invited?.activationCode === 'string' ? (
        <Secret
          label={`${invited.loginName} · ${words.code}`}
          code={invited.activationCode}
          until={invited.activationUntil}
        />
      ) : null}
    </details>
  );
}
