/** Anchors of the audit to a service elsewhere by HTTP POST, one by one: JSON of number, statement and signature. */
import type { Anchor } from '../../hub/core/audit-anchor.ts';

const TIMEOUT_MS = 15_000;

/** Resolves when the service said that it has it. */
export async function postAnchor(url: string, anchor: Anchor): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(anchor),
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`the service for anchors answers ${String(answer.status)}`);
}
