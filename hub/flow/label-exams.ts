/** Goes through the exams of before a rule of sensitivity, piece by piece beside everything else, until the last is labelled. */
import type { Log } from '../core/ports.ts';
import { codeOf } from '../core/problem.ts';
import type { LabelStep } from '../core/sensitivity.ts';
import { createTurns, type Turns } from './turns.ts';

const PIECE = 1_000;
const REST_MS = 2_000;

export const createLabelExams = ({ step, log }: { readonly step: LabelStep; readonly log: Log }): Turns =>
  createTurns(async () => {
    try {
      return (await step(PIECE)) < PIECE ? REST_MS : 0;
    } catch (error) {
      log.error({ code: codeOf(error) }, 'exams were not labelled; they are tried again');
      return REST_MS;
    }
  });
