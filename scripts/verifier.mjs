// Builds the check of exports (clients/verify) for JavaScript: module and glue in clients/typescript/verify/module/.
// Does nothing where they are up to date. scripts/assets.mjs calls it, for the dashboard.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, Refusal, isMain, run, toolEnvironment } from './lib.mjs';

const TARGET = 'wasm32-unknown-unknown';
const FOLDER = join(ROOT, 'clients/typescript/verify/module');
const MADE = ['verify.js', 'verify.d.ts', 'verify_bg.wasm', 'verify_bg.wasm.d.ts'];
/** What every browser has that the dashboard's build is for. */
const FEATURES = ['bulk-memory', 'sign-ext', 'nontrapping-float-to-int', 'mutable-globals', 'reference-types', 'multivalue'];

function must(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, env: toolEnvironment(env), stdio: 'inherit' });
  if (status !== 0) {
    throw new Refusal(`${command} ${args[0]} failed${error ? `: ${error.message}` : ''}`);
  }
}

const changedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

export function buildVerifier() {
  must('cargo', ['build', '--quiet', '--release', '--locked', '--target', TARGET, '--package', 'user-api-verify']);
  const linked = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), TARGET, 'release/user_api_verify.wasm');
  if (MADE.every((name) => changedAt(join(FOLDER, name)) > changedAt(linked))) {
    return;
  }
  const aside = join(ROOT, 'build/verify');
  must(join(ROOT, '.tools/bin/wasm-bindgen'), [linked, '--target=web', '--out-name=verify', `--out-dir=${aside}`]);
  const wasm = join(aside, 'verify_bg.wasm');
  const features = FEATURES.map((name) => `--enable-${name}`);
  must(join(ROOT, 'node_modules/.bin/wasm-opt'), [wasm, '-O3', ...features, '--strip-debug', '--strip-producers', '-o', `${wasm}.small`]);
  renameSync(`${wasm}.small`, wasm);
  mkdirSync(FOLDER, { recursive: true });
  for (const name of MADE) {
    copyFileSync(join(aside, name), join(FOLDER, `.${name}`));
    renameSync(join(FOLDER, `.${name}`), join(FOLDER, name));
  }
}

if (isMain(import.meta)) {
  await run(async () => buildVerifier());
}
