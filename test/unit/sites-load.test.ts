/** Site data: the demo sites are what SURFACE promises, every slip is named with its place, nobody is let in twice. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkSite } from '../../adapters/sites/check.ts';
import { loadSite, loadSites, SiteDataError } from '../../adapters/sites/load.ts';
import type { SiteFault } from '../../adapters/sites/fault.ts';
import { addressWithin, parseNetwork } from '../../hub/core/network.ts';

const SITES_DIR = join(import.meta.dirname, '../../adapters/sites');
let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hutong-sites-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** A folder of sites that starts as `_example` under the name h4, with one text replaced. */
async function edited(
  file: 'site.yaml' | 'codes.csv',
  from: string | RegExp,
  to: string,
): Promise<readonly SiteFault[]> {
  const dir = join(folder, 'edited');
  await rm(dir, { recursive: true, force: true });
  await cp(join(SITES_DIR, '_example'), join(dir, 'h4'), { recursive: true });
  const yaml = join(dir, 'h4/site.yaml');
  await writeFile(yaml, (await readFile(yaml, 'utf8')).replace('id: _example', 'id: h4'));
  const path = join(dir, 'h4', file);
  const text = await readFile(path, 'utf8');
  assert.notEqual(text.replace(from, to), text, 'the edit must change something');
  await writeFile(path, text.replace(from, to));
  try {
    await loadSites(dir);
    return [];
  } catch (error) {
    assert.ok(error instanceof SiteDataError);
    return error.faults;
  }
}

test('the demo sites are those of the surface', async () => {
  const sites = await loadSites(SITES_DIR);
  assert.deepEqual(
    sites.all.map((site) => [
      site.id,
      site.storage,
      ...site.hl7v2.senders.map(({ application, facility }) => `${application}|${facility}`),
      ...site.dicom.aeTitles,
      site.patientIds.defaultAuthority,
    ]),
    [
      ['h1', 'centre-and-local', 'RIS|H1', 'H1PACS', '2.999.156.1.1'],
      ['h2', 'centre', 'HIS|H2', 'H2MOD', '2.999.156.1.2'],
      ['h3', 'hospital', 'HIS|H3', 'H3PACS', '2.999.156.1.3'],
      ['region', 'centre', 'PLATFORM|REGION', '2.999.156.1'],
    ],
  );
  for (const site of sites.all)
    for (const addresses of [site.hl7v2.addresses, site.dicom.aeTitles.length > 0 ? site.dicom.addresses : ['::1']])
      for (const address of addresses) assert.ok(['127.0.0.0/8', '::1'].includes(address), 'loopback only');
  assert.equal(sites.byHl7Sender('RIS', 'H1')?.id, 'h1');
  assert.equal(sites.byHl7Sender('RIS', 'H2'), null);
  assert.equal(sites.byAeTitle('H3PACS ')?.id, 'h3');
  for (const stranger of ['', 'toString', '__proto__', 'H3PACS\u0000']) {
    assert.equal(sites.byAeTitle(stranger), null);
    assert.equal(sites.byId(stranger), null);
  }
});

test('one code means what its hospital says it means', async () => {
  const sites = await loadSites(SITES_DIR);
  const meaning = (id: string, table: string, code: string): string | undefined =>
    sites.byId(id)?.codes.lookup(table, code)?.display;
  assert.deepEqual([meaning('h1', 'patient-class', '4'), meaning('h3', 'patient-class', '4')], ['其他', '其他']);
  assert.equal(meaning('h2', 'patient-class', '4'), undefined);
  assert.equal(meaning('h1', 'procedure', ' ct1002 '), '胸部CT平扫');
  assert.equal(meaning('h1', 'procedure', 'ＣＴ１００２'), '胸部CT平扫', 'full width');
  assert.equal(meaning('h1', 'no-such-table', 'x'), undefined);
});

test('the example loads as it stands, and as a copy under another name', async () => {
  const faults: SiteFault[] = [];
  await loadSite(SITES_DIR, '_example', faults);
  assert.deepEqual(faults, []);
  assert.deepEqual(await edited('site.yaml', '二级甲等', '三级甲等'), []);
});

