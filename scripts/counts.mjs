// How many tests a command's output reports.

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
