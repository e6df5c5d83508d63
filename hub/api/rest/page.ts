/** A page as the contract's queries ask for it. */
import type { PageRequest } from '../../core/operation.ts';

interface PageQuery {
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
}

export const pageOf = (query: PageQuery, usual = 50): PageRequest => ({
  limit: query.limit ?? usual,
  ...(query.after === undefined ? {} : { after: query.after }),
});
