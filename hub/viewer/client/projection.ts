/**
 * Maximum intensity projection by one button: vessels, calcium and contrast of a CT or MR volume in three planes, each
 * through the whole volume, in the window of the images. The button again gives back what hung before. Both are tables.
 */
import { words } from './text.ts';

export const MIP = 'hutong.mip';

const plane = (orientation: 'axial' | 'sagittal' | 'coronal'): object => ({
  viewportOptions: {
    viewportId: `mip-${orientation}`,
    toolGroupId: 'mpr',
    viewportType: 'volume',
    orientation,
    initialImageOptions: { preset: 'middle' },
    syncGroups: [{ type: 'voi', id: 'mip', source: true, target: true }],
  },
  displaySets: [{ id: 'activeDisplaySet', options: { blendMode: 'MIP', slabThickness: 'fullVolume' } }],
});

export const projection = (): object => ({
  id: MIP,
  name: words().mip,
  locked: true,
  icon: 'layout-advanced-mpr',
  numberOfPriorsReferenced: 0,
  // Never by itself: the images as they are come first.
  protocolMatchingRules: [],
  imageLoadStrategy: 'nth',
  displaySetSelectors: {
    activeDisplaySet: {
      seriesMatchingRules: [
        { weight: 1, attribute: 'isReconstructable', constraint: { equals: { value: true } }, required: true },
      ],
    },
  },
  stages: [
    {
      name: words().mip,
      viewportStructure: { layoutType: 'grid', properties: { rows: 1, columns: 3 } },
      viewports: [plane('axial'), plane('sagittal'), plane('coronal')],
    },
  ],
});

export const mipButton = (): object => ({
  id: MIP,
  uiType: 'ohif.toolButton',
  props: {
    icon: 'icon-mpr',
    label: 'MIP',
    tooltip: words().mip,
    commands: { commandName: 'toggleHangingProtocol', commandOptions: { protocolId: MIP } },
    evaluate: { name: 'evaluate.displaySetIsReconstructable', disabledText: words().noVolume },
  },
});

/** OHIF's own bar (`cornerstone.toolbarSections`) with the button beside the layouts. */
export const BAR: readonly string[] = [
  'MeasurementTools',
  'Zoom',
  'Pan',
  'TrackballRotate',
  'WindowLevel',
  'Capture',
  'Layout',
  MIP,
  'Crosshairs',
  'MoreTools',
];
