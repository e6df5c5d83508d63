/** Systems that call the hub: made, and revoked; those that read records, and that record consents, are the security administrator's to let in. */
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { TroubleAlert } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import type { Role } from '../../page.ts';
import { useSession } from '../../session.tsx';
import { administration } from '../../text/administration.ts';
import { approval } from '../../text/approval.ts';
import { figures } from '../../text/operations-figures.ts';
import { operations } from '../../text/operations.ts';
import { shell } from '../../text/shell.ts';
import { AskedFor } from '../administration/halves.tsx';
import { stamp } from './format.ts';
import { Choice, Pages, SiteChoice, TextField, WithReason, troubleOf, usePages, useSiteName } from './parts.tsx';

type ClientRole = Schemas['Role'];
type Made = Schemas['Client'] & { readonly token: string | null; readonly approval: Schemas['AskedApproval'] | null };

/** core/access.ts: `administer` makes those that send and operate, `admit-readers` those that read. */
const MAKES: Readonly<Partial<Record<Role, readonly ClientRole[]>>> = {
  'system-administrator': ['hospital-feed', 'operator'],
  'security-administrator': ['query-platform'],
  administrator: ['hospital-feed', 'query-platform', 'operator'],
};

export function ClientsPage(): ReactNode {
  const words = useText(figures).clients;
  const { session } = useSession();
  const [made, setMade] = useState(0);
  const makes = MAKES[session?.role ?? 'operator'] ?? [];
  return (
    <section className="ops">
      <h1>{words.title}</h1>
      <NewClient makes={makes} made={() => setMade(made + 1)} />
      <Clients key={made} role={session?.role ?? 'operator'} />
    </section>
  );
}

/** core/access.ts: `set-policy`, and `administer`. */
const LETS_RECORD: readonly Role[] = ['security-administrator', 'administrator'];
const REVOKES: readonly Role[] = ['system-administrator', 'administrator'];

function Clients({ role }: { readonly role: Role }): ReactNode {
  const all = useText(operations);
  const words = useText(figures).clients;
  const roles = useText(shell).roles;
  const nameOf = useSiteName();
  const keyWords = useText(approval).client;
  const { state } = useText(administration);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [deciding, setDeciding] = useState<Schemas['Client'] | null>(null);
  const pages = usePages('clients', (after) =>
    ask(api.GET('/clients', { params: { query: after === undefined ? {} : { after } } })),
  );
  const revoke = async (id: string): Promise<void> => {
    const answer = await ask(api.DELETE('/clients/{id}', { params: { path: { id } } }));
    setTrouble(answer.ok ? null : answer.trouble);
    pages.again();
  };
  const isOf = (row: Schemas['Client']): boolean => row.site !== null && row.role !== 'operator';
  return (
    <>
      {trouble === null ? null : <TroubleAlert trouble={trouble} />}
      {deciding === null ? null : (
        <ConsentRight
          client={deciding}
          done={() => {
            setDeciding(null);
            pages.again();
          }}
        />
      )}
      <Pages
        pages={pages}
        label={words.title}
        rowKey={(row) => row.id}
        columns={[
          { title: words.name, dataIndex: 'name' },
          { title: state, render: (_, row) => (row.pending && row.revokedAt === null ? keyWords.pending : '') },
          { title: words.role, render: (_, row) => (roles as Readonly<Record<string, string>>)[row.role] ?? row.role },
          { title: all.site, render: (_, row) => (row.site === null ? '' : nameOf(row.site)) },
          { title: words.createdAt, render: (_, row) => stamp(row.createdAt) },
          {
            title: words.consents,
            render: (_, row) =>
              isOf(row) ? (
                <>
                  {row.recordsConsents ? words.mayRecord : words.mayNot}{' '}
                  {LETS_RECORD.includes(role) && row.revokedAt === null ? (
                    <Button
                      size="small"
                      onClick={() => setDeciding(row)}
                      aria-label={`${words.decide} ${words.consentsOf(row.name)}`}
                    >
                      {words.decide}
                    </Button>
                  ) : null}
                </>
              ) : (
                ''
              ),
          },
          { title: words.lastUsed, render: (_, row) => stamp(row.lastUsedAt) || words.never },
          {
            title: '',
            render: (_, row) =>
              row.revokedAt === null ? (
                <Button
                  size="small"
                  danger
                  disabled={!REVOKES.includes(role)}
                  onClick={() => void revoke(row.id)}
                  aria-label={`${words.revoke} ${row.name}`}
                >
                  {words.revoke}
                </Button>
              ) : (
                `${words.revoked} ${stamp(row.revokedAt)}`
              ),
          },
        ]}
      />
    </>
  );
}

