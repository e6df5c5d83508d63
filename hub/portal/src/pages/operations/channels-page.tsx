/** Every site's channels as they are now, and who listens; refreshed by itself. */
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, ask } from '../../api.ts';
import type { Schemas } from '../../api.ts';
import { useText } from '../../language.tsx';
import { operations } from '../../text/operations.ts';
import { millis, stamp } from './format.ts';
import { useLive } from './live.ts';
import { List, LiveShown, SiteChoice, State, useSiteName, useSites } from './parts.tsx';

type Board = Schemas['ChannelBoard'];
type Channel = Board['channels'][number];

const EVERY_MS = 5_000;
const QUIET_MS = 6 * 3_600_000;
const WAITING_LONG_MS = 60_000;

/** The listener that a channel needs; what comes over HTTP is heard by whoever answered this page. */
const LISTENER: Readonly<Record<string, string>> = { hl7v2: 'hl7v2', dicom: 'dicom' };

function stateOf(channel: Channel, board: Board): string {
  const needs = LISTENER[channel.channel];
  const heard = board.listeners.some((one) => needs !== undefined && one.channel.startsWith(needs) && one.listening);
  if (needs !== undefined && !heard) return 'down';
  const now = Date.parse(board.at);
  if (channel.oldestWaitingAt !== null && now - Date.parse(channel.oldestWaitingAt) > WAITING_LONG_MS) return 'waiting';
  if (channel.lastError !== null && now - Date.parse(channel.lastError.at) < 3_600_000) return 'failing';
  return channel.lastMessageAt === null || now - Date.parse(channel.lastMessageAt) > QUIET_MS ? 'quiet' : 'up';
}

export function ChannelsPage(): ReactNode {
  const words = useText(operations);
  const [site, setSite] = useState('');
  const live = useLive(`channels ${site}`, EVERY_MS, () =>
    ask(api.GET('/operations/channels', { params: { query: site === '' ? {} : { site } } })),
  );
  return (
    <section className="ops">
      <div className="ops-head">
        <h1>{words.channels.title}</h1>
        <SiteChoice value={site} onChange={setSite} />
        <Button onClick={live.refresh}>{words.refresh}</Button>
      </div>
      <LiveShown live={live}>{(board) => <BoardShown board={board} site={site} />}</LiveShown>
    </section>
  );
}

/** Channels that a site has by its data and that never said anything are shown as well. */
function withSilent(board: Board, sites: readonly Schemas['Site'][], site: string): Channel[] {
  const silent = sites
    .filter(({ id }) => site === '' || id === site)
    .flatMap(({ id, channels }) => channels.map((channel) => ({ id, channel })))
    .filter(({ id, channel }) => !board.channels.some((one) => one.site === id && one.channel === channel))
    .map(({ id, channel }): Channel => ({
      site: id,
      channel,
      lastMessageAt: null,
      lastError: null,
      lastHour: 0,
      lastDay: 0,
      waiting: 0,
      oldestWaitingAt: null,
      refused: 0,
      review: 0,
      p50Ms: null,
      p95Ms: null,
    }));
  return [...board.channels, ...silent].sort((a, b) => ((a.site ?? '~') < (b.site ?? '~') ? -1 : 1));
}

function BoardShown({ board, site }: { readonly board: Board; readonly site: string }): ReactNode {
  const all = useText(operations);
  const words = all.channels;
  const nameOf = useSiteName();
  const sites = useSites();
  return (
    <>
      <h2>{words.listeners}</h2>
      <ul className="ops-listeners" aria-label={words.listeners}>
        {board.listeners.length === 0 ? <li>{words.noListeners}</li> : null}
        {board.listeners.map((one) => (
          <li key={`${one.process} ${one.channel}`}>
            <strong>{one.channel}</strong> {one.listening ? words.listening : words.notListening},{' '}
            {words.port(one.address)}, {words.connections(one.connections)} <span className="fine">{one.process}</span>
          </li>
        ))}
      </ul>
      <List
        label={words.title}
        rows={withSilent(board, sites, site)}
        rowKey={(row) => `${row.site ?? ''} ${row.channel}`}
        columns={[
          { title: all.site, render: (_, row) => nameOf(row.site) },
          { title: all.channel, dataIndex: 'channel' },
          { title: words.state, render: (_, row) => <State state={stateOf(row, board)} words={words.states} /> },
          { title: words.lastMessage, render: (_, row) => stamp(row.lastMessageAt) || words.never },
          { title: words.lastHour, dataIndex: 'lastHour', align: 'right' },
          { title: words.lastDay, dataIndex: 'lastDay', align: 'right' },
          { title: words.waiting, dataIndex: 'waiting', align: 'right' },
          { title: words.refused, dataIndex: 'refused', align: 'right' },
          { title: words.review, dataIndex: 'review', align: 'right' },
          { title: words.latency, align: 'right', render: (_, row) => `${millis(row.p50Ms)} / ${millis(row.p95Ms)}` },
          {
            title: words.lastError,
            render: (_, row) => (row.lastError === null ? '' : `${stamp(row.lastError.at)} ${row.lastError.cause}`),
          },
          {
            title: '',
            render: (_, row) => (
              <Link
                to={`/operations/messages?${new URLSearchParams({ site: row.site ?? '', channel: row.channel }).toString()}`}
              >
                {all.open}
              </Link>
            ),
          },
        ]}
      />
      <p className="fine">{all.asOf(stamp(board.at))}</p>
    </>
  );
}
