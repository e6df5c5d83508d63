/** Runs before OHIF: its configuration, and the hub's extension of it. Nothing of OHIF itself is altered here. */
import { createDataSource } from './data-source.ts';
import { addAttributes, PROTOCOL_IDS, PROTOCOLS } from './hanging.ts';
import { beside, dicomweb } from './hub.ts';
import { awaitLoader, i18n } from './ohif.ts';
import type { Given, React } from './ohif.ts';
import { preview } from './preview.ts';
import { BAR, MIP, mipButton, projection } from './projection.ts';
import { reportPanel } from './report-panel.ts';
import { FEW_AHEAD, SeriesStreams } from './series-stream.ts';
import { ensureStorage } from './storage.ts';
import { MORE_CHINESE, settleLanguage, words } from './text.ts';
import { awaitStudy, isWaiting, tellReady } from './waiting.ts';

const EXTENSION = 'hutong';
const MEGABYTE = 1024 * 1024;

/** Gigabytes as the browser tells them, at most 8; where it does not tell, a ward's PC with 4. */
const memory = (navigator as { readonly deviceMemory?: number }).deviceMemory ?? 4;
const cores = navigator.hardwareConcurrency;

/**
 * Viewports are drawn one after the other into one WebGL context and copied from it, as on a phone. Seven, which cornerstone
 * makes elsewhere, are made before the first image: without a graphics card that is most of a second, and with one each
 * keeps a copy of a volume that is shown three times.
 */
function spareContexts(): void {
  const { cornerstone } = window;
  const settings = cornerstone?.getConfiguration();
  if (settings !== undefined)
    cornerstone?.setConfiguration({ ...settings, rendering: { ...settings.rendering, webGlContextCount: 1 } });
}

const extension = {
  id: EXTENSION,
  preRegistration: ({ servicesManager }: Given) => {
    for (const [namespace, more] of Object.entries(MORE_CHINESE))
      i18n().addResourceBundle('zh', namespace, more, true, true);
    addAttributes(servicesManager);
    new SeriesStreams(servicesManager, memory < 4 ? 4 : 12).watch();
    if (isWaiting()) tellReady(servicesManager, spareContexts);
  },
  // Before the first viewport: what draws makes its contexts then.
  onModeEnter: spareContexts,
  getDataSourcesModule: () => [{ name: 'hub', type: 'webApi', createDataSource }],
  getHangingProtocolModule: () => [
    ...PROTOCOLS.map((protocol) => ({ name: (protocol as { id: string }).id, protocol })),
    { name: MIP, protocol: projection() },
  ],
  getPanelModule: ({ servicesManager }: Given) => [
    {
      name: 'report',
      iconName: 'tab-patient-info',
      iconLabel: words().report,
      label: words().report,
      component: reportPanel(servicesManager),
    },
  ],
};

/**
 * Looked at when OHIF lays itself out and not before: a frame of another site runs in a process of its own and is 0 wide until
 * the page around it says more.
 */
const narrowerThan = (pixels: number): { readonly $set: boolean } => ({
  get $set() {
    return (window.innerWidth || screen.width) < pixels;
  },
});

ensureStorage();
settleLanguage();
awaitLoader();
const ask = (): void => void beside().catch(() => undefined); // told where it is shown
if (isWaiting()) awaitStudy(ask);
else {
  preview();
  // Asked for while the bundles load.
  ask();
}

window.config = {
  routerBasename: '/viewer',
  extensions: [extension],
  modes: [],
  modesConfiguration: {
    '@ohif/mode-longitudinal': {
      hangingProtocol: { $set: PROTOCOL_IDS },
      toolbarButtons: { $push: [mipButton()] },
      toolbarSections: { $push: [{ primary: BAR }] },
      routes: {
        0: {
          layoutInstance: {
            props: {
              rightPanels: { $unshift: [`${EXTENSION}.panelModule.report`] },
              rightPanelClosed: narrowerThan(1024),
              leftPanelClosed: narrowerThan(700),
            },
          },
        },
      },
    },
  },
  customizationService: { global: { 'ohif.tours': { $set: [] } } },
  showPatientInfo: 'visible',
  // What is measured is tracked; nobody is asked for each series.
  measurementTrackingMode: 'simplified',
  whiteLabeling: {
    createLogoComponentFn: (react: React) =>
      react.createElement('span', { className: 'text-lg text-white' }, words().name),
  },
  // Whose studies there are is the portal's to list, and the panel's for this person.
  showStudyList: false,
  investigationalUseDialog: { option: 'configure', days: 30 },
  maxNumberOfWebWorkers: Math.max(1, Math.min(3, cores - 1)),
  // Pixels that stay decoded: a quarter of what the device has, so that a phone or a ward's PC does not give up.
  maxCacheSize: memory * 256 * MEGABYTE,
  maxNumRequests: { interaction: 20, thumbnail: 2, prefetch: FEW_AHEAD },
  showWarningMessageForCrossOrigin: false,
  showCPUFallbackMessage: false,
  showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true,
  showErrorDetails: 'dev',
  defaultDataSourceName: 'hub',
  dataSources: [
    {
      namespace: `${EXTENSION}.dataSourcesModule.hub`,
      sourceName: 'hub',
      configuration: {
        friendlyName: 'Hutong',
        name: 'hub',
        qidoRoot: dicomweb,
        wadoRoot: dicomweb,
        qidoSupportsIncludeField: true,
        imageRendering: 'wadors',
        thumbnailRendering: 'thumbnail',
        thumbnailRequestStrategy: 'fetch',
        enableStudyLazyLoad: true,
        supportsFuzzyMatching: true,
        supportsWildcard: true,
        supportsReject: false,
        omitQuotationForMultipartRequest: true,
        bulkDataURI: { enabled: true, relativeResolution: 'studies' },
      },
    },
  ],
};
