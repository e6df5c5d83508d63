/** Order groups (ORC, OBR and what follows them) and the keys by which a hospital names an exam (WIRE §11). */
import { lenientUid, type Uid } from '../../hub/core/identifier.ts';
import type { ExamKeys } from '../../hub/core/record.ts';
import type { Context } from './context.ts';
import { present } from './context.ts';
import type { Message, Segment } from './message.ts';

export interface Group {
  readonly orc: Segment | undefined;
  readonly obr: Segment | undefined;
  /** All segments after OBR (or ORC) up to the next group. */
  readonly rest: readonly Segment[];
}

/** Segments that belong to the message or to all its groups, wherever they stand. */
const COMMON = new Set(['MSH', 'EVN', 'PID', 'PD1', 'PV1', 'PV2', 'ZDS', 'SFT', 'UAC', 'DSC', 'TXA', 'SCH']);

/** Every OBR begins a group; one without an ORC of its own shares the last one (ORU with one ORC, many OBR). */
export function groupsOf(message: Message): readonly Group[] {
  const groups: { orc: Segment | undefined; obr: Segment | undefined; rest: Segment[] }[] = [];
  let orc: Segment | undefined;
  let open: (typeof groups)[number] | undefined;
  for (const segment of message.segments) {
    if (segment.name === 'ORC') {
      orc = segment;
      open = { orc, obr: undefined, rest: [] };
      groups.push(open);
    } else if (segment.name === 'OBR') {
      if (open === undefined || open.obr !== undefined) {
        open = { orc, obr: segment, rest: [] };
        groups.push(open);
      } else open.obr = segment;
    } else if (!COMMON.has(segment.name)) open?.rest.push(segment);
  }
  return groups;
}

const MAX_KEY = 128;

function key(context: Context, candidates: readonly (readonly [Segment | undefined, number])[]): string | undefined {
  for (const [segment, field] of candidates) {
    const value = segment?.text(field) ?? '';
    if (value === '') continue;
    if (value.length <= MAX_KEY) return value;
    context.find(
      'invalid-value',
      `${segment?.name ?? ''}-${String(field)}`,
      'longer than a number of an order can be; left out',
    );
  }
  return undefined;
}

/** OBX-3 of the Study Instance UID (RAD TF-2 4.28: 113014 DCM), also as (0020,000D) or by its name. */
export function isStudyUid(obx: Segment): boolean {
  const code = obx.field(3);
  return (
    code.text(1) === '113014' ||
    code.text(1) === '0020000D' ||
    /^study instance uid$/i.test(code.text(2) || code.text(1))
  );
}

function uid(context: Context, segment: Segment | undefined, field: number): Uid | undefined {
  const text = segment?.text(field) ?? '';
  if (segment === undefined || text === '') return undefined;
  const parsed = lenientUid(text);
  if (parsed === null)
    context.find('invalid-value', `${segment.name}-${String(field)}`, 'this is no UID; it was left out');
  return parsed ?? undefined;
}

/** A Study Instance UID for one group: its IPC or OBX, else a ZDS. */
function studyUid(
  group: Group,
  zds: readonly Segment[],
  at: number,
  groups: number,
  context: Context,
): Uid | undefined {
  const ipc = group.rest.find((segment) => segment.name === 'IPC' && segment.text(3) !== '');
  const obx = group.rest.find((segment) => segment.name === 'OBX' && isStudyUid(segment) && segment.text(5) !== '');
  const own = uid(context, ipc, 3) ?? uid(context, obx, 5);
  // One ZDS says that all groups are steps of one study (RAD TF-2 4.4.4.1.2.6); else each group has its own, in order.
  return own ?? uid(context, zds.length === groups ? zds[at] : zds.length === 1 ? zds[0] : undefined, 1);
}

export function keysOf(group: Group, at: number, groups: number, context: Context): ExamKeys {
  const { orc, obr } = group;
  const ipc = group.rest.find((segment) => segment.name === 'IPC');
  return present({
    placer: key(context, [
      [obr, 2],
      [orc, 2],
    ]),
    filler: key(context, [
      [obr, 3],
      [orc, 3],
    ]),
    accession: key(context, [
      [ipc, 1],
      [obr, 18],
    ]),
    studyUid: studyUid(group, context.message.all('ZDS'), at, groups, context),
  });
}

export const hasOrderKey = (keys: ExamKeys): boolean =>
  keys.placer !== undefined || keys.filler !== undefined || keys.accession !== undefined;
