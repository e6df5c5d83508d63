/** What a node holds of one study, asked by C-FIND (PS3.4 §C.4.1): which instances, and of which classes. */
import { lenientUid } from '../../hub/core/identifier.ts';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import type { Tag } from '../../mappings/dicom/dictionary.ts';
import { parseDataSet } from '../../mappings/dicom/parse.ts';
import { TAG } from '../../mappings/dicom/tags.ts';
import { EXPLICIT_LE, IMPLICIT_LE } from '../../mappings/dicom/uids.ts';
import type { Attributes } from '../../mappings/dicom/write.ts';
import { contextFor, matches, unsupported, using } from './scu.ts';
import type { ScuOptions } from './scu.ts';
import { modelUid } from './sop-classes.ts';
import { STATUS } from './status.ts';

/** SOP Instance UID -> SOP Class UID. */
export type Inventory = ReadonlyMap<string, string>;

const SERIES = 2_000;
const INSTANCES = 20_000;
const IDENTIFIER = { depth: 4, elements: 2000, inflated: 1 << 20 };

/** Hierarchical, since every archive answers that: the series of the study, then the instances of each. */
export function inventory(options: ScuOptions, studyUid: string): Promise<Result<Inventory>> {
  const sopClass = modelUid('study', 'find');
  const contexts = [{ abstractSyntax: sopClass, transferSyntaxes: [EXPLICIT_LE, IMPLICIT_LE] }];
  return using({ ...options, contexts }, async ({ association }) => {
    const context = contextFor(association, sopClass);
    if (!context) return unsupported();
    const ask = async (keys: Attributes, tags: readonly Tag[], most: number): Promise<Result<string[][]>> => {
      const found = await matches(association, context, keys, most);
      if (found.status !== STATUS.success && found.identifiers.length < most) return refused(found.status);
      if (found.identifiers.length >= most) return tooMany();
      return ok(found.identifiers.flatMap((bytes) => uidsOf(bytes, context.transferSyntax, tags)));
    };
    const series = await ask(
      { QueryRetrieveLevel: 'SERIES', StudyInstanceUID: studyUid, SeriesInstanceUID: '' },
      [TAG.SeriesInstanceUID],
      SERIES,
    );
    if (!series.ok) return series;
    const held = new Map<string, string>();
    for (const [seriesUid = ''] of series.value) {
      const keys = { StudyInstanceUID: studyUid, SeriesInstanceUID: seriesUid, SOPInstanceUID: '', SOPClassUID: '' };
      const found = await ask(
        { QueryRetrieveLevel: 'IMAGE', ...keys },
        [TAG.SOPInstanceUID, TAG.SOPClassUID],
        INSTANCES - held.size,
      );
      if (!found.ok) return found;
      for (const [sopUid = '', of = ''] of found.value) held.set(sopUid, of);
    }
    return ok(held);
  });
}

/** A match without these UIDs cannot be fetched and is passed over. */
function uidsOf(bytes: Buffer, transferSyntax: string, tags: readonly Tag[]): string[][] {
  const parsed = parseDataSet(bytes, transferSyntax, IDENTIFIER);
  if (!parsed.ok) return [];
  const uids = tags.flatMap((tag) => lenientUid(parsed.value.dataSet.one(tag)) ?? []);
  return uids.length === tags.length ? [uids] : [];
}

const refused = (status: number): ReturnType<typeof fail> =>
  fail(problem('unavailable', undefined, `The node ends the query with status ${status.toString(16)}.`));

const tooMany = (): ReturnType<typeof fail> =>
  fail(problem('limit-exceeded', undefined, 'The study has more series or instances than can be fetched at once.'));
