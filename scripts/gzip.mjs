// How large a file is when it is compressed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** More than any file here has when it is compressed, in bytes. */
const MAX_GZIP_BYTES = 64 << 20;

/**
 * The bytes of `paths`, each compressed by `gzip -9` (GNU's; others differ by a hundredth). Not by node's own zlib: it
 * picks another way where the processor has certain instructions, so that the same module had 785 kB on one machine and
 * 793 on the next.
 *
 * @param {string[]} paths
 * @returns {number}
 */
export function gzippedBytes(paths) {
  return paths.reduce((sum, path) => sum + gzip(path), 0);
}

function gzip(path) {
  const result = spawnSync('gzip', ['-9', '-n', '-c'], { input: readFileSync(path), maxBuffer: MAX_GZIP_BYTES });
  if (result.status !== 0) {
    throw new Error(`gzip of ${path} failed: ${result.error?.message ?? result.stderr}`);
  }
  return result.stdout.length;
}
