/** Wires the sweep of the document repository; apart from main.ts, which it serves, so that neither outgrows its reader. */
import type { Log, ObjectStore } from './core/ports.ts';
import { createRepositorySweep } from './flow/sweep-repository.ts';
import type { Lifecycle } from './lifecycle.ts';
import { createLabelExams } from './flow/label-exams.ts';
import type { Database } from './store/database.ts';
import { createDocumentObjects } from './store/document-removal.ts';
import { createLabelStep } from './store/sensitivity.ts';

interface Ground {
  readonly life: Lifecycle;
  readonly log: Log;
  readonly database: Database;
  readonly objects: ObjectStore;
  readonly clock: () => Date;
  readonly figures: Map<string, () => Readonly<Record<string, number>>>;
}

/** Removes what crashed submissions left in the object store. */
export async function raiseSweep({ life, log, database, objects, clock, figures }: Ground): Promise<void> {
  const sweep = createRepositorySweep({ objects, documents: createDocumentObjects(database), clock, log });
  figures.set('hub_repository_sweep', () => sweep.counts());
  await life.raise(
    'sweep',
    () => {
      sweep.start();
    },
    () => sweep.stop(),
  );
}

/** Labels exams of before a rule of sensitivity. */
export async function raiseLabels({ life, log, database, clock }: Ground): Promise<void> {
  const labels = createLabelExams({ step: createLabelStep({ database, clock }), log });
  await life.raise(
    'labels',
    () => {
      labels.start();
    },
    () => labels.stop(),
  );
}
