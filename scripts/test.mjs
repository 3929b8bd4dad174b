// `make check` and `make test`: runs every step, counts every test, and ends with one line `N passed, N failed`.
//
//   node scripts/test.mjs check|all
//
// Where a step prints tests of its own (cargo's or node's summary lines) those count; any other step counts as one.
// A failing step does not stop those after it, except those that need what it makes.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, WRANGLER, toolEnvironment } from './lib.mjs';
import { emptyCount, failedNames, parseCounts } from './counts.mjs';
import { gzippedBytes } from './gzip.mjs';

const WASM = ['--target', 'wasm32-unknown-unknown'];
// Every start compiles it. (The limit of Workers' free plan is 3 MB.) The goal is 450 kB: docs/PERFORMANCE.md.
const MAX_UPLOAD_GZIP_BYTES = 640_000;

// Every first visit loads it: all scripts of the dashboard together.
const MAX_DASHBOARD_GZIP_BYTES = 60_000;
// An export that is checked in the page loads it, once: measured are 107 kB.
const MAX_VERIFIER_GZIP_BYTES = 110_000;

const cargo = (...args) => ['cargo', ...args];
const node = (...args) => [process.execPath, ...args];
const script = (name) => join(ROOT, 'scripts', name);

/** The names of the package's integration tests: `tests/e2e` needs a built worker, `tests/wasm.rs` the wasm target. */
function testTargets() {
  const result = spawnSync('cargo', ['metadata', '--no-deps', '--format-version=1', '--locked'], { cwd: ROOT, encoding: 'utf8' });
  const targets = result.status === 0 ? JSON.parse(result.stdout).packages.flatMap((each) => each.targets) : [];
  return targets.filter(({ kind }) => kind.includes('test')).map(({ name }) => name);
}

function fastSteps(targets) {
  const native = targets.filter((name) => name !== 'e2e' && name !== 'wasm').flatMap((name) => ['--test', name]);
  return [
    { name: 'format', command: cargo('fmt', '--check') },
    { name: 'clippy on the host', command: cargo('clippy', '--locked', '--all-targets', '--', '-D', 'warnings') },
    { name: 'clippy on wasm32', command: cargo('clippy', '--locked', '--lib', ...WASM, '--', '-D', 'warnings') },
    { name: 'clippy on the verifier', command: cargo('clippy', '--locked', '--package', 'user-api-verify', ...WASM, '--', '-D', 'warnings') },
    {
      name: 'native tests',
      command: cargo('test', '--locked', '--no-fail-fast', '--lib', '--bins', ...native),
    },
    { name: 'scripts', command: node('--test', '--test-reporter=spec', 'scripts/test/*.test.mjs') },
    { name: 'types of the dashboard', command: node('node_modules/typescript/bin/tsc', '-p', 'dashboard') },
    { name: 'build of the TypeScript client', makes: 'client', command: node('node_modules/typescript/bin/tsc', '-p', 'clients/typescript') },
    {
      name: 'TypeScript client',
      needs: 'client',
      command: node('--test', '--test-reporter=spec', '--test-timeout=60000', 'clients/typescript/test/*.test.mjs'),
    },
  ];
}

function slowSteps(targets) {
  const glue = targets.includes('wasm') ? ['--test', 'wasm'] : [];
  return [
    { name: 'glue in wasm', command: cargo('test', '--locked', '--no-fail-fast', '--lib', ...glue, ...WASM) },
    { name: 'release build of the worker', makes: 'release', command: [script('build-worker.sh'), 'release'] },
    { name: 'end-to-end on workerd', needs: 'release', command: cargo('test', '--locked', '--no-fail-fast', '--test', 'e2e') },
    {
      name: 'TypeScript client on workerd, in node and in Chromium',
      needs: 'release',
      command: node('--test', '--test-reporter=spec', '--test-timeout=120000', 'clients/typescript/test/live/*.test.mjs'),
    },
    { name: 'size of the dashboard', needs: 'release', run: dashboardSize },
    {
      name: 'dashboard in a browser',
      needs: 'release',
      command: node('--test', '--test-reporter=spec', '--test-timeout=180000', 'dashboard/test/*.test.mjs'),
    },
    { name: 'wrangler deploy --dry-run', needs: 'release', run: dryRun },
    { name: 'development build of the worker', makes: 'dev', command: [script('build-worker.sh'), 'dev'] },
    { name: 'smoke test of wrangler dev', needs: 'dev', command: node(script('smoke.mjs')), env: { USER_API_BUILD: 'none' } },
  ].filter(({ command }) => !command?.includes('e2e') || targets.includes('e2e'));
}

