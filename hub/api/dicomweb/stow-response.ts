/** What STOW-RS answers (PS3.18 §10.5.3, Annex I): per instance stored or failed with the reason, and one status for all. */
import { problemClass } from '../../core/problem.ts';
import type { Problem, ProblemCode } from '../../core/problem.ts';
import type { StoreOutcome } from '../../core/ports.ts';
import type { JsonDataSet } from '../../../mappings/dicom/json.ts';

/** PS3.18 table I.2-2 and PS3.4 table B.2-1. */
const REASON = {
  malformed: 0xc000,
  'too-large': 0xa700,
  'unsupported-message': 0x0122,
  'unsupported-version': 0xc000,
  'unsupported-media': 0xc122,
  'unknown-sender': 0x0124,
  unauthenticated: 0x0124,
  forbidden: 0x0124,
  'not-found': 0x0112,
  gone: 0x0112,
  'required-missing': 0xc000,
  'invalid-value': 0xc000,
  'unknown-code': 0xc000,
  charset: 0xc000,
  'control-id-reused': 0x0111,
  'patient-mismatch': 0xa900,
  'identity-doubt': 0xa900,
  'report-conflict': 0x0110,
  conflict: 0xa900,
  precondition: 0x0110,
  'limit-exceeded': 0xa700,
  busy: 0xa700,
  unavailable: 0xa700,
  timeout: 0x0110,
  internal: 0x0110,
} as const satisfies Record<ProblemCode, number>;

const uid = (value: string): JsonDataSet[string] => ({ vr: 'UI', Value: [value] });

export function storeModel(outcomes: readonly StoreOutcome[], base: string): JsonDataSet {
  const stored: JsonDataSet[] = [];
  const failed: JsonDataSet[] = [];
  const others: JsonDataSet[] = [];
  const studies = new Set<string>();
  for (const outcome of outcomes) {
    if (outcome.ok) {
      studies.add(outcome.studyUid);
      stored.push({
        '00081150': uid(outcome.sopClass),
        '00081155': uid(outcome.sopUid),
        '00081190': { vr: 'UR', Value: [`${base}/studies/${outcome.studyUid}`] },
      });
      continue;
    }
    const reason = { '00081197': { vr: 'US', Value: [REASON[outcome.problem.code]] }, ...explained(outcome.problem) };
    // Failures that no instance can be named for have a sequence of their own (0008,119A).
    if (outcome.sopUid === undefined) others.push(reason);
    else
      failed.push({
        ...(outcome.sopClass === undefined ? {} : { '00081150': uid(outcome.sopClass) }),
        '00081155': uid(outcome.sopUid),
        ...reason,
      });
  }
  const [study] = studies;
  const model: Record<string, JsonDataSet[string]> = {};
  if (studies.size === 1 && study !== undefined) model['00081190'] = { vr: 'UR', Value: [`${base}/studies/${study}`] };
  if (failed.length > 0) model['00081198'] = { vr: 'SQ', Value: failed };
  if (stored.length > 0) model['00081199'] = { vr: 'SQ', Value: stored };
  if (others.length > 0) model['0008119A'] = { vr: 'SQ', Value: others };
  return model;
}

/** Error Comment (0000,0902) cannot stand in a data set; the reason in words goes where clients show text. */
function explained({ text, where }: Problem): JsonDataSet {
  const words = where === undefined ? text : `${where}: ${text}`;
  return { '00404000': { vr: 'LT', Value: [words.slice(0, 1024)] } };
}

/** PS3.18 table 10.5.3-1. */
export function storeStatus(outcomes: readonly StoreOutcome[]): number {
  const problems = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.problem]));
  if (problems.length === 0) return 200;
  if (problems.length < outcomes.length) return 202;
  if (problems.every((one) => one.code === 'unsupported-media')) return 415;
  if (problems.every((one) => one.code === 'too-large')) return 413;
  if (problems.every((one) => problemClass(one) === 'transient')) return 503;
  return problems.every((one) => one.code === 'malformed') ? 400 : 409;
}
