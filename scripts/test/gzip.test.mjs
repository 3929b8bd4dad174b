import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { gzippedBytes } from '../gzip.mjs';

test('sizes are those of the compressed files, added up', () => {
  const folder = mkdtempSync(join(tmpdir(), 'user-api-gzip-'));
  try {
    const [one, two] = ['one', 'two'].map((name) => join(folder, name));
    writeFileSync(one, 'a'.repeat(100_000));
    writeFileSync(two, '');
    const [large, small] = [gzippedBytes([one]), gzippedBytes([two])];
    assert.ok(large > small && large < 1_000, `${large} bytes`);
    assert.equal(gzippedBytes([one, two]), large + small);
    assert.throws(() => gzippedBytes([join(folder, 'none')]), /ENOENT/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
