/** What the REST face does about sensitivity: rules of the security administration, and labels of single exams by hand. */
import { problem } from '../../core/problem.ts';
import type { ExamLabels, SensitivityDesk } from '../../core/sensitivity.ts';
import type { Sites } from '../../core/site.ts';
import type { Disclosure, Handlers } from './operation.ts';
import { notFound } from './scope.ts';

export interface SensitivityDeps {
  readonly sensitivity: SensitivityDesk;
  readonly sites: Sites;
}

type Labelling = Pick<
  Handlers,
  'listSensitivityRules' | 'addSensitivityRule' | 'removeSensitivityRule' | 'readExamLabels' | 'setExamLabels'
>;

const ruled = (ruleId: string, reason: string): Disclosure => ({
  action: 'administer',
  persons: [],
  objects: [`sensitivity-rule/${ruleId}`],
  reason,
});

const bodyOf = ({ examId, site, labels }: ExamLabels) => ({ examId, site, labels: [...labels] });

/** Whose exam it is, is in the audit; the answer does not tell. */
const labelled = (action: 'read' | 'change', { examId, personId }: ExamLabels, reason?: string): Disclosure => ({
  action,
  persons: [personId],
  objects: [`exam/${examId}`],
  ...(reason === undefined ? {} : { reason }),
});

export function sensitivityHandlers({ sensitivity, sites }: SensitivityDeps): Labelling {
  return {
    listSensitivityRules: async () => {
      const { items, sweep } = await sensitivity.rules();
      return { status: 200, body: { items: [...items], sweep } };
    },
    addSensitivityRule: async ({ body: { field, code, label, site: told, reason }, caller }) => {
      const site = told === undefined ? null : (sites.byId(told)?.id ?? undefined);
      if (site === undefined) return { problem: problem('invalid-value', 'site', 'There is no such site.') };
      if (field === 'site' && sites.byId(code) === null)
        return { problem: problem('invalid-value', 'code', 'There is no such site.') };
      const terms = { field, label, site: field === 'site' ? null : site, code: code.trim(), reason: reason.trim() };
      const added = await sensitivity.addRule(terms, caller.id);
      if (!added.ok) return { problem: added.problem };
      return { status: 201, body: added.value, disclosure: ruled(added.value.ruleId, reason) };
    },
    removeSensitivityRule: async ({ path }) => {
      const removed = await sensitivity.removeRule(path.id);
      if (!removed.ok) return { problem: removed.problem };
      const { field, code, label } = removed.value;
      return { status: 200, body: removed.value, disclosure: ruled(path.id, `removed: ${field} ${code} ${label}`) };
    },
    readExamLabels: async ({ path }) => {
      const found = await sensitivity.labelsOf(path.id);
      return found === null
        ? notFound()
        : { status: 200, body: bodyOf(found), disclosure: labelled('read', found, 'labels') };
    },
    setExamLabels: async ({ path, body: { labels, reason }, caller }) => {
      const found = await sensitivity.setLabels(path.id, labels, { id: caller.id, reason: reason.trim() });
      return found === null
        ? notFound()
        : { status: 200, body: bodyOf(found), disclosure: labelled('change', found, `labels: ${reason}`) };
    },
  };
}
