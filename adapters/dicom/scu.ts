/** The DICOM services that the hub asks of other nodes: C-ECHO, C-STORE, C-FIND, C-GET, C-MOVE; bounded in count and time. */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import { EXPLICIT_LE, IMPLICIT_LE } from '../../mappings/dicom/uids.ts';
import { writeDataSet } from '../../mappings/dicom/write.ts';
import type { Attributes } from '../../mappings/dicom/write.ts';
import { associate } from './associate.ts';
import type { AssociateOptions, Node, OpenAssociation } from './associate.ts';
import { isPending } from './association.ts';
import type { AcceptedContext, Association, DataReceiver, Request } from './association.ts';
import { COMMAND, NO_DATA_SET, responseTo } from './command.ts';
import type { Command } from './command.ts';
import type { DimseLimits } from './limits.ts';
import { modelUid, VERIFICATION } from './sop-classes.ts';
import type { Root, Verb } from './sop-classes.ts';
import { STATUS } from './status.ts';
import { ConnectionEnded } from './upper-layer.ts';

export interface ScuOptions {
  readonly node: Node;
  readonly callingAe: string;
  readonly limits?: Partial<DimseLimits>;
}

/** One file to send: its three UIDs, and its data set (without the Part-10 head) when its turn comes. */
export interface Sending {
  readonly sopClass: string;
  readonly sopUid: string;
  readonly transferSyntax: string;
  dataSet(): AsyncIterable<Buffer> | Promise<AsyncIterable<Buffer>>;
}

/** What became of one file; `status` null: it was not answered. */
export interface Sent {
  readonly sopUid: string;
  readonly status: number | null;
  readonly text: string;
}

export interface Retrieved {
  readonly status: number;
  readonly completed: number;
  readonly failed: number;
  readonly warning: number;
}

/** Takes what C-GET brings: one receiver per instance; it throws to refuse one. */
export type InstanceTaker = (instance: {
  readonly sopClass: string;
  readonly sopUid: string;
  readonly transferSyntax: string;
}) => Promise<DataReceiver>;

const NATIVE = [EXPLICIT_LE, IMPLICIT_LE];
/** Pairs of class and transfer syntax on one association: each may need two of the 128 contexts. */
export const PAIRS = 60;

export async function using<T>(
  options: AssociateOptions,
  work: (open: OpenAssociation) => Promise<Result<T>>,
): Promise<Result<T>> {
  const opened = await associate(options);
  if (!opened.ok) return opened;
  try {
    const result = await work(opened.value);
    await opened.value.release();
    return result;
  } catch (cause) {
    opened.value.abort('the operation failed');
    if (cause instanceof ConnectionEnded)
      return fail(problem('unavailable', undefined, `The association ended: ${cause.message}`));
    throw cause;
  }
}

export const contextFor = (association: Association, sopClass: string): AcceptedContext | null =>
  [...association.contexts.values()].find((context) => context.abstractSyntax === sopClass) ?? null;

export const unsupported = (): { ok: false; problem: Problem } =>
  fail(problem('unsupported-message', undefined, 'The node does not offer this service.'));

export function echo(options: ScuOptions): Promise<Result<number>> {
  const contexts = [{ abstractSyntax: VERIFICATION, transferSyntaxes: NATIVE }];
  return using({ ...options, contexts }, async ({ association }) => {
    const context = contextFor(association, VERIFICATION);
    if (!context) return unsupported();
    let status = -1;
    const command = { commandField: COMMAND.echoRq, affectedSopClass: VERIFICATION, dataSetType: NO_DATA_SET };
    await association.call(context, { ...command, messageId: association.messageId() }, null, (response) => {
      status = response.command.status ?? 0;
    });
    return ok(status);
  });
}

