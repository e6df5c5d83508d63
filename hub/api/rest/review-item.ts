/** A review as the contract shows it: it says itself how it is tried again. */
import type { components } from '../../../openapi/generated/hub.ts';
import type { ReviewItem } from '../../core/operation.ts';

export const reviewOf = (item: ReviewItem): components['schemas']['Review'] => ({
  ...item,
  findings: [...item.findings],
  records: [...item.records],
  persons: [...item.persons],
  retry: item.state === 'open' ? `/api/v1/reviews/${item.reviewId}/retry` : null,
});
