import assert from 'node:assert/strict';
import test from 'node:test';
import { failedNames, parseCounts } from '../counts.mjs';

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

test('tests that failed are named once, without their time', () => {
  const cargo = 'test a::b ... ok\ntest a::c ... FAILED\ntest a::d ... \u001b[31mFAILED\u001b[0m\n';
  const node = '✔ fine (1.2ms)\n  ✖ a page opens (12.5ms)\nfailing tests:\n✖ failing tests:\n✖ a page opens (12.5ms)\n';
  assert.deepEqual(failedNames(cargo), ['a::c', 'a::d']);
  assert.deepEqual(failedNames(node), ['a page opens']);
  assert.deepEqual(failedNames('test result: ok. 3 passed; 0 failed; 0 ignored\n'), []);
});

test('at most ten are named', () => {
  const names = failedNames(Array.from({ length: 12 }, (_, i) => `test t${i} ... FAILED\n`).join(''));
  assert.equal(names.length, 11);
  assert.equal(names.at(-1), '…');
});
