/** Which exams are sensitive: rules over what an order says, and labels of single exams, both with a reason. */
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { api, ask } from '../../api.ts';
import type { Schemas, Trouble } from '../../api.ts';
import { Shown, TroubleAlert, useAsked } from '../../asking.tsx';
import { useText } from '../../language.tsx';
import { administration } from '../../text/administration.ts';
import { stamp } from '../operations/format.ts';
import { Choice, List, SiteChoice, TextField, WithReason, troubleOf, useSiteName } from '../operations/parts.tsx';
import { Ticks } from './parts.tsx';

type Label = Schemas['Sensitivity'];
type Field = Schemas['SensitivityField'];

const entriesOf = <K extends string>(words: Readonly<Record<K, string>>): readonly (readonly [K, string])[] =>
  Object.entries(words) as [K, string][];

export function SensitivityPage(): ReactNode {
  const words = useText(administration);
  const { sensitivity } = words;
  const nameOf = useSiteName();
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const asked = useAsked('sensitivity', (signal) => ask(api.GET('/sensitivity-rules', { signal })));
  const remove = async (id: string): Promise<void> => {
    setTrouble(await troubleOf(ask(api.DELETE('/sensitivity-rules/{id}', { params: { path: { id } } }))));
    asked.again();
  };
  return (
    <section className="ops">
      <h1>{sensitivity.title}</h1>
      <p className="fine">{sensitivity.hint}</p>
      {trouble === null ? null : <TroubleAlert trouble={trouble} />}
      <NewRule made={asked.again} />
      <Shown asked={asked}>
        {({ items, sweep }) => (
          <>
            <p role="status" className="fine">
              {sweep.endedAt === null
                ? sensitivity.running(sweep.exams)
                : sensitivity.done(sweep.exams, stamp(sweep.endedAt))}
            </p>
            <List
              label={sensitivity.title}
              rows={items}
              rowKey={(row) => row.ruleId}
              columns={[
                { title: sensitivity.label, render: (_, row) => sensitivity.labels[row.label] },
                { title: sensitivity.field, render: (_, row) => sensitivity.fields[row.field] },
                { title: sensitivity.code, dataIndex: 'code' },
                { title: words.accounts.ofSite, render: (_, row) => (row.site === null ? '' : nameOf(row.site)) },
                { title: words.reason, dataIndex: 'reason', className: 'ops-break' },
                { title: words.at, render: (_, row) => stamp(row.createdAt) },
                {
                  title: '',
                  render: (_, row) => (
                    <Button
                      size="small"
                      danger
                      aria-label={`${sensitivity.remove} ${row.code}`}
                      onClick={() => void remove(row.ruleId)}
                    >
                      {sensitivity.remove}
                    </Button>
                  ),
                },
              ]}
            />
          </>
        )}
      </Shown>
      <OneExam />
    </section>
  );
}

function NewRule({ made }: { readonly made: () => void }): ReactNode {
  const words = useText(administration).sensitivity;
  const [field, setField] = useState<Field>('requestingDepartment');
  const [code, setCode] = useState('');
  const [label, setLabel] = useState<Label>('psychiatry');
  const [site, setSite] = useState('');
  const add = async (reason: string): Promise<Trouble | null> => {
    const whole = field === 'site';
    const body = { field, code: whole ? site : code.trim(), label, reason, ...(whole || site === '' ? {} : { site }) };
    const trouble = await troubleOf(ask(api.POST('/sensitivity-rules', { body })));
    if (trouble === null) {
      setCode('');
      made();
    }
    return trouble;
  };
  return (
    <section className="ops-box" aria-label={words.add}>
      <div className="ops-filter">
        <Choice
          label={words.label}
          value={label}
          choices={entriesOf(words.labels)}
          onChange={(value) => setLabel(value as Label)}
        />
        <Choice
          label={words.field}
          value={field}
          choices={entriesOf(words.fields)}
          onChange={(value) => setField(value as Field)}
        />
        {field === 'site' ? null : <TextField label={words.code} value={code} onChange={setCode} />}
        <SiteChoice value={site} onChange={setSite} />
      </div>
      <WithReason acts={[{ text: words.add, primary: true, act: add }]} />
    </section>
  );
}

function OneExam(): ReactNode {
  const words = useText(administration).sensitivity;
  const [typed, setTyped] = useState('');
  const [examId, setExamId] = useState('');
  return (
    <section aria-label={words.exam}>
      <h2>{words.exam}</h2>
      <form
        className="ops-filter"
        onSubmit={(event) => {
          event.preventDefault();
          setExamId(typed.trim());
        }}
      >
        <TextField label={words.examId} value={typed} onChange={setTyped} />
        <Button htmlType="submit" disabled={typed.trim() === ''}>
          {words.find}
        </Button>
      </form>
      {examId === '' ? null : <Labels key={examId} examId={examId} />}
    </section>
  );
}

function Labels({ examId }: { readonly examId: string }): ReactNode {
  const words = useText(administration);
  const path = { params: { path: { id: examId } } };
  const asked = useAsked(`labels ${examId}`, (signal) => ask(api.GET('/exams/{id}/labels', { ...path, signal })));
  return (
    <Shown asked={asked}>
      {({ labels }, again) => (
        <div className="ops-box">
          <List
            label={words.sensitivity.exam}
            rows={labels}
            rowKey={(row) => `${row.label} ${row.source}`}
            columns={[
              { title: words.sensitivity.label, render: (_, row) => words.sensitivity.labels[row.label] },
              { title: words.accounts.source, render: (_, row) => words.sensitivity.sources[row.source] },
              { title: words.reason, dataIndex: 'reason', className: 'ops-break' },
              { title: words.at, render: (_, row) => stamp(row.setAt) },
            ]}
          />
          <ByHand
            set={labels.filter(({ source }) => source === 'hand').map(({ label }) => label)}
            save={async (to, reason) => {
              const trouble = await troubleOf(
                ask(api.PUT('/exams/{id}/labels', { ...path, body: { labels: [...to], reason } })),
              );
              if (trouble === null) again();
              return trouble;
            }}
          />
        </div>
      )}
    </Shown>
  );
}

function ByHand(props: {
  readonly set: readonly Label[];
  readonly save: (labels: readonly Label[], reason: string) => Promise<Trouble | null>;
}): ReactNode {
  const words = useText(administration).sensitivity;
  const [labels, setLabels] = useState<readonly Label[]>(props.set);
  return (
    <>
      <Ticks legend={words.sources.hand} choices={entriesOf(words.labels)} ticked={labels} onChange={setLabels} />
      <WithReason acts={[{ text: words.set, primary: true, act: (reason) => props.save(labels, reason) }]} />
    </>
  );
}
