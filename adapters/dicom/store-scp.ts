/**
 * C-STORE as provider (PS3.4 Annex B, PS3.7 §9.1.1): the data set's bytes go to the instance sink as they arrive, and
 * the sender hears "success" only when the sink says that the instance is durable.
 */
import { lenientUid } from '../../hub/core/identifier.ts';
import { Failure, problem } from '../../hub/core/problem.ts';
import type { Problem } from '../../hub/core/problem.ts';
import type { InstanceArrival, InstanceIntake, InstanceSink, Log } from '../../hub/core/ports.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import type { Association, DataReceiver, Request } from './association.ts';
import { responseTo } from './command.ts';
import { STATUS, storeFailure } from './status.ts';

export interface StoreContext {
  readonly association: Association;
  readonly sink: InstanceSink;
  readonly site: SiteProfile;
  readonly callingAe: string;
  readonly peer: string;
  readonly log: Log;
  readonly counted: (outcome: 'received' | 'refused') => void;
  /** Puts the study into the audit, once an association; resolves when that is durable. */
  readonly recorded: (studyUid: string) => Promise<void>;
}

export async function serveStore(request: Request, at: StoreContext): Promise<DataReceiver | null> {
  const { command, context } = request;
  const [sopClass, sopUid, transferSyntax] = [
    lenientUid(command.affectedSopClass ?? ''),
    lenientUid(command.affectedSopInstance ?? ''),
    lenientUid(context.transferSyntax),
  ];
  const from = { channel: 'dicom', site: at.site.id, sender: at.callingAe, peer: at.peer } as const;
  if (!request.hasDataSet) {
    const why = problem('required-missing', undefined, 'A C-STORE request needs a data set.');
    await at.sink.refuse(from, NOTHING, why);
    await answer(request, at, why);
    return null;
  }
  if (!sopClass || !sopUid || !transferSyntax) {
    const text = 'Affected SOP Class and Instance UID must be UIDs.';
    return refusing(request, at, from, problem('invalid-value', sopClass ? '(0000,1000)' : '(0000,0002)', text));
  }
  if (sopClass !== context.abstractSyntax || !context.scp) {
    const text = 'The SOP class is not that of the presentation context.';
    return refusing(request, at, from, problem('unsupported-message', '(0000,0002)', text));
  }
  try {
    const intake = await at.sink.begin({
      ...from,
      announced: { sopClass, sopUid, transferSyntax, callingAe: at.callingAe },
    });
    return receiving(request, at, intake);
  } catch (cause) {
    at.log.error({ cause }, 'an instance could not be begun');
    return refusing(request, at, from, cause instanceof Failure ? cause.problem : problem('unavailable'));
  }
}

const NOTHING = Buffer.alloc(0);
/** Of a data set that passes by: enough to tell what it was. */
const HEAD_BYTES = 8192;

/** Lets the data set pass by and then says why it was not taken: a sender that was cut off would only try again. */
function refusing(request: Request, at: StoreContext, from: InstanceArrival, why: Problem): DataReceiver {
  let head = NOTHING;
  return {
    data(chunk) {
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES - head.length)]);
    },
    async end() {
      await at.sink.refuse(from, head, why);
      await answer(request, at, why);
    },
    abort: () => undefined,
  };
}

function receiving(request: Request, at: StoreContext, intake: InstanceIntake): DataReceiver {
  let failed: Problem | null = null;
  const fail = (cause: unknown): void => {
    at.log.error({ cause }, 'an instance could not be written');
    failed ??= problem('unavailable');
  };
  const abandon = (reason: string): Promise<void> =>
    intake.abort(reason).catch((cause: unknown) => at.log.error({ cause }, 'an instance could not be abandoned'));
  return {
    async data(chunk) {
      if (failed) return;
      try {
        await intake.write(chunk);
      } catch (cause) {
        fail(cause);
      }
    },
    async end() {
      if (failed) {
        await abandon('writing failed');
        return answer(request, at, failed);
      }
      try {
        const outcome = await intake.finish();
        if (outcome.ok) await at.recorded(outcome.studyUid);
        await answer(request, at, outcome.ok ? null : outcome.problem);
      } catch (cause) {
        if (at.association.ended) return;
        at.log.error({ cause }, 'an instance could not be finished');
        await answer(request, at, problem('unavailable'));
      }
    },
    abort: (reason) => void abandon(reason),
  };
}

async function answer(request: Request, at: StoreContext, why: Problem | null): Promise<void> {
  at.counted(why ? 'refused' : 'received');
  const { command, context } = request;
  const named = command.affectedSopInstance === undefined ? {} : { affectedSopInstance: command.affectedSopInstance };
  const outcome = why ? storeFailure(why) : { status: STATUS.success };
  if (at.association.ended) return;
  await at.association.send(context, responseTo(command, outcome.status, { ...outcome, ...named }));
}
