/** One submission at a registry hub: built, sent, and held against what is expected of it. */
import assert from 'node:assert/strict';
import type { DocumentAssociation, DocumentEntry, PatientCx, RegistryObject } from '../../hub/core/document.ts';
import { association, documentEntry, submissionSet } from './documents.ts';
import { oid } from './registry-hub.ts';
import type { ACTIONS, Answer, RegistryHub } from './registry-hub.ts';

export type Any = RegistryObject | DocumentAssociation;

export interface Case {
  /** One document in one submission set, and what else comes with it. */
  readonly oneDocument: (more?: Partial<DocumentEntry>, others?: readonly Any[], uniqueId?: string) => Any[];
  /** The first document of it, as it stands afterwards. */
  readonly accepted: (all: readonly Any[], transaction?: keyof typeof ACTIONS) => Promise<DocumentEntry>;
  /** With one of these codes and no other, and nothing stored. */
  readonly refused: (
    all: readonly Any[],
    code: string | readonly string[],
    transaction?: keyof typeof ACTIONS,
  ) => Promise<Answer>;
}

export function caseAt(hub: () => RegistryHub, patient: () => PatientCx): Case {
  return {
    oneDocument: (more = {}, others = [], uniqueId = oid()) => [
      documentEntry('Document01', patient(), uniqueId, more),
      submissionSet('SubmissionSet01', patient(), oid()),
      association('as01', 'HasMember', 'SubmissionSet01', 'Document01', { submissionSetStatus: 'Original' }),
      ...others,
    ],
    async accepted(all, transaction = 'ITI-42') {
      const answer = await hub().submit(all, transaction);
      assert.equal(answer.http, 200);
      assert.deepEqual([answer.status, answer.codes], ['success', []], answer.text);
      const first = all.find((one) => 'kind' in one && one.kind === 'document');
      assert.ok(first && 'kind' in first);
      const stored = (await hub().byUniqueId(first.uniqueId)).filter((one) => one.kind === 'document');
      const last = stored.sort((a, b) => a.version - b.version).at(-1);
      assert.ok(last);
      return last;
    },
    async refused(all, code, transaction = 'ITI-42') {
      const before = await hub().rows();
      const answer = await hub().submit(all, transaction);
      assert.equal(answer.http, 200);
      assert.equal(answer.status, 'failure', answer.text);
      const codes = typeof code === 'string' ? [code] : code;
      assert.ok(answer.codes.length > 0 && answer.codes.every((one) => codes.includes(one)), answer.text);
      assert.equal(await hub().rows(), before, 'nothing is stored of what is refused');
      return answer;
    },
  };
}

/** The objects without these attributes, as a sender may leave them out. */
export const without = (all: readonly Any[], ...names: readonly string[]): Any[] =>
  all.map((one) => {
    const copy = { ...one };
    for (const name of names) Reflect.deleteProperty(copy, name);
    return copy;
  });