/** Runs a command, showing what it prints; resolves with its exit code and the output. */
function execute([command, ...args], extra = {}) {
  return new Promise((resolve) => {
    const env = toolEnvironment({
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: join(ROOT, '.tools/bin/wasm-bindgen-test-runner'),
      ...(process.stdout.isTTY ? { CARGO_TERM_COLOR: 'always' } : {}),
      ...extra,
    });
    const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
      from.on('data', (chunk) => {
        output += chunk;
        to.write(chunk);
      });
    }
    child.on('error', (error) => resolve({ code: 127, output: `${output}${error.message}\n` }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** What would be uploaded is complete and small enough. */
async function dryRun() {
  const folder = mkdtempSync(join(tmpdir(), 'user-api-deploy-'));
  try {
    const command = node('--no-warnings', WRANGLER, 'deploy', '--dry-run', `--outdir=${folder}`);
    const { code, output } = await execute(command, { USER_API_BUILD: 'none' });
    if (code !== 0) {
      return { code, output };
    }
    const files = readdirSync(folder).filter((name) => /\.(js|wasm)$/.test(name));
    const bytes = gzippedBytes(files.map((name) => join(folder, name)));
    const complete = files.some((name) => name.endsWith('.js')) && files.some((name) => name.endsWith('.wasm'));
    const found = `${files.length} modules, ${(bytes / 1000).toFixed(1)} kB gzipped of at most ${MAX_UPLOAD_GZIP_BYTES / 1000}`;
    console.log(`upload: ${found}`);
    return { code: complete && bytes <= MAX_UPLOAD_GZIP_BYTES ? 0 : 1, output, why: found };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a browser loads of the dashboard is small enough. */
function dashboardSize() {
  const folder = join(ROOT, 'build/assets/dashboard');
  const weigh = (what, ending, most) => {
    const files = readdirSync(folder).filter((name) => name.endsWith(ending));
    const bytes = gzippedBytes(files.map((name) => join(folder, name)));
    const found = `${what}: ${files.length} files, ${(bytes / 1000).toFixed(1)} kB gzipped of at most ${most / 1000}`;
    console.log(found);
    return bytes > 0 && bytes <= most ? [] : [found];
  };
  const tooLarge = [
    ...weigh('scripts of the dashboard', '.js', MAX_DASHBOARD_GZIP_BYTES),
    ...weigh('verifier, loaded on demand', '.wasm', MAX_VERIFIER_GZIP_BYTES),
  ];
  return { code: tooLarge.length === 0 ? 0 : 1, output: '', why: tooLarge.join('; ') };
}

/** One step's tests: what it printed, or itself. A step that failed without a failed test counts as one failure. */
async function count(step, missing) {
  if (missing.has(step.needs)) {
    console.log(`needs the ${step.needs} build, which failed`);
    return { passed: 0, failed: 1, why: `needs the ${step.needs} build` };
  }
  const { code, output, why } = await (step.run ? step.run() : execute(step.command, step.env));
  const tests = parseCounts(output);
  if (code === 0) {
    return tests ?? { passed: 1, failed: 0 };
  }
  missing.add(step.makes);
  const failed = failedNames(output);
  return {
    passed: tests?.passed ?? 0,
    failed: Math.max(tests?.failed ?? 0, 1),
    why: why ?? (failed.length > 0 ? failed.join(', ') : `exit code ${code}`),
  };
}

async function main(which) {
  if (which !== 'check' && which !== 'all') {
    console.error('usage: node scripts/test.mjs check|all');
    return 2;
  }
  const targets = testTargets();
  const steps = which === 'check' ? fastSteps(targets) : [...fastSteps(targets), ...slowSteps(targets)];
  const total = emptyCount();
  const missing = new Set();
  const summary = [];
  for (const [index, step] of steps.entries()) {
    console.log(`\n=== ${index + 1}/${steps.length} ${step.name}`);
    const began = Date.now();
    const result = await count(step, missing);
    missing.delete(undefined);
    const reason = result.why ? `: ${result.why}` : '';
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    const line = `${step.name}: ${result.passed} passed, ${result.failed} failed (${seconds} s)${reason}`;
    console.log(`=== ${line}`);
    summary.push(`${result.failed === 0 ? 'ok    ' : 'FAILED'} ${line}`);
    total.passed += result.passed;
    total.failed += result.failed;
  }
  console.log(`\n${summary.join('\n')}\n`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv[2]);
