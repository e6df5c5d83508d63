/** The index's answers to a path of WADO-RS, or the 404 that names which part of it leads nowhere. */
import type { Request } from 'express';
import type { IndexReader, InstanceLocated, SeriesLocated, StudyLocated } from '../../core/ports.ts';
import { Failure, problem } from '../../core/problem.ts';
import { uidParameter } from './exchange.ts';

const nothing = (where: string): Failure =>
  new Failure(problem('not-found', where, `There is no such ${where} here, or it was withdrawn.`));

export async function studyOf(reader: IndexReader, request: Request): Promise<StudyLocated> {
  const found = await reader.study(uidParameter(request, 'study'), { instances: true });
  if (found === null) throw nothing('study');
  return found;
}

export async function seriesOf(reader: IndexReader, request: Request): Promise<SeriesLocated> {
  const found = await reader.series(uidParameter(request, 'study'), uidParameter(request, 'series'));
  if (found === null) throw nothing('series');
  return found;
}

export async function instanceOf(reader: IndexReader, request: Request): Promise<InstanceLocated> {
  const [study, series, instance] = [
    uidParameter(request, 'study'),
    uidParameter(request, 'series'),
    uidParameter(request, 'instance'),
  ];
  const found = await reader.instance(study, series, instance);
  if (found === null) throw nothing('instance');
  return found;
}

export const instancesOfSeries = (found: SeriesLocated): InstanceLocated[] =>
  found.series.instances.map((instance) => ({ ...found, instance }));

export const instancesOfStudy = (found: StudyLocated): InstanceLocated[] =>
  found.study.series.flatMap((series) => instancesOfSeries({ ...found, series }));

/** All instances under the path, at whatever level it names. */
export async function instancesOf(reader: IndexReader, request: Request): Promise<InstanceLocated[]> {
  if (request.params.instance !== undefined) return [await instanceOf(reader, request)];
  if (request.params.series !== undefined) return instancesOfSeries(await seriesOf(reader, request));
  return instancesOfStudy(await studyOf(reader, request));
}