const slips: readonly (readonly ['site.yaml' | 'codes.csv', string | RegExp, string, string, RegExp])[] = [
  ['site.yaml', 'id: h4', 'id: h5', 'id', /name of its folder/],
  ['site.yaml', 'nameOrder: whole', 'nameOrders: whole', 'hl7v2.nameOrders', /not a known key.*nameOrder/],
  ['site.yaml', 'storage: centre', 'storage: cloud', 'storage', /one of centre, centre-and-local, hospital/],
  ['site.yaml', '10.99.0.0/24', '10.99.0.7/24', 'hl7v2.addresses[0]', /CIDR/],
  ['site.yaml', '10.99.0.0/24', 'his.example.org', 'hl7v2.addresses[0]', /CIDR/],
  ['site.yaml', '  addresses: [10.99.0.0/24]', '  addresses: []', 'hl7v2.addresses', /nobody is let in by name alone/],
  ['site.yaml', 'aeTitles: [EXAMPLEPACS]', 'aeTitles: [EXAMPLEPACSWHICHISLONG]', 'dicom.aeTitles[0]', /at most 16/],
  ['site.yaml', 'port: 104', 'port: 99999', 'dicom.nodes[0].port', /1 to 65535/],
  ['site.yaml', '# imageSource: EXAMPLEPACS', 'imageSource: NOWHERE', 'dicom.imageSource', /one of the nodes/],
  ['site.yaml', 'uscc: 12990100MA9990H41Y', 'uscc: 12990100MA9990H41Z', 'uscc', /check character/],
  ['site.yaml', 'timeZone: Asia/Shanghai', 'timeZone: Asia/Peking', 'timeZone', /IANA/],
  ['site.yaml', 'defaultAuthority: 2.999.156.1.99', 'defaultAuthority: 2.999', 'patientIds.defaultAuthority', /quotes/],
  ['site.yaml', 'name: 示例医院', 'name: 示例医院\nname: 另一医院', 'line 7', /unique/i],
  ['site.yaml', 'name: 示例医院', 'name: [', 'line', /./],
  ['site.yaml', 'name: 示例医院', 'name: &a 示例医院\nlevel2: *a', '', /aliases/],
  [
    'site.yaml',
    '\ndicom:',
    '\npixNotify: { domains: [2.999.156.1.1], mllp: { host: his, port: 2575 } }\ndicom:',
    'pixNotify.domains',
    /hl7v2\.query/,
  ],
  ['site.yaml', '\ndicom:', '\npixNotify: { domains: [2.999.156.1.99] }\ndicom:', 'pixNotify', /mllp, soap or both/],
  ['codes.csv', 'table,source', 'tables,source', 'line 1', /first line must read/],
  ['codes.csv', 'sex,1,男,male,男', 'sex,1,男,man,男', 'line', /"man" is not a code of table sex/],
  ['codes.csv', 'sex,1,男,male,男', 'sexes,1,男,male,男', 'line', /table "sexes" is unknown/],
  ['codes.csv', 'sex,2,女,female,女', 'sex,1,女,female,女', 'line', /mapped twice/],
  ['codes.csv', 'sex,1,男,male,男', 'sex,1,男,male', 'line', /5 cells are needed, 4/],
  ['codes.csv', 'sex,1,男,male,男', 'sex,,男,male,男', 'line', /must not be empty/],
  ['codes.csv', 'sex,1,男,male,男', 'sex,"1,男,male,男', 'line', /./],
];

for (const [file, from, to, path, text] of slips) {
  test(`a slip is named: ${to.replaceAll('\n', ' ')}`, async () => {
    const faults = await edited(file, from, to);
    const found = faults.find(
      (fault) => fault.file === `h4/${file}` && fault.path.startsWith(path) && text.test(fault.text),
    );
    assert.ok(found !== undefined, JSON.stringify(faults));
  });
}

test('two hospitals cannot claim one sender, AE title, institution or authority', async () => {
  const dir = join(folder, 'twins');
  for (const id of ['h4', 'h5']) {
    await cp(join(SITES_DIR, '_example'), join(dir, id), { recursive: true });
    const yaml = join(dir, id, 'site.yaml');
    await writeFile(yaml, (await readFile(yaml, 'utf8')).replace('id: _example', `id: ${id}`));
  }
  await assert.rejects(loadSites(dir), (error) => {
    assert.ok(error instanceof SiteDataError);
    const paths = error.faults.filter(({ file }) => file === 'h5/site.yaml').map((fault) => fault.path);
    assert.deepEqual(paths, [
      'institutionCode',
      'patientIds.defaultAuthority',
      'hl7v2.senders[0]',
      'dicom.aeTitles[0]',
    ]);
    return true;
  });
});

test('a file that is missing, not UTF-8, or no folder at all, is said', async () => {
  const faults: SiteFault[] = [];
  await loadSite(join(folder, 'nowhere'), 'h4', faults);
  assert.deepEqual(faults.map(({ file }) => file).sort(), ['h4/codes.csv', 'h4/site.yaml']);
  await cp(join(SITES_DIR, '_example'), join(folder, 'gbk/h4'), { recursive: true });
  await writeFile(join(folder, 'gbk/h4/codes.csv'), Buffer.from([0xd5, 0xc5]));
  await assert.rejects(loadSites(join(folder, 'gbk')), /not UTF-8/);
});

