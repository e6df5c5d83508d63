/** Acts that open something for a reader: a consent code, an emergency, the viewer. */
import { request } from '../../api.ts';
import type { Answer } from '../../api.ts';

export const EMERGENCY_REASONS = [
  'life-threatening',
  'unconscious',
  'urgent-surgery',
  'relation-not-recorded',
  'public-health',
  'other',
] as const;
export type EmergencyReason = (typeof EMERGENCY_REASONS)[number];

export const breakGlass = (body: {
  readonly personId: string;
  readonly reason: EmergencyReason;
  readonly text: string;
  readonly hours: number;
}): Promise<Answer<unknown>> => request('POST', '/break-glass', body);

export const redeemCode = (personId: string, code: string): Promise<Answer<unknown>> =>
  request('POST', '/present-codes/redeem', { personId, code });

/** A path of the hub that opens the viewer at this exam, once. */
export async function launchViewer(examId: string): Promise<Answer<string>> {
  const answer = await request<{ readonly url: string }>('POST', '/viewer-launches', { examId });
  if (!answer.ok) return answer;
  const { url } = answer.value;
  // Only ever a path of the hub's own.
  return { ok: true, value: /^\/(?![/\\])/.test(url) ? url : '/' };
}
