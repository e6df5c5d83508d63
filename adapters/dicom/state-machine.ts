/**
 * The upper layer protocol state machine of PS3.8 §9.2 as data: Table 9-10 cell by cell, so that it can be compared
 * with the standard and tested as a whole. A missing cell cannot happen or is a fault of the caller.
 */

/** PS3.8 §9.2.1, Tables 9-1 to 9-5. */
export type State = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13;

export type Event =
  | 'associate-request' // Evt 1
  | 'transport-confirm' // Evt 2
  | 'associate-ac' // Evt 3
  | 'associate-rj' // Evt 4
  | 'transport-indication' // Evt 5
  | 'associate-rq' // Evt 6
  | 'associate-accept' // Evt 7
  | 'associate-reject' // Evt 8
  | 'data-request' // Evt 9
  | 'data' // Evt 10
  | 'release-request' // Evt 11
  | 'release-rq' // Evt 12
  | 'release-rp' // Evt 13
  | 'release-response' // Evt 14
  | 'abort-request' // Evt 15
  | 'abort' // Evt 16
  | 'transport-closed' // Evt 17
  | 'artim-expired' // Evt 18
  | 'invalid'; // Evt 19

/** PS3.8 Tables 9-6 to 9-9. */
export type Action =
  | 'AE-1'
  | 'AE-2'
  | 'AE-3'
  | 'AE-4'
  | 'AE-5'
  | 'AE-6'
  | 'AE-7'
  | 'AE-8'
  | 'DT-1'
  | 'DT-2'
  | 'AR-1'
  | 'AR-2'
  | 'AR-3'
  | 'AR-4'
  | 'AR-5'
  | 'AR-6'
  | 'AR-7'
  | 'AR-8'
  | 'AR-9'
  | 'AR-10'
  | 'AA-1'
  | 'AA-2'
  | 'AA-3'
  | 'AA-4'
  | 'AA-5'
  | 'AA-6'
  | 'AA-7'
  | 'AA-8';

type Row = Readonly<Partial<Record<State, Action>>>;

const over = (states: readonly State[], action: Action): Row => Object.fromEntries(states.map((s) => [s, action]));
/** Established, releasing or waiting for an answer: where an unexpected PDU is answered with an A-ABORT. */
const OPEN: readonly State[] = [3, 5, 6, 7, 8, 9, 10, 11, 12];

/** PS3.8 Table 9-10. */
export const TRANSITIONS: Readonly<Record<Event, Row>> = {
  'associate-request': { 1: 'AE-1' },
  'transport-confirm': { 4: 'AE-2' },
  'associate-ac': { ...over(OPEN, 'AA-8'), 2: 'AA-1', 5: 'AE-3', 13: 'AA-6' },
  'associate-rj': { ...over(OPEN, 'AA-8'), 2: 'AA-1', 5: 'AE-4', 13: 'AA-6' },
  'transport-indication': { 1: 'AE-5' },
  'associate-rq': { ...over(OPEN, 'AA-8'), 2: 'AE-6', 13: 'AA-7' },
  'associate-accept': { 3: 'AE-7' },
  'associate-reject': { 3: 'AE-8' },
  'data-request': { 6: 'DT-1', 8: 'AR-7' },
  data: { ...over(OPEN, 'AA-8'), 2: 'AA-1', 6: 'DT-2', 7: 'AR-6', 13: 'AA-6' },
  'release-request': { 6: 'AR-1' },
  'release-rq': { ...over(OPEN, 'AA-8'), 2: 'AA-1', 6: 'AR-2', 7: 'AR-8', 13: 'AA-6' },
  'release-rp': { ...over(OPEN, 'AA-8'), 2: 'AA-1', 7: 'AR-3', 10: 'AR-10', 11: 'AR-3', 13: 'AA-6' },
  'release-response': { 8: 'AR-4', 9: 'AR-9', 12: 'AR-4' },
  'abort-request': { ...over(OPEN, 'AA-1'), 4: 'AA-2' },
  abort: { ...over(OPEN, 'AA-3'), 2: 'AA-2', 13: 'AA-2' },
  'transport-closed': { ...over(OPEN, 'AA-4'), 2: 'AA-5', 4: 'AA-4', 13: 'AR-5' },
  'artim-expired': { 2: 'AA-2', 13: 'AA-2' },
  invalid: { ...over(OPEN, 'AA-8'), 2: 'AA-1', 13: 'AA-7' },
};

/** State after each action; AR-8 depends on who requested the association (9) or accepted it (10). */
export const NEXT: Readonly<Record<Exclude<Action, 'AR-8'>, State>> = {
  'AE-1': 4,
  'AE-2': 5,
  'AE-3': 6,
  'AE-4': 1,
  'AE-5': 2,
  'AE-6': 3,
  'AE-7': 6,
  'AE-8': 13,
  'DT-1': 6,
  'DT-2': 6,
  'AR-1': 7,
  'AR-2': 8,
  'AR-3': 1,
  'AR-4': 13,
  'AR-5': 1,
  'AR-6': 7,
  'AR-7': 8,
  'AR-9': 11,
  'AR-10': 12,
  'AA-1': 13,
  'AA-2': 1,
  'AA-3': 1,
  'AA-4': 1,
  'AA-5': 1,
  'AA-6': 13,
  'AA-7': 13,
  'AA-8': 13,
};

export type Side = 'requestor' | 'acceptor';

/** The cell of the table, or null where it is empty. */
export function step(state: State, event: Event, side: Side): { readonly action: Action; readonly next: State } | null {
  const action = TRANSITIONS[event][state];
  if (action === undefined) return null;
  if (action === 'AR-8') return { action, next: side === 'requestor' ? 9 : 10 };
  return { action, next: NEXT[action] };
}
