// How many tests a command's output reports, and which of them failed.

export const emptyCount = () => ({ passed: 0, failed: 0 });

const ESCAPES = /\u001b\[[0-9;]*m/g;
// cargo's and wasm-bindgen's summary of one test binary.
const CARGO = /^test result: \w+\. (\d+) passed; (\d+) failed;/gm;
// node's, in its spec and tap reporters.
const NODE = /^(?:ℹ|#) (pass|fail|cancelled) (\d+)$/gm;

/** The sum of every summary in `output`, or undefined where there is none. */
export function parseCounts(output) {
  const text = output.replace(ESCAPES, '');
  const count = emptyCount();
  let found = false;
  for (const [, passed, failed] of text.matchAll(CARGO)) {
    found = true;
    count.passed += Number(passed);
    count.failed += Number(failed);
  }
  for (const [, kind, number] of text.matchAll(NODE)) {
    found = true;
    count[kind === 'pass' ? 'passed' : 'failed'] += Number(number);
  }
  return found ? count : undefined;
}

/** Failed tests that are named, at most. */
const MAX_NAMED = 10;
// cargo's line of one test; node's, in its spec reporter, which repeats each at the end.
const FAILED = [/^test (\S+)(?: - should panic)? \.\.\. FAILED$/gm, /^\s*✖ (.+?)(?: \(\d[\d.]*ms\))?$/gm];
const NO_NAME = 'failing tests:';

/** The names of the tests that failed, each once; `…` stands for any beyond the first ten. */
export function failedNames(output) {
  const text = output.replace(ESCAPES, '');
  const names = new Set(FAILED.flatMap((line) => [...text.matchAll(line)].map(([, name]) => name)));
  names.delete(NO_NAME);
  return names.size > MAX_NAMED ? [...[...names].slice(0, MAX_NAMED), '…'] : [...names];
}
