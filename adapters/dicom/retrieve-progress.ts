/** How far a C-MOVE or C-GET is: counts its sub-operations, tells the requester after each, and sums up at the end. */
import type { InstanceLocated } from '../../hub/core/ports.ts';
import { EXPLICIT_LE } from '../../mappings/dicom/uids.ts';
import { writeDataSet } from '../../mappings/dicom/write.ts';
import type { Request } from './association.ts';
import { responseTo } from './command.ts';
import type { Command } from './command.ts';
import type { QueryContext } from './query-context.ts';
import { STATUS } from './status.ts';
import type { SubOutcome } from './sub-operation.ts';

/** PS3.4 §C.4.2.1.6 to §C.4.2.1.9, and the same of C-GET. */
export class Progress {
  readonly #request: Request;
  readonly #at: QueryContext;
  readonly #failures: string[] = [];
  readonly #away: number;
  #remaining: number;
  #completed = 0;
  #warning = 0;

  /** `away`: studies of which not even the instances are known now; each counts as one failed sub-operation. */
  constructor(request: Request, at: QueryContext, instances: readonly InstanceLocated[], away: number) {
    this.#request = request;
    this.#at = at;
    this.#remaining = instances.length;
    this.#away = away;
  }

  get messageId(): number {
    return this.#request.command.messageId ?? 0;
  }

  async took(located: InstanceLocated, outcome: SubOutcome): Promise<void> {
    this.#remaining--;
    // PS3.4 Table B.2-1: Bxxx are warnings, the instance was stored.
    if (outcome.status === STATUS.success) this.#completed++;
    else if (outcome.status !== null && outcome.status >>> 12 === 0xb) this.#warning++;
    else {
      this.#failures.push(located.instance.sopUid);
      this.#at.log.warn({ status: outcome.status, reason: outcome.text }, 'an instance was not taken');
    }
    // The final response tells the end; a pending one with nothing left would say it twice.
    if (this.#remaining > 0) await answer(this.#request, this.#at, { status: STATUS.pending, ...this.#counts() });
  }

  #counts(): { remaining: number; completed: number; failed: number; warning: number } {
    return {
      remaining: this.#remaining,
      completed: this.#completed,
      failed: this.#failures.length + this.#away,
      warning: this.#warning,
    };
  }

  async finish(): Promise<void> {
    const { remaining, ...done } = this.#counts();
    const cancelled = this.#remaining > 0;
    const none = this.#completed + this.#warning === 0 && this.#failures.length > 0;
    const some = done.failed > 0 || this.#warning > 0;
    const status = cancelled
      ? STATUS.cancelled
      : none
        ? STATUS.unableToPerformSubOperations
        : some
          ? STATUS.subOperationsFailed
          : STATUS.success;
    // PS3.4 §C.4.2.1.4.2: which instances, where any failed.
    const explicit = this.#request.context.transferSyntax === EXPLICIT_LE;
    const failures =
      this.#failures.length > 0 ? writeDataSet({ FailedSOPInstanceUIDList: this.#failures }, { explicit }) : null;
    const counts = cancelled ? { remaining, ...done } : done;
    await answer(this.#request, this.#at, { status, ...counts }, failures);
  }
}

export async function answer(
  request: Request,
  at: QueryContext,
  outcome: Partial<Command> & { readonly status: number },
  dataSet: Buffer | null = null,
): Promise<void> {
  if (at.association.ended) return;
  const more = dataSet ? { ...outcome, dataSetType: 0 } : outcome;
  await at.association.send(request.context, responseTo(request.command, outcome.status, more), dataSet);
}
