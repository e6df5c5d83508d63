/** What a node holds of one study, asked by C-FIND (PS3.4 §C.4.1): whose it is, its series, and the instances of each. */
import type { StudyListing } from '../../hub/core/ports.ts';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import type { ListedInstance, ListedSeries } from '../../hub/core/view.ts';
import type { DataSet } from '../../mappings/dicom/data-set.ts';
import { LISTING_KEYS, listedInstance, listedPatient, listedSeries } from '../../mappings/dicom/listing.ts';
import { parseDataSet } from '../../mappings/dicom/parse.ts';
import { EXPLICIT_LE, IMPLICIT_LE } from '../../mappings/dicom/uids.ts';
import type { Attributes } from '../../mappings/dicom/write.ts';
import { contextFor, matches, unsupported, using } from './scu.ts';
import type { ScuOptions } from './scu.ts';
import { modelUid } from './sop-classes.ts';
import { STATUS } from './status.ts';

const STUDIES = 10;
const SERIES = 2_000;
const INSTANCES = 20_000;
const IDENTIFIER = { depth: 4, elements: 2000, inflated: 1 << 20 };

type Ask = (keys: Attributes, most: number) => Promise<Result<DataSet[]>>;

/** Hierarchical, since every archive answers that: the study, its series, then the instances of each. */
export function inventory(
  options: ScuOptions & { readonly site: SiteProfile },
  studyUid: string,
): Promise<Result<StudyListing>> {
  const sopClass = modelUid('study', 'find');
  const contexts = [{ abstractSyntax: sopClass, transferSyntaxes: [EXPLICIT_LE, IMPLICIT_LE] }];
  return using({ ...options, contexts }, async ({ association }) => {
    const context = contextFor(association, sopClass);
    if (!context) return unsupported();
    const ask: Ask = async (keys, most) => {
      const found = await matches(association, context, keys, most);
      if (found.status !== STATUS.success && found.identifiers.length < most) return refused(found.status);
      if (found.identifiers.length >= most) return tooMany();
      return ok(found.identifiers.flatMap((bytes) => read(bytes, context.transferSyntax)));
    };
    return listingOf(ask, studyUid, options.site);
  });
}

async function listingOf(ask: Ask, studyUid: string, site: SiteProfile): Promise<Result<StudyListing>> {
  const of = { StudyInstanceUID: studyUid };
  const studies = await ask({ QueryRetrieveLevel: 'STUDY', ...of, ...LISTING_KEYS.study }, STUDIES);
  if (!studies.ok) return studies;
  const found = await ask({ QueryRetrieveLevel: 'SERIES', ...of, ...LISTING_KEYS.series }, SERIES);
  if (!found.ok) return found;
  const series: ListedSeries[] = [];
  let count = 0;
  for (const head of found.value.flatMap((one) => listedSeries(one, site) ?? [])) {
    const keys = { ...of, ...LISTING_KEYS.instance, SeriesInstanceUID: head.seriesUid };
    const held = await ask({ QueryRetrieveLevel: 'IMAGE', ...keys }, INSTANCES - count);
    if (!held.ok) return held;
    const instances = new Map<string, ListedInstance>();
    for (const one of held.value) {
      const instance = listedInstance(one, site);
      // A part could be taken for the whole.
      if (instance === null) return fail(nameless);
      instances.set(instance.sopUid, instance);
    }
    count += instances.size;
    series.push({ ...head, instances: [...instances.values()] });
  }
  return ok({ patients: studies.value.flatMap((one) => listedPatient(one, site) ?? []), series });
}

function read(bytes: Buffer, transferSyntax: string): DataSet[] {
  const parsed = parseDataSet(bytes, transferSyntax, IDENTIFIER);
  return parsed.ok ? [parsed.value.dataSet] : [];
}

const nameless: Problem = problem('unavailable', undefined, 'The archive does not tell which images it holds.');

const refused = (status: number): ReturnType<typeof fail> =>
  fail(problem('unavailable', undefined, `The node ends the query with status ${status.toString(16)}.`));

const tooMany = (): ReturnType<typeof fail> =>
  fail(problem('limit-exceeded', undefined, 'The study has more series or instances than can be fetched at once.'));
