/** HUB_COMMUNITIES: what it gives, and one line that names the variable and the place for each slip, never the value. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readCommunities } from '../../hub/communities.ts';
import { ConfigError } from '../../hub/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'hutong-communities-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});
const OWN = 'urn:oid:2.999.156.2';
const path = join(folder, 'communities.yaml');

function read(text: string): ReturnType<typeof readCommunities> {
  writeFileSync(path, text);
  return readCommunities(path, OWN);
}

test('none configured is none; an address, a limit and a token each', () => {
  assert.deepEqual(readCommunities(null, OWN), []);
  assert.deepEqual(read(''), []);
  const [one, ...others] = read(
    '- { home: urn:oid:2.999.9, name: 邻省, query: http://h/q, images: http://h/i, token: secret-word, timeoutMs: 500, patientIdAuthority: 2.999.7 }',
  );
  assert.deepEqual(others, []);
  assert.deepEqual([one?.home, one?.patientIdAuthority, one?.retrieve], ['urn:oid:2.999.9', '2.999.7', undefined]);
  assert.deepEqual(one?.query, { url: 'http://h/q', timeoutMs: 500, token: 'secret-word', tls: {} });
});

for (const [what, text] of [
  ['no list', 'home: urn:oid:2.999.9'],
  ['no YAML', '- { home: "'],
  ['an alias', '- &a { home: urn:oid:2.999.9, name: a, query: http://h/ }\n- *a'],
  ['no home', '- { name: a, query: http://h/ }'],
  ['an OID without its prefix', '- { home: 2.999.9, name: a, query: http://h/ }'],
  ['the home of this hub', `- { home: '${OWN}', name: a, query: http://h/ }`],
  [
    'a home twice',
    '- { home: urn:oid:2.999.9, name: a, query: http://h/ }\n- { home: urn:oid:2.999.9, name: b, query: http://h/ }',
  ],
  ['no address', '- { home: urn:oid:2.999.9, name: a }'],
  ['an address of another protocol', '- { home: urn:oid:2.999.9, name: a, query: ftp://secret-word/ }'],
  ['an unknown key', '- { home: urn:oid:2.999.9, name: a, query: http://h/, secret: secret-word }'],
  ['a limit of text', '- { home: urn:oid:2.999.9, name: a, query: http://h/, timeoutMs: soon }'],
  ['a token with a blank', '- { home: urn:oid:2.999.9, name: a, query: http://h/, token: secret-word of mine }'],
  [
    'a certificate without its key',
    '- { home: urn:oid:2.999.9, name: a, query: http://h/, certificate: communities.yaml }',
  ],
  [
    'a certificate that is not there',
    '- { home: urn:oid:2.999.9, name: a, query: http://h/, certificate: x.pem, key: x.pem }',
  ],
] as const)
  test(`${what} stops the start with one line`, () => {
    assert.throws(
      () => read(text),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /^HUB_COMMUNITIES takes the path of a YAML list of communities; ./);
        assert.doesNotMatch(error.message, /secret-word|\n/);
        return true;
      },
    );
  });

test('a file that is not there', () => {
  assert.throws(() => readCommunities(join(folder, 'none.yaml'), OWN), /^ConfigError|HUB_COMMUNITIES takes/);
});