function ConsentRight({
  client: { id, name, recordsConsents },
  done,
}: {
  readonly client: Schemas['Client'];
  readonly done: () => void;
}): ReactNode {
  const words = useText(figures).clients;
  const say = async (reason: string): Promise<Trouble | null> => {
    const body = { granted: !recordsConsents, reason };
    const trouble = await troubleOf(ask(api.PUT('/clients/{id}/consent-right', { params: { path: { id } }, body })));
    if (trouble === null) done();
    return trouble;
  };
  return (
    <section className="ops-box" aria-label={words.consentsOf(name)}>
      <h2>{words.consentsOf(name)}</h2>
      <p>{words.consentsHint}</p>
      <WithReason acts={[{ text: recordsConsents ? words.withdraw : words.grant, primary: true, act: say }]} />
    </section>
  );
}

const BLANK = { name: '', site: '', certificate: '', jwks: '' };

/** A JWKS as somebody pasted it; what is wrong in a key the hub says. */
function jwksOf(text: string): { keys: object[] } | null {
  try {
    const told: unknown = JSON.parse(text);
    const keys: unknown = typeof told === 'object' && told !== null && 'keys' in told ? told.keys : null;
    return Array.isArray(keys) && keys.every((key) => typeof key === 'object' && key !== null)
      ? { keys: keys as object[] }
      : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function NewClient({ makes, made }: { readonly makes: readonly ClientRole[]; readonly made: () => void }): ReactNode {
  const words = useText(figures).clients;
  const keyWords = useText(approval).client;
  const roles = useText(shell).roles;
  const [form, setForm] = useState(BLANK);
  const [role, setRole] = useState<ClientRole>(makes[0] ?? 'hospital-feed');
  const [done, setDone] = useState<Made | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const set = (field: keyof typeof BLANK) => (value: string) => setForm({ ...form, [field]: value });
  const jwks = form.jwks.trim() === '' ? undefined : jwksOf(form.jwks);
  const create = async (): Promise<void> => {
    const optional = {
      ...(form.site === '' ? {} : { site: form.site }),
      ...(form.certificate.trim() === '' ? {} : { certificate: form.certificate.trim() }),
      ...(jwks === undefined || jwks === null ? {} : { jwks }),
    };
    const answer = await ask(api.POST('/clients', { body: { name: form.name, role, ...optional } }));
    setTrouble(answer.ok ? null : answer.trouble);
    if (!answer.ok) return;
    setDone(answer.value);
    setForm(BLANK);
    made();
  };
  return (
    <form
      className="ops-filter"
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      {trouble === null ? null : <TroubleAlert trouble={trouble} />}
      <TextField label={words.name} value={form.name} onChange={set('name')} />
      <Choice
        label={words.role}
        value={role}
        choices={makes.map((one) => [one, roles[one]])}
        onChange={(value) => setRole(value as ClientRole)}
      />
      <SiteChoice value={form.site} onChange={set('site')} />
      <p className="fine">{keyWords.prefer}</p>
      <TextField
        label={keyWords.certificate}
        hint={keyWords.certificateHint}
        value={form.certificate}
        onChange={set('certificate')}
      />
      <TextField label={keyWords.jwks} hint={keyWords.jwksHint} value={form.jwks} onChange={set('jwks')} />
      {jwks === null ? <p role="status">{keyWords.jwksWrong}</p> : null}
      <Button type="primary" htmlType="submit" disabled={form.name.trim() === '' || jwks === null}>
        {words.create}
      </Button>
      {done === null ? null : <Outcome made={done} />}
    </form>
  );
}

/** What comes of it: a token, half of one, or nothing to carry where it has a key of its own. */
function Outcome({ made }: { readonly made: Made }): ReactNode {
  const words = useText(figures).clients;
  if (made.approval !== null) return <AskedFor name={made.name} approval={made.approval} of="token" />;
  return made.token === null ? null : (
    <p role="status">
      {words.token} <code className="ops-break">{made.token}</code>
    </p>
  );
}
