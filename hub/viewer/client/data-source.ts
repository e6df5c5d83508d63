/**
 * OHIF's DICOMweb source with two differences: the studies of a patient are those of the person, whatever number each
 * hospital gave them (a number alone could be another patient's elsewhere), and what is saved carries the session's proof.
 */
import { beside, opened, proof } from './hub.ts';
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
    const { StudyInstanceUID: study = opened } = dataset as { readonly StudyInstanceUID?: string };
    await keep(dataset, request ?? new ProvenRequest(await proof(), study), dictionary);
  };
  return source;
}

/** Names the study in the address (PS3.18 §10.5.1), and says that the session's own page asks. */
class ProvenRequest extends XMLHttpRequest {
  readonly #proof: string | null;
  readonly #study: string;

  constructor(proof: string | null, study: string) {
    super();
    this.#proof = proof;
    this.#study = study;
  }

  override open(method: string, url: string | URL): void {
    super.open(method, String(url).replace(/\/studies\/?$/, `/studies/${encodeURIComponent(this.#study)}`), true);
  }

  override send(body?: Document | XMLHttpRequestBodyInit | null): void {
    if (this.#proof !== null) this.setRequestHeader('X-Hutong-CSRF', this.#proof);
    super.send(body);
  }
}
