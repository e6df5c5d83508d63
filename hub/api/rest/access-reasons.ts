/** What the REST face does about reasons: an account under a flag says why before it reads; auditors read what was said. */
import { problem } from '../../core/problem.ts';
import type { AccessReasons } from '../../core/access-reason.ts';
import type { HubId } from '../../core/identifier.ts';
import type { IndexReader } from '../../core/ports.ts';
import type { Subject } from '../../core/subject.ts';
import type { Handlers } from './operation.ts';
import { pageOf } from './page.ts';
import { asked, notFound } from './scope.ts';

export interface ReasonDeps {
  readonly reasons: AccessReasons;
  readonly index: Pick<IndexReader, 'exam'>;
}

export function reasonHandlers({
  reasons,
  index,
}: ReasonDeps): Pick<Handlers, 'giveAccessReason' | 'listAccessReasons'> {
  return {
    giveAccessReason: async ({ body: { personId, examId, purpose, text }, caller, sight }) => {
      if ((personId === undefined) === (examId === undefined))
        return { problem: problem('invalid-value', 'personId', 'Exactly one of personId and examId.') };
      const exam = examId === undefined ? null : await index.exam(examId);
      const person = personId ?? exam?.personId;
      if (person === undefined) return notFound();
      const isOpen = exam === null ? false : (await sight.exams([exam.examId])).has(exam.examId);
      const subject: Subject = { person: person as HubId };
      const [decision] = exam === null ? await sight.decide([subject]) : [];
      // Who has no right to the patient gets none by a reason, and hears of nobody.
      const wanted = sight.told().withheld.some(({ reason }) => reason === 'reason-required');
      if (!isOpen && decision?.allowed !== true && !wanted) return notFound();
      const given = await reasons.give({ personId: person as HubId, purpose, text: text.trim() }, caller);
      const told = { action: 'change', persons: [person], objects: [`access-reason/${given.reasonId}`] } as const;
      return {
        status: 201,
        body: given,
        disclosure: { ...told, reason: `reason given: ${purpose}` },
      };
    },
    listAccessReasons: async ({ query: { limit, after, ...filter } }) => {
      const { items, next } = await reasons.list(asked(filter), pageOf({ limit, after }));
      const objects = items.map(({ reasonId }) => `access-reason/${reasonId}`);
      const persons = [...new Set(items.map(({ personId }) => personId as string))];
      return { status: 200, body: { items: [...items], next }, disclosure: { action: 'read', persons, objects } };
    },
  };
}
