/** What the REST face tells of how the intake goes: channels now, figures over time, completeness by hospital. */
import type { FigureRange, IntakeFigures } from '../../core/intake-figures.ts';
import { problem } from '../../core/problem.ts';
import type { Caller } from '../../core/access.ts';
import type { Handlers, Refused } from './operation.ts';
import { asked, FOREIGN, ownSite } from './scope.ts';

export interface FigureDeps {
  readonly figures: IntakeFigures;
  readonly clock: () => Date;
}

type FigureHandlers = Pick<Handlers, 'readChannels' | 'readIntake' | 'readCompleteness'>;

const MOST_DAYS = 92;

export function figureHandlers({ figures, clock }: FigureDeps): FigureHandlers {
  return {
    readChannels: async ({ query, caller }) => {
      const own = ownSite(caller, query);
      if (own === null) return FOREIGN;
      const [listeners, channels] = await Promise.all([figures.listeners(), figures.channels(own.site)]);
      return { status: 200, body: { at: clock().toISOString(), listeners: [...listeners], channels: [...channels] } };
    },
    readIntake: async ({ query, caller }) => {
      const range = rangeOf(query, caller);
      return 'problem' in range ? range : { status: 200, body: structuredClone(await figures.intake(range)) };
    },
    readCompleteness: async ({ query, caller }) => {
      const range = rangeOf(query, caller);
      return 'problem' in range ? range : { status: 200, body: structuredClone(await figures.completeness(range)) };
    },
  };
}

function rangeOf(
  query: { from: string; to: string; site?: string | undefined },
  caller: Caller,
): FigureRange | Refused {
  const own = ownSite(caller, query);
  if (own === null) return FOREIGN;
  const range = asked<FigureRange>(own);
  const days = (Date.parse(range.to) - Date.parse(range.from)) / 86_400_000;
  if (!(days > 0 && days <= MOST_DAYS))
    return {
      problem: problem('invalid-value', 'query/to', `to must be after from, by ${String(MOST_DAYS)} days at most.`),
    };
  return range;
}
