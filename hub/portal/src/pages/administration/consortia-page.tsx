/** Consortia (医联体): whose institutions may read of each other, and for how long. */
import { Button, Input } from 'antd';
import type { ReactNode } from 'react';
import { useId, useState } from 'react';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { Shown, TroubleAlert, useAsked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { administration } from '../../text/administration.ts';
import { stamp, toUtc } from '../operations/format.ts';
import { List, TextField, troubleOf } from '../operations/parts.tsx';

type Consortium = Schemas['Consortium'];

export function ConsortiaPage(): ReactNode {
  const words = useText(administration);
  const { consortia } = words;
  const asked = useAsked('consortia', (signal) => ask(api.GET('/consortia', { signal })));
  const [changing, setChanging] = useState<string | null>(null);
  return (
    <section className="ops">
      <h1>{consortia.title}</h1>
      <Shown asked={asked}>
        {({ items }, again) => {
          const one = items.find(({ id }) => id === changing) ?? null;
          const done = (): void => {
            setChanging(null);
            again();
          };
          return (
            <>
              <details className="ops-box" open={one !== null}>
                <summary>{one === null ? consortia.found : consortia.change(one.nameZh)}</summary>
                <Terms key={changing ?? ''} of={one} done={done} />
              </details>
              <List
                label={consortia.title}
                rows={items}
                rowKey={(row) => row.id}
                columns={[
                  { title: words.institutions.nameZh, dataIndex: 'nameZh' },
                  { title: consortia.members, render: (_, row) => row.members.join(', '), className: 'ops-break' },
                  { title: consortia.from, render: (_, row) => stamp(row.from) || consortia.open },
                  { title: consortia.until, render: (_, row) => stamp(row.until) || consortia.open },
                  {
                    title: '',
                    render: (_, row) => (
                      <Button size="small" onClick={() => setChanging(row.id)}>
                        {consortia.change(row.nameZh)}
                      </Button>
                    ),
                  },
                ]}
              />
            </>
          );
        }}
      </Shown>
    </section>
  );
}

/** `2026-03-01T08:30` of the reader's own zone, as its field takes it. */
const local = (at: string | null): string => (at === null ? '' : stamp(at).slice(0, 16).replace(' ', 'T'));

function Terms({ of, done }: { readonly of: Consortium | null; readonly done: () => void }): ReactNode {
  const words = useText(administration);
  const { consortia } = words;
  const area = useId();
  const [form, setForm] = useState({
    nameZh: of?.nameZh ?? '',
    nameEn: of?.nameEn ?? '',
    from: local(of?.from ?? null),
    until: local(of?.until ?? null),
  });
  const [members, setMembers] = useState((of?.members ?? []).join('\n'));
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const set = (name: keyof typeof form) => (value: string) => setForm({ ...form, [name]: value });
  const listed = [...new Set(members.split(/[\s,，]+/).filter((code) => code !== ''))];
  const save = async (): Promise<void> => {
    const [from, until] = [toUtc(form.from), toUtc(form.until)];
    const body = {
      nameZh: form.nameZh.trim(),
      members: listed,
      ...(form.nameEn.trim() === '' ? {} : { nameEn: form.nameEn.trim() }),
      ...(from === undefined ? {} : { from }),
      ...(until === undefined ? {} : { until }),
    };
    const wrong = await troubleOf(
      of === null
        ? ask(api.POST('/consortia', { body }))
        : ask(api.PUT('/consortia/{id}', { params: { path: { id: of.id } }, body })),
    );
    setTrouble(wrong);
    if (wrong !== null) return;
    setMembers('');
    done();
  };
  return (
    <form
      className="ops-filter"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {trouble === null ? null : <TroubleAlert trouble={trouble} />}
      <TextField label={words.institutions.nameZh} value={form.nameZh} onChange={set('nameZh')} />
      <TextField label={words.institutions.nameEn} value={form.nameEn} onChange={set('nameEn')} />
      <TextField label={consortia.from} type="datetime-local" value={form.from} onChange={set('from')} />
      <TextField label={consortia.until} type="datetime-local" value={form.until} onChange={set('until')} />
      <div className="ops-field">
        <label htmlFor={area}>{consortia.members}</label>
        <Input.TextArea
          id={area}
          rows={4}
          value={members}
          placeholder={consortia.membersHint}
          onChange={(event) => setMembers(event.target.value)}
        />
      </div>
      <Button type="primary" htmlType="submit" disabled={form.nameZh.trim() === '' || listed.length === 0}>
        {words.save}
      </Button>
    </form>
  );
}
