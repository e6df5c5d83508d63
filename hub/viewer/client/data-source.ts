/**
 * OHIF's DICOMweb source with two differences: the studies of a patient are those of the person, whatever number each
 * hospital gave them (a number alone could be another patient's elsewhere), and what is saved carries the session's proof.
 */
import { beside } from './hub.ts';
import type { DataSource, Extensions, Services } from './ohif.ts';

const ORIGINAL = '@ohif/extension-default.dataSourcesModule.dicomweb';

export function createDataSource(configuration: object, services: Services, extensions: Extensions): DataSource {
  const source = extensions.getModuleEntry(ORIGINAL).createDataSource(configuration, services, extensions);
  const { studies } = source.query;
  const search = studies.search.bind(studies);
  studies.search = async (parameters) => {
    if (parameters['patientId'] === undefined || parameters['disableWildcard'] !== true) return search(parameters);
    const { exams } = await beside();
    const uids = exams.flatMap((exam) => exam.studies.map(({ studyInstanceUid }) => studyInstanceUid));
    return uids.length === 0 ? [] : search({ studyInstanceUid: uids.join(','), disableWildcard: true });
  };
  const { store } = source;
  const keep = store.dicom.bind(store);
  store.dicom = async (dataset, request, dictionary) => {
    const { csrf } = await beside();
    await keep(dataset, csrf === null ? request : new ProvenRequest(csrf), dictionary);
  };
  return source;
}

class ProvenRequest extends XMLHttpRequest {
  readonly #proof: string;

  constructor(proof: string) {
    super();
    this.#proof = proof;
  }

  override send(body?: Document | XMLHttpRequestBodyInit | null): void {
    this.setRequestHeader('X-Hutong-CSRF', this.#proof);
    super.send(body);
  }
}
