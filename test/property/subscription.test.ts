/** LIKE of subscriptions against what it stands for, on letters few enough that everything happens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLike } from '../../hub/core/document-subscription.ts';

const letters = (all: readonly string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...all), { maxLength: 8 }).map((some) => some.join(''));

test('isLike agrees with the regular expression that the pattern stands for', () => {
  fc.assert(
    fc.property(
      letters(['a', 'b', '𠮷', '%', '_', '\n']),
      letters(['a', 'b', '𠮷', '%', '%', '_']),
      (text, pattern) => {
        const meant = Array.from(pattern).map((sign) => (sign === '%' ? '.*' : sign === '_' ? '.' : sign));
        assert.equal(isLike(text, pattern), new RegExp(`^${meant.join('')}$`, 'su').test(text));
      },
    ),
    { numRuns: 5_000 },
  );
});
