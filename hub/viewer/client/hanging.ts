/**
 * Hanging protocols of the hospitals here: mammograms by the view that each names (PS3.3 C.8.11.7), never by the wording
 * of a description; radiographs and MR series side by side, in the order of the study; CT as one stack. Each is one table.
 */
import type { DisplaySet, Services } from './ohif.ts';

const VIEW = 'hutongView';

/** `RCC`, `LMLO`: laterality and position of the first image; empty where it names none. */
const viewOf = ({ images }: DisplaySet): string => {
  const image = images?.[0];
  return `${image?.ImageLaterality ?? image?.Laterality ?? ''}${image?.ViewPosition ?? ''}`;
};

export const addAttributes = ({ services }: Services): void =>
  services.hangingProtocolService.addCustomAttribute(VIEW, 'laterality and view', viewOf);

const hasImages = { weight: 1, attribute: 'numImageFrames', constraint: { greaterThan: { value: 0 } }, required: true };
const isModality = (...names: readonly string[]): object[] =>
  names.map((name) => ({ weight: 1, attribute: 'Modality', constraint: { equals: { value: name } } }));
const isCurrent = {
  attribute: 'studyInstanceUIDsIndex',
  from: 'options',
  required: true,
  constraint: { equals: { value: 0 } },
};

const ofStudy = (modalities: readonly string[], atLeast: number, weight: number): object[] => [
  { id: 'modality', weight, attribute: 'ModalitiesInStudy', constraint: { containsI: modalities }, required: true },
  {
    id: 'images',
    attribute: 'numberOfDisplaySetsWithImages',
    constraint: { greaterThan: atLeast - 1 },
    required: true,
  },
];

const view = (name: string): object => ({
  seriesMatchingRules: [
    hasImages,
    { weight: 20, attribute: VIEW, constraint: { equals: { value: name } }, required: true },
  ],
  studyMatchingRules: [isCurrent],
});

const base = (id: string, name: string): object => ({
  id,
  name,
  locked: true,
  toolGroupIds: ['default'],
  numberOfPriorsReferenced: 0,
  hpInitiationCriteria: { minSeriesLoaded: 64 },
});

const cell = (selector: string, more: object = {}, index?: number): object => ({
  viewportOptions: { viewportType: 'stack', toolGroupId: 'default', allowUnmatchedView: true, ...more },
  displaySets: [{ id: selector, ...(index === undefined ? {} : { matchedDisplaySetsIndex: index }) }],
});

const grid = (name: string, rows: number, columns: number, viewports: readonly object[], enabled?: number): object => ({
  name,
  viewportStructure: { layoutType: 'grid', properties: { rows, columns } },
  viewports,
  ...(enabled === undefined ? {} : { stageActivation: { enabled: { minViewportsMatched: enabled } } }),
});

/** The chest wall of the left breast at the left, of the right breast at the right edge of its cell: back to back. */
const against = (edge: 0 | 1): object => ({
  displayArea: {
    storeAsInitialCamera: true,
    imageArea: [0.9, 0.9],
    imageCanvasPoint: { imagePoint: [edge, 0.5], canvasPoint: [edge, 0.5] },
  },
});

const mammography = {
  ...base('hutong.mg', '乳腺 MG'),
  protocolMatchingRules: ofStudy(['MG'], 4, 300),
  displaySetSelectors: { RCC: view('RCC'), LCC: view('LCC'), RMLO: view('RMLO'), LMLO: view('LMLO') },
  stages: [
    grid('CC / MLO', 2, 2, [
      cell('RCC', against(1)),
      cell('LCC', against(0)),
      cell('RMLO', against(1)),
      cell('LMLO', against(0)),
    ]),
  ],
};

const selector = (id: string, modalities: readonly string[], preferred: readonly object[] = []): object => ({
  [id]: {
    seriesMatchingRules: [hasImages, ...isModality(...modalities), ...preferred],
    studyMatchingRules: [isCurrent],
  },
});

/** The frontal view before the lateral one, in whatever order they were taken; those that name none as they come. */
const isFrontal = { weight: 5, attribute: VIEW, constraint: { contains: ['PA', 'AP'] } };

const sideBySide = (
  id: string,
  name: string,
  modalities: readonly string[],
  most: 2 | 4,
  preferred: readonly object[] = [],
): object => ({
  ...base(id, name),
  protocolMatchingRules: ofStudy(modalities, 2, 200),
  displaySetSelectors: selector('image', modalities, preferred),
  defaultViewport: cell('image', {}, -1),
  stages: [
    ...(most === 4
      ? [
          grid(
            '2 × 2',
            2,
            2,
            [0, 1, 2, 3].map((at) => cell('image', {}, at)),
            4,
          ),
        ]
      : []),
    grid(
      '1 × 2',
      1,
      2,
      [0, 1].map((at) => cell('image', {}, at)),
      2,
    ),
  ],
});

const tomography = {
  ...base('hutong.ct', 'CT'),
  protocolMatchingRules: ofStudy(['CT'], 1, 150),
  displaySetSelectors: selector('image', ['CT']),
  defaultViewport: cell('image', {}, -1),
  stages: [grid('1 × 1', 1, 1, [cell('image', { initialImageOptions: { custom: 'sopInstanceLocation' } })])],
};

export const PROTOCOLS: readonly object[] = [
  mammography,
  sideBySide('hutong.dx', 'X 线 DX', ['DX', 'CR'], 2, [isFrontal]),
  sideBySide('hutong.mr', 'MR', ['MR'], 4),
  tomography,
];

/** As a mode names them: the best match among these, and OHIF's own where none fits. */
export const PROTOCOL_IDS: readonly string[] = ['hutong.mg', 'hutong.dx', 'hutong.mr', 'hutong.ct', 'default'];
