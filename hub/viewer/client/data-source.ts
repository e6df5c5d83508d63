/**
 * OHIF's DICOMweb source with few differences: the studies of a patient are those of the person, whatever number each
 * hospital gave them (a number alone could be another patient's elsewhere), and what is saved carries the session's proof.
 */
import { firstImage } from './first-image.ts';
import { beside, opened, proof } from './hub.ts';
import type { DataSource, Extensions, Services } from './ohif.ts';

const REMEMBERED_MS = 5_000;
const MOST_REMEMBERED = 100;
const LONGEST_WAIT_MS = 10_000;
const ORIGINAL = '@ohif/extension-default.dataSourcesModule.dicomweb';

export function createDataSource(configuration: object, services: Services, extensions: Extensions): DataSource {
  const source = extensions.getModuleEntry(ORIGINAL).createDataSource(configuration, services, extensions);
  const { studies } = source.query;
  const search = studies.search.bind(studies);
  const known = remembered(search);
  studies.search = async (parameters) => {
    if (parameters['patientId'] === undefined || parameters['disableWildcard'] !== true) return known(parameters);
    const { exams } = await beside();
    const uids = exams.flatMap((exam) => exam.studies.map(({ studyInstanceUid }) => studyInstanceUid));
    return uids.length === 0 ? [] : search({ studyInstanceUid: uids.join(','), disableWildcard: true });
  };
  const { retrieve } = source;
  const thumbnail = retrieve.getGetThumbnailSrc.bind(retrieve);
  // Small pictures are made from whole images: none before the first image stands.
  let first: Promise<void> | null = null;
  retrieve.getGetThumbnailSrc = (...asked) => {
    const get = thumbnail(...asked);
    return async (options) => {
      first ??= firstImage(LONGEST_WAIT_MS);
      await first;
      return (await get?.(options)) ?? null;
    };
  };
  const { store } = source;
  const keep = store.dicom.bind(store);
  store.dicom = async (dataset, request, dictionary) => {
    const { StudyInstanceUID: study = opened() } = dataset as { readonly StudyInstanceUID?: string };
    await keep(dataset, request ?? new ProvenRequest(await proof(), study), dictionary);
  };
  return source;
}

type Search = DataSource['query']['studies']['search'];

/** Three parts of OHIF ask the same of one study when it is opened; of these one is asked. */
function remembered(search: Search): Search {
  const asked = new Map<string, { readonly found: ReturnType<Search>; readonly until: number }>();
  return (parameters) => {
    const key = JSON.stringify(parameters);
    const now = performance.now();
    const before = asked.get(key);
    if (before !== undefined && before.until > now) return before.found;
    const found = search(parameters);
    if (asked.size > MOST_REMEMBERED) asked.clear();
    asked.set(key, { found, until: now + REMEMBERED_MS });
    found.catch(() => asked.delete(key)); // told to who asked
    return found;
  };
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
