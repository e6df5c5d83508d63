/**
 * C-MOVE and C-GET as provider (PS3.4 §C.4.2, §C.4.3): finds the instances that the caller may have, records the
 * export before a byte leaves, and sends each as it is stored, telling the requester how far it is.
 */
import type { DicomMatch, InstanceLocated, StudyLocated } from '../../hub/core/ports.ts';
import { Failure, fail, ok, problem } from '../../hub/core/problem.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import { associate } from './associate.ts';
import type { Node, OpenAssociation } from './associate.ts';
import type { Association, Request } from './association.ts';
import { audited, seesAll } from './query-context.ts';
import type { QueryContext } from './query-context.ts';
import { readIdentifier } from './query-identifier.ts';
import type { Identifier } from './query-identifier.ts';
import { Progress, answer } from './retrieve-progress.ts';
import { batches, storeContexts } from './scu.ts';
import type { QueryModel } from './sop-classes.ts';
import { STATUS, queryFailure } from './status.ts';
import { sendInstance } from './sub-operation.ts';
import type { SubOperations, SubOutcome } from './sub-operation.ts';
import { ConnectionEnded } from './upper-layer.ts';

export async function serveRetrieve(
  request: Request,
  model: QueryModel,
  bytes: Buffer,
  at: QueryContext,
): Promise<void> {
  const { command, context } = request;
  const asked = readIdentifier(bytes, context.transferSyntax, model.root);
  if (!asked.ok) return answer(request, at, queryFailure(asked.problem));
  const destination = model.verb === 'move' ? nodeOf(command.moveDestination ?? '', at) : null;
  if (model.verb === 'move' && !destination) {
    const errorComment = 'The move destination is not a registered node';
    return answer(request, at, { status: STATUS.moveDestinationUnknown, errorComment, offendingElement: [0x00000600] });
  }
  const found = await locate(asked.value, at);
  if (!found.ok) return answer(request, at, queryFailure(found.problem));
  const { instances, away } = found.value;
  await audited(at, {
    action: 'export',
    outcome: 'success',
    operation: `C-${model.verb.toUpperCase()} ${asked.value.level}${destination ? ` to ${destination.aeTitle}` : ''}`,
    persons: [...new Set(instances.map((one) => one.personId))],
    objects: [...new Set(instances.map((one) => one.study.studyUid))],
  });
  const progress = new Progress(request, at, instances, away);
  if (destination) await sendTo(destination, instances, progress, at);
  else await sendAll(at.association, instances, progress, at, subOperations(at));
  return progress.finish();
}

/** Its own hospital's nodes; those of others only for a caller that may see all. */
function nodeOf(aeTitle: string, at: QueryContext): Node | null {
  const own = at.site.dicom.nodes.find((node) => node.aeTitle === aeTitle);
  if (own) return own;
  if (!seesAll(at.site)) return null;
  return at.sites.all.flatMap((site) => site.dicom.nodes).find((node) => node.aeTitle === aeTitle) ?? null;
}

function subOperations(at: QueryContext, originator?: SubOperations['originator']): SubOperations {
  return {
    images: at.images,
    ...(at.transcode ? { transcode: at.transcode } : {}),
    ...(originator ? { originator } : {}),
  };
}

const list = (value: string | readonly string[] | undefined): readonly string[] | null =>
  value === undefined ? null : typeof value === 'string' ? [value] : value;

interface Located {
  readonly instances: readonly InstanceLocated[];
  /** Studies whose hospital does not give its images now. */
  readonly away: number;
}

/** The instances that the identifier names (PS3.4 §C.4.2.2.1: unique keys only) and the caller may have. */
async function locate(asked: Identifier, at: QueryContext): Promise<Result<Located>> {
  const studies = await studyUids(asked, at);
  if (!studies.ok) return studies;
  const series = asked.level === 'SERIES' || asked.level === 'IMAGE' ? list(asked.match.SeriesInstanceUID) : null;
  const sops = asked.level === 'IMAGE' ? list(asked.match.SOPInstanceUID) : null;
  const instances: InstanceLocated[] = [];
  const problems: Problem[] = [];
  for (const uid of studies.value) {
    // The right first: a study that its hospital keeps is fetched for those only who may have it.
    const known = await at.reader.study(uid);
    if (!known || !(await mayHave(known, asked, at))) continue;
    const located = await withInstances(uid, at);
    if (located.ok) instances.push(...instancesOf(located.value, series, sops));
    else problems.push(located.problem);
    if (instances.length > at.limits.retrieved) {
      const text = `More than ${String(at.limits.retrieved)} instances; retrieve fewer studies at once.`;
      return fail(problem('limit-exceeded', undefined, text));
    }
  }
  const [first] = problems;
  return instances.length === 0 && first ? fail(first) : ok({ instances, away: problems.length });
}

