import assert from 'node:assert/strict';
import test from 'node:test';
import { parseCounts } from '../counts.mjs';

test('the summaries of several test binaries add up', () => {
  const output = 'test result: ok. 3 passed; 0 failed; 1 ignored\nnoise\ntest result: FAILED. 2 passed; 1 failed; 0 ignored\n';
  assert.deepEqual(parseCounts(output), { passed: 5, failed: 1 });
});

test('colours do not hide a summary', () => {
  const output = 'test result: \u001b[32mok\u001b[0m. 3 passed; 0 failed; 0 ignored\n';
  assert.deepEqual(parseCounts(output), { passed: 3, failed: 0 });
});

test("node's summary counts, a cancelled test as failed", () => {
  assert.deepEqual(parseCounts('ℹ tests 4\nℹ pass 2\nℹ fail 1\nℹ cancelled 1\n'), { passed: 2, failed: 2 });
});

test('output without a summary has no count', () => {
  assert.equal(parseCounts('Finished in 3 s\n'), undefined);
});
