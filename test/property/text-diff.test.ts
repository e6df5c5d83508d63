/** Laws of the difference of two texts: either side can be read out of it, and equal texts differ nowhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { textDiff } from '../../hub/core/text-diff.ts';

const side = (of: 'added' | 'removed', before: string, after: string): string =>
  textDiff(before, after)
    .filter(({ kind }) => kind === 'same' || kind === of)
    .map(({ text }) => text)
    .join('');

const report = fc.array(fc.constantFrom('右肺', '上叶', '结节', '未见', '异常', '。', '\n', '𠮷', '5mm', ' '), {
  maxLength: 60,
});

test('both texts can be read out of their difference', () => {
  fc.assert(
    fc.property(report, report, (a, b) => {
      const [before, after] = [a.join(''), b.join('')];
      assert.equal(side('removed', before, after), before);
      assert.equal(side('added', before, after), after);
    }),
  );
});

test('equal texts have one part, and an insertion is told as that alone', () => {
  assert.deepEqual(textDiff('', ''), []);
  assert.deepEqual(textDiff('未见异常', '未见异常'), [{ kind: 'same', text: '未见异常' }]);
  assert.deepEqual(textDiff('右肺上叶结节。', '右肺上叶磨玻璃结节。'), [
    { kind: 'same', text: '右肺上叶' },
    { kind: 'added', text: '磨玻璃' },
    { kind: 'same', text: '结节。' },
  ]);
});

test('texts that share nothing, however long, are told as replaced', () => {
  const [before, after] = ['肺'.repeat(32_000), '肝'.repeat(32_000)];
  assert.deepEqual(textDiff(before, after), [
    { kind: 'removed', text: before },
    { kind: 'added', text: after },
  ]);
});

test('a sentence or line put in is told whole', () => {
  assert.deepEqual(textDiff('右肺结节。', '右侧气胸。\n右肺结节。'), [
    { kind: 'added', text: '右侧气胸。\n' },
    { kind: 'same', text: '右肺结节。' },
  ]);
});