/** Contexts for files as they are encoded, and, per class, one that every node should take. */
export function storeContexts(
  files: readonly Pick<Sending, 'sopClass' | 'transferSyntax'>[],
): { readonly abstractSyntax: string; readonly transferSyntaxes: readonly string[] }[] {
  const pairs = new Map(files.map((file) => [`${file.sopClass} ${file.transferSyntax}`, file]));
  const contexts = [...pairs.values()].map(({ sopClass, transferSyntax }) => ({
    abstractSyntax: sopClass,
    transferSyntaxes: [transferSyntax],
  }));
  const plain = [...new Set(files.map((file) => file.sopClass))].map((sopClass) => ({
    abstractSyntax: sopClass,
    transferSyntaxes: NATIVE,
  }));
  return [...contexts, ...plain];
}

/** Splits files, in order, so that each part's contexts fit one association. */
export function batches<T extends Pick<Sending, 'sopClass' | 'transferSyntax'>>(files: readonly T[]): T[][] {
  const parts: T[][] = [];
  let pairs = new Set<string>();
  for (const file of files) {
    pairs.add(`${file.sopClass} ${file.transferSyntax}`);
    const part = parts.at(-1);
    if (part && pairs.size <= PAIRS) part.push(file);
    else {
      parts.push([file]);
      pairs = new Set([`${file.sopClass} ${file.transferSyntax}`]);
    }
  }
  return parts;
}

/** Sends files as they are, many on one association; the outcome of each is told, in order. */
export async function send(options: ScuOptions, files: readonly Sending[]): Promise<Result<readonly Sent[]>> {
  const sent: Sent[] = [];
  for (const part of batches(files)) {
    const before = sent.length;
    const done = await using({ ...options, contexts: storeContexts(part) }, async ({ association }) => {
      for (const file of part) sent.push(await sendOne(association, file));
      return ok(null);
    });
    if (!done.ok && sent.length === 0) return done;
    // Only this part is lost with its association; the next one gets its own.
    if (!done.ok) for (const file of part.slice(sent.length - before)) sent.push(unsent(file, done.problem.text));
  }
  return ok(sent);
}

const unsent = (file: Sending, text: string): Sent => ({ sopUid: file.sopUid, status: null, text });

async function sendOne(association: Association, file: Sending): Promise<Sent> {
  const context = [...association.contexts.values()].find(
    ({ abstractSyntax, transferSyntax }) => abstractSyntax === file.sopClass && transferSyntax === file.transferSyntax,
  );
  if (!context) return unsent(file, 'The node takes no context of this class and transfer syntax.');
  const command: Command = {
    commandField: COMMAND.storeRq,
    affectedSopClass: file.sopClass,
    affectedSopInstance: file.sopUid,
    messageId: association.messageId(),
    priority: 0,
    dataSetType: 0,
  };
  let outcome = unsent(file, 'no response');
  await association.call(context, command, await file.dataSet(), (response) => {
    outcome = { sopUid: file.sopUid, status: response.command.status ?? 0, text: response.command.errorComment ?? '' };
  });
  return outcome;
}

export interface QueryOptions extends ScuOptions {
  readonly root?: Root;
  /** The identifier's keys; QueryRetrieveLevel among them. */
  readonly identifier: Attributes;
  /** Matches after which the query is cancelled. */
  readonly maxMatches?: number;
}

/** A C-FIND; the identifiers come as bytes with their transfer syntax, for the caller to read. */
export function find(
  options: QueryOptions,
): Promise<
  Result<{ readonly status: number; readonly transferSyntax: string; readonly identifiers: readonly Buffer[] }>
> {
  const sopClass = modelUid(options.root ?? 'study', 'find');
  const contexts = [{ abstractSyntax: sopClass, transferSyntaxes: NATIVE }];
  return using({ ...options, contexts }, async ({ association }) => {
    const context = contextFor(association, sopClass);
    if (!context) return unsupported();
    return ok({
      ...(await matches(association, context, options.identifier, options.maxMatches)),
      transferSyntax: context.transferSyntax,
    });
  });
}