function instancesOf(
  located: StudyLocated | null,
  series: readonly string[] | null,
  sops: readonly string[] | null,
): InstanceLocated[] {
  if (!located) return [];
  const chosen = located.study.series.filter(({ seriesUid }) => !series || series.includes(seriesUid));
  return chosen.flatMap((one) =>
    one.instances
      .filter(({ sopUid }) => !sops || sops.includes(sopUid))
      .map((instance) => ({ ...located, series: one, instance })),
  );
}

async function withInstances(studyUid: string, at: QueryContext): Promise<Result<StudyLocated | null>> {
  try {
    return ok(await at.reader.study(studyUid, { instances: true }));
  } catch (cause) {
    if (cause instanceof Failure) return fail(cause.problem);
    throw cause;
  }
}

/** Another hospital's study is not there for this caller; that it was asked for is recorded. */
async function mayHave(located: StudyLocated, asked: Identifier, at: QueryContext): Promise<boolean> {
  if (seesAll(at.site) || located.study.site === at.site.id) return true;
  await audited(at, {
    action: 'refuse',
    outcome: 'refused',
    operation: `retrieve ${asked.level}`,
    persons: [located.personId],
    objects: [located.study.studyUid],
    reason: 'the study belongs to another site',
  });
  return false;
}

async function studyUids(asked: Identifier, at: QueryContext): Promise<Result<readonly string[]>> {
  const given = list(asked.match.StudyInstanceUID);
  if (given && asked.level !== 'PATIENT') return ok([...new Set(given)]);
  const keys = asked.level === 'PATIENT' ? ['PatientID'] : ['SeriesInstanceUID', 'SOPInstanceUID'];
  const match = Object.fromEntries(Object.entries(asked.match).filter(([key]) => keys.includes(key)));
  if (Object.keys(match).length === 0) {
    const where = asked.level === 'PATIENT' ? '(0010,0020)' : '(0020,000D)';
    return fail(problem('required-missing', where, `A retrieve at level ${asked.level} needs its unique key.`));
  }
  // PS3.4 §C.4.2.2.1: no wildcard in a retrieve: it would mean whatever the index happens to hold.
  if (Object.values(match).some((value) => /[*?]/.test(String(value)))) {
    return fail(problem('invalid-value', undefined, 'A retrieve takes no wildcard.'));
  }
  const own = seesAll(at.site) ? {} : { InstitutionSite: at.site.id };
  const level = asked.level === 'PATIENT' ? 'STUDY' : asked.level;
  const limit = at.limits.matches;
  const found = await at.index.find({ level, match: { ...match, ...own }, fuzzy: false, limit, offset: 0 });
  return ok([...new Set(found.flatMap(({ studyUid }: DicomMatch) => (studyUid === null ? [] : [studyUid])))]);
}

async function sendTo(
  node: Node,
  instances: readonly InstanceLocated[],
  progress: Progress,
  at: QueryContext,
): Promise<void> {
  const files = instances.map((located) => ({
    located,
    sopClass: located.instance.sopClass,
    transferSyntax: located.instance.transferSyntax,
  }));
  const originator = { aeTitle: at.callingAe, messageId: progress.messageId };
  for (const part of batches(files)) {
    if (at.cancelled.aborted) return;
    const contexts = storeContexts(part);
    const opened = await associate({ node, callingAe: at.aeTitle, contexts, limits: at.limits });
    if (!opened.ok) {
      for (const { located } of part) await progress.took(located, { status: null, text: opened.problem.text });
      continue;
    }
    await sendPart(opened.value, part, progress, at, originator);
  }
}

async function sendPart(
  open: OpenAssociation,
  part: readonly { readonly located: InstanceLocated }[],
  progress: Progress,
  at: QueryContext,
  originator: { readonly aeTitle: string; readonly messageId: number },
): Promise<void> {
  const instances = part.map((file) => file.located);
  await sendAll(open.association, instances, progress, at, subOperations(at, originator));
  await open.release();
}

async function sendAll(
  association: Association,
  instances: readonly InstanceLocated[],
  progress: Progress,
  at: QueryContext,
  with_: SubOperations,
): Promise<void> {
  for (const located of instances) {
    if (at.cancelled.aborted) return;
    await progress.took(located, await attempt(association, located, at, with_));
  }
}

async function attempt(
  association: Association,
  located: InstanceLocated,
  at: QueryContext,
  with_: SubOperations,
): Promise<SubOutcome> {
  if (association.ended) return { status: null, text: 'the association to the destination ended' };
  try {
    return await sendInstance(association, located, with_);
  } catch (cause) {
    if (!(cause instanceof ConnectionEnded))
      at.log.error({ cause, sopUid: located.instance.sopUid }, 'a sub-operation failed');
    return { status: null, text: 'the instance could not be sent' };
  }
}