test('the check for newcomers reads samples, and says who would be refused', async () => {
  const golden = join(import.meta.dirname, '../golden');
  const good = await checkSite(
    join(SITES_DIR, 'h1'),
    [join(golden, 'h1/hl7v2-adt-a04-register/0-arrived.hl7')],
    '2026-03-03T02:00:00.000Z',
  );
  assert.equal(good.failures, 0, good.lines.join('\n'));
  assert.match(good.lines.join('\n'), /patient \{/);
  const stranger = await checkSite(
    join(SITES_DIR, 'h2'),
    [join(golden, 'h1/hl7v2-adt-a04-register/0-arrived.hl7')],
    '2026-03-03T02:00:00.000Z',
  );
  assert.equal(stranger.failures, 1);
  assert.match(stranger.lines.join('\n'), /RIS\|H1 is no sender of h2/);
});

test('addresses: blocks, mapped IPv4, and what is neither', () => {
  const inside: readonly (readonly [string, string])[] = [
    ['127.0.0.1', '127.0.0.0/8'],
    ['::ffff:127.0.0.1', '127.0.0.0/8'],
    ['::1', '::1'],
    ['fe80::1%eth0', 'fe80::/10'],
    ['10.1.2.3', '10.1.2.3'],
    ['8.8.8.8', '0.0.0.0/0'],
    ['2001:db8:0:0:0:0:0:1', '2001:db8::/32'],
  ];
  for (const [peer, network] of inside) assert.ok(addressWithin(peer, [network]), `${peer} in ${network}`);
  const outside: readonly (readonly [string, string])[] = [
    ['128.0.0.1', '127.0.0.0/8'],
    ['::2', '::1'],
    ['::1', '0.0.0.0/0'],
    ['127.0.0.1', '::/0'],
    ['127.0.0.1.5', '0.0.0.0/0'],
    ['', '0.0.0.0/0'],
    ['0177.0.0.1', '127.0.0.0/8'],
  ];
  for (const [peer, network] of outside) assert.ok(!addressWithin(peer, [network]), `${peer} not in ${network}`);
  for (const bad of [
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '::1/129',
    '1::2::3',
    'localhost',
    '10.0.0.0/8/8',
    '256.0.0.1',
  ])
    assert.equal(parseNetwork(bad), null, bad);
});

const XDS =
  "\nxds:\n  registry: 'https://10.99.2.10/registry'\n  repository: { url: 'https://10.99.2.10/repository', oid: 2.999.156.3.99 }\n";

test('the form of submissions is lenient or strict, and nothing else', async () => {
  const dir = join(folder, 'form');
  await cp(join(SITES_DIR, '_example'), join(dir, 'h4'), { recursive: true });
  const yaml = join(dir, 'h4/site.yaml');
  const text = (await readFile(yaml, 'utf8')).replace('id: _example', 'id: h4');
  for (const [value, form, paths] of [
    ['', undefined, []],
    ['strict', 'strict', []],
    ['loose', 'lenient', ['metadataForm']],
  ] as const) {
    await writeFile(yaml, value === '' ? text : `${text}\nmetadataForm: ${value}\n`);
    const faults: SiteFault[] = [];
    const site = await loadSite(dir, 'h4', faults);
    assert.equal(site.metadataForm, form);
    assert.deepEqual(
      faults.map((fault) => fault.path),
      paths,
    );
  }
});

test('a registry of its own: defaults, and each slip with its place', async () => {
  const dir = join(folder, 'xds');
  await cp(join(SITES_DIR, '_example'), join(dir, 'h4'), { recursive: true });
  const yaml = join(dir, 'h4/site.yaml');
  const text = (await readFile(yaml, 'utf8')).replace('id: _example', 'id: h4');
  await writeFile(yaml, text + XDS);
  const faults: SiteFault[] = [];
  const site = await loadSite(dir, 'h4', faults);
  assert.deepEqual(faults, []);
  assert.deepEqual(
    [site.xds?.timeoutMs, site.xds?.patientIdAuthority, site.xds?.poll],
    [15_000, '2.999.156.1.99', { perMinute: 30, everyMinutes: 240 }],
  );
  assert.equal(site.xds?.imagingSource, undefined);
  for (const [from, to, path] of [
    ['https://10.99.2.10/registry', 'ftp://10.99.2.10/', 'xds.registry'],
    [', oid: 2.999.156.3.99', '', 'xds.repository.oid'],
    ['2.999.156.3.99', "'2.x'", 'xds.repository.oid'],
    ['xds:', 'xds:\n  token: short', 'xds.token'],
    ['xds:', 'xds:\n  key: a.pem', 'xds.certificate'],
    ['xds:', 'xds:\n  poll: { perMinute: 0 }', 'xds.poll.perMinute'],
    ['xds:', 'xds:\n  imagingSource: { url: https://h/ }', 'xds.imagingSource.oid'],
    ['xds:', 'xds:\n  gateway: x', 'xds.gateway'],
  ] as const) {
    await writeFile(yaml, text + XDS.replace(from, to));
    const found: SiteFault[] = [];
    await loadSite(dir, 'h4', found);
    assert.deepEqual(
      found.map((fault) => fault.path),
      [path],
    );
  }
});