/** One C-FIND on an association that is open already. */
export async function matches(
  association: Association,
  context: AcceptedContext,
  keys: Attributes,
  most = 10_000,
): Promise<{ readonly status: number; readonly identifiers: readonly Buffer[] }> {
  const identifiers: Buffer[] = [];
  let status = -1;
  const command = queryCommand(association, 'find', context.abstractSyntax);
  await association.call(context, command, identifierBytes(keys, context), async (response) => {
    status = response.command.status ?? 0;
    if (!isPending(status) || !response.dataSet || identifiers.length >= most) return;
    identifiers.push(response.dataSet);
    if (identifiers.length === most) await cancel(association, context, command);
  });
  return { status, identifiers };
}

/** A C-GET: the instances come back on the same association, where this side is SCP of `storage` (PS3.7 §D.3.3.4). */
export function get(
  options: QueryOptions & {
    readonly storage: readonly { readonly sopClass: string; readonly transferSyntaxes: readonly string[] }[];
    readonly take: InstanceTaker;
  },
): Promise<Result<Retrieved>> {
  const sopClass = modelUid(options.root ?? 'study', 'get');
  const contexts = [
    { abstractSyntax: sopClass, transferSyntaxes: NATIVE },
    ...options.storage.map((one) => ({ abstractSyntax: one.sopClass, transferSyntaxes: one.transferSyntaxes })),
  ];
  const classes = new Set(options.storage.map((one) => one.sopClass));
  const roles = [...classes].map((uid) => ({ sopClass: uid, scu: false, scp: true }));
  let opened: Association | null = null;
  const serve = (request: Request): Promise<DataReceiver | null> => {
    if (!opened) throw new Error('a request before its association');
    return takeInstance(opened, request, options.take);
  };
  return using({ ...options, contexts, roles, serve }, async ({ association }) => {
    opened = association;
    const context = contextFor(association, sopClass);
    if (!context) return unsupported();
    const command = queryCommand(association, 'get', sopClass);
    return ok(await retrieve(association, context, command, identifierBytes(options.identifier, context)));
  });
}

async function takeInstance(
  association: Association,
  request: Request,
  take: InstanceTaker,
): Promise<DataReceiver | null> {
  const { command, context } = request;
  const answer = (status: number): Promise<void> => {
    if (association.ended) return Promise.resolve();
    const sopUid = command.affectedSopInstance;
    return association.send(
      context,
      responseTo(command, status, sopUid === undefined ? {} : { affectedSopInstance: sopUid }),
    );
  };
  if (command.commandField !== COMMAND.storeRq || !request.hasDataSet || !context.scp) {
    await answer(STATUS.unrecognisedOperation);
    return null;
  }
  const { affectedSopClass: sopClass = '', affectedSopInstance: sopUid = '' } = command;
  const receiver = await take({ sopClass, sopUid, transferSyntax: context.transferSyntax });
  return {
    data: (chunk) => receiver.data(chunk),
    async end() {
      await receiver.end();
      await answer(STATUS.success);
    },
    abort: (reason) => receiver.abort(reason),
  };
}

async function retrieve(
  association: Association,
  context: AcceptedContext,
  command: Command,
  identifier: Buffer,
): Promise<Retrieved> {
  let last: Retrieved = { status: -1, completed: 0, failed: 0, warning: 0 };
  await association.call(context, command, identifier, ({ command: response }) => {
    last = {
      status: response.status ?? 0,
      completed: response.completed ?? last.completed,
      failed: response.failed ?? last.failed,
      warning: response.warning ?? last.warning,
    };
  });
  return last;
}

const REQUEST: Readonly<Record<Verb, number>> = { find: COMMAND.findRq, move: COMMAND.moveRq, get: COMMAND.getRq };

function queryCommand(association: Association, verb: Verb, sopClass: string): Command {
  const messageId = association.messageId();
  return { commandField: REQUEST[verb], affectedSopClass: sopClass, messageId, priority: 0, dataSetType: 0 };
}

function identifierBytes(keys: Attributes, context: AcceptedContext): Buffer {
  return writeDataSet(keys, { explicit: context.transferSyntax === EXPLICIT_LE });
}

function cancel(association: Association, context: AcceptedContext, command: Command): Promise<void> {
  const respondedTo = command.messageId ?? 0;
  return association.send(context, { commandField: COMMAND.cancelRq, respondedTo, dataSetType: NO_DATA_SET });
}
