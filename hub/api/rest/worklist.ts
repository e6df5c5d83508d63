/** What waits for a person: flags of accounts for the security administration, what the account's holder says, and counts. */
import { decide, type Caller } from '../../core/access.ts';
import type { AccountFlag, AccountFlagDesk, WorklistReader } from '../../core/account-flag.ts';
import type { components } from '../../../openapi/generated/hub.ts';
import type { Disclosure, Handlers } from './operation.ts';
import { pageOf } from './page.ts';

export interface WorklistDeps {
  readonly accountFlags: AccountFlagDesk;
  readonly worklist: WorklistReader;
}

type Listing = Pick<
  Handlers,
  'listAccountFlags' | 'closeAccountFlag' | 'listOwnFlags' | 'explainFlag' | 'readWorklist'
>;

const accountOf = (caller: Caller): string => caller.user?.accountId ?? caller.id;

const disclosed = (action: Disclosure['action'], flags: readonly AccountFlag[], reason?: string): Disclosure => ({
  action,
  persons: [],
  objects: flags.map(({ flagId }) => `account-flag/${flagId}`),
  ...(reason === undefined ? {} : { reason }),
});

/** What the account's holder is told: not who of the auditors looks, nor where. */
const ownOf = (flag: AccountFlag): components['schemas']['OwnFlag'] => {
  const { flagId, rule, severity, reaction, at, note, explanation, closed } = flag;
  return { flagId, rule, severity, reaction, at, note, explanation, closed };
};

export function worklistHandlers({ accountFlags, worklist }: WorklistDeps): Listing {
  return {
    listAccountFlags: async ({ query: { state, ...page } }) => {
      const filter = state === undefined ? {} : { open: state === 'open' };
      const { items, next } = await accountFlags.list(filter, pageOf(page));
      return { status: 200, body: { items: [...items], next }, disclosure: disclosed('search', items) };
    },
    closeAccountFlag: async ({ path, body, caller }) => {
      const closed = await accountFlags.close(path.id, { id: caller.id, accountId: accountOf(caller) }, body.note);
      if (!closed.ok) return { problem: closed.problem };
      return { status: 200, body: closed.value, disclosure: disclosed('administer', [closed.value], 'closed') };
    },
    listOwnFlags: async ({ query, caller }) => {
      const { items, next } = await accountFlags.list({ accountId: accountOf(caller) }, pageOf(query));
      return { status: 200, body: { items: items.map(ownOf), next }, disclosure: disclosed('search', items) };
    },
    explainFlag: async ({ path, body, caller }) => {
      const explained = await accountFlags.explain(path.id, accountOf(caller), body.text.trim());
      if (!explained.ok) return { problem: explained.problem };
      return {
        status: 200,
        body: ownOf(explained.value),
        disclosure: disclosed('change', [explained.value], 'explained'),
      };
    },
    readWorklist: async ({ caller }) => {
      const may = (kind: 'set-policy' | 'examine-audit' | 'review-access' | 'administer-people' | 'approve'): boolean =>
        decide(caller, { kind }).allowed;
      const rights = { policy: may('set-policy'), audit: may('examine-audit'), reviews: may('review-access') };
      const rest = { people: may('administer-people'), approve: may('approve') };
      return { status: 200, body: await worklist(accountOf(caller), { ...rights, ...rest }) };
    },
  };
}
