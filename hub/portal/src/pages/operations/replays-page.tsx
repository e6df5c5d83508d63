/** Retries and replays of many, with their progress; refreshed by itself. */
import { Button, Progress } from 'antd';
import type { ReactNode } from 'react';
import { api, ask } from '../../api.ts';
import type { Schemas } from '../../api.ts';
import { useText } from '../../language.tsx';
import { operations } from '../../text/operations.ts';
import { stamp } from './format.ts';
import { useLive } from './live.ts';
import { List, LiveShown, State } from './parts.tsx';

type Replay = Schemas['Replay'];

const passed = ({ total, left, waiting }: Replay): number => Math.round((100 * (total - left - waiting)) / total);

export function ReplaysPage(): ReactNode {
  const words = useText(operations);
  const live = useLive('replays', 2_000, () => ask(api.GET('/replays', { params: { query: { limit: 50 } } })));
  const stop = async (id: string): Promise<void> => {
    await ask(api.POST('/replays/{id}/cancel', { params: { path: { id } } }));
    live.refresh();
  };
  return (
    <section className="ops">
      <h1>{words.replays.title}</h1>
      <LiveShown live={live}>
        {({ items }) => (
          <List
            label={words.replays.title}
            rows={items}
            rowKey={(row) => row.workId}
            columns={[
              { title: words.replays.startedAt, render: (_, row) => stamp(row.startedAt) },
              { title: '', render: (_, row) => words.replays.kinds[row.kind] },
              { title: words.reason, dataIndex: 'reason', className: 'ops-break' },
              { title: words.replays.startedBy, dataIndex: 'startedBy' },
              {
                title: words.messages.state,
                render: (_, row) => <State state={row.state} words={words.replays.states} />,
              },
              {
                title: words.replays.progress,
                render: (_, row) => (
                  <>
                    <Progress percent={passed(row)} size="small" aria-label={words.replays.progress} />
                    <span className="fine">
                      {words.total(row.total)} · {words.replays.outcome(row.applied, row.review, row.skipped)}
                    </span>
                  </>
                ),
              },
              {
                title: '',
                render: (_, row) =>
                  row.state === 'running' ? (
                    <Button size="small" onClick={() => void stop(row.workId)}>
                      {words.replays.stop}
                    </Button>
                  ) : null,
              },
            ]}
          />
        )}
      </LiveShown>
    </section>
  );
}
