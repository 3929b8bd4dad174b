// The subjects: how each is built, started on plain workerd, and filled. All get the same settings, the same tokens, a
// folder of their own on the same disk, and a file for what they print.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import workerdPackage from 'workerd';
import { ROOT, Refusal, spawnBound, stop, toolEnvironment } from '../../scripts/lib.mjs';
import { AUDIENCE, ISSUER, JWKS, SECRET, SERVICE_KEY, token } from './tokens.mjs';

const WORKERD = workerdPackage.default;
// Never met by accident. The free plan of user-api meets one at once: the flood of refused requests.
const POLICIES = [{ name: 'burst', q: 100_000_000, w: 60 }, { name: 'day', q: 1_000_000_000, w: 86_400 }];
const TIGHT = [{ name: 'burst', q: 1, w: 86_400 }];
const key32 = (byte) => Buffer.alloc(32, byte).toString('base64');
export const MASTER_KEY = key32(1);

/** Runs a command of a build. */
export const run = (command, args, options = {}) => {
  const { status } = spawnSync(command, args, { cwd: ROOT, env: toolEnvironment(), stdio: ['ignore', 'ignore', 'inherit'], ...options });
  if (status !== 0) {
    throw new Refusal(`${command} ${args.join(' ')} failed`);
  }
};

const call = async (port, path, init) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  return { status: response.status, text: await response.text() };
};

async function mustBe(status, answer) {
  const { status: was, text } = await answer;
  if (was !== status) {
    throw new Refusal(`setting up: ${was} instead of ${status}: ${text}`);
  }
  return text;
}

const serviceHeaders = { 'X-Service-Key': SERVICE_KEY, 'Content-Type': 'application/json' };

export const userApi = {
  name: 'user-api',
  config: 'workerd.capnp',
  build: () => run('scripts/build-worker.sh', ['release']),
  settings: () => ({
    ENVIRONMENT: 'production', JWT_SECRET: `hs-1:${SECRET}`, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE, JWKS,
    SERVICE_API_KEYS: SERVICE_KEY, MASTER_KEYS: `1:${MASTER_KEY}`, INDEX_KEY: key32(2), SIGNING_KEYS: `sig-1:${key32(3)}`,
    RATE_LIMITS: JSON.stringify({ pro: POLICIES, free: TIGHT }),
  }),
  async create(port, customer, { tight = false } = {}) {
    const body = JSON.stringify({
      customerId: customer, email: `${customer}@example.com`, plan: tight ? 'free' : 'pro', name: 'Ada Lovelace',
      companyName: 'Analytical Engines Ltd',
    });
    await mustBe(201, call(port, '/internal/customers', { method: 'POST', headers: serviceHeaders, body }));
  },
  async apiKey(port, customer) {
    await this.create(port, customer);
    const headers = { Authorization: `Bearer ${token(customer)}`, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ name: 'bench', scopes: ['limits:consume'] });
    const text = await mustBe(201, call(port, '/customer/me/api-keys', { method: 'POST', headers, body }));
    return JSON.parse(text).secret;
  },
};

export const bare = {
  name: 'bare',
  config: 'bench/bare/workerd.capnp',
  build: () =>
    run(join(ROOT, '.tools/bin/worker-build'), ['--release', '--out-dir', 'build', '--locked'], {
      cwd: join(ROOT, 'bench/bare'),
      env: toolEnvironment({
        CARGO_TARGET_DIR: join(ROOT, 'target/bench-bare'), WASM_BINDGEN_BIN: join(ROOT, '.tools/bin/wasm-bindgen'),
        WASM_OPT_BIN: join(ROOT, 'node_modules/.bin/wasm-opt'), ESBUILD_BIN: join(ROOT, 'node_modules/.bin/esbuild'),
        RUN_TO_COMPLETION: '1',
      }),
    }),
  settings: () => ({}),
  create: async () => {},
  /** Its objects are named by the path. */
  addressed: (request, number) => ({ ...request, path: number === 0 ? request.path : `/customer/${number}` }),
};

export const hono = {
  name: 'hono',
  config: 'bench/peers/hono/workerd.capnp',
  build() {
    const cwd = join(ROOT, 'bench/peers/hono');
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd });
    run(join(ROOT, 'node_modules/.bin/esbuild'), [
      'src/index.ts', '--bundle', '--format=esm', '--platform=neutral', '--main-fields=module,main',
      '--conditions=workerd,worker,browser', '--external:cloudflare:workers', '--minify', '--outfile=build/index.js', '--log-level=error',
    ], { cwd });
  },
  settings: () => ({
    JWT_SECRET: SECRET, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE, JWKS, SERVICE_KEY, RATE_LIMITS: JSON.stringify(POLICIES),
    TIGHT_LIMITS: JSON.stringify(TIGHT),
  }),
  async create(port, customer, { tight = false, keyDigest } = {}) {
    const body = JSON.stringify({ customerId: customer, keyDigest, plan: tight ? 'free' : 'pro' });
    await mustBe(201, call(port, '/internal/customers', { method: 'POST', headers: serviceHeaders, body }));
  },
  async apiKey(port, customer) {
    const secret = `uak_live_${customer}.0123456789abcdefghijklmnopqrstuv_abcdef`;
    const keyDigest = createHash('sha256').update(secret).digest('hex');
    await this.create(port, customer, { keyDigest });
    return secret;
  },
};

/** The peer with a commit for all that have arrived: what that alone gains. No reference, an extra. */
export const grouped = { ...hono, name: 'hono-grouped', build: () => {}, settings: () => ({ ...hono.settings(), GROUP_COMMIT: '1' }) };

/** The customers that each folder has. */
const madeIn = new Map();

/** Starts a subject on `folder`; resolves once it listens. */
export async function start(subject, folder) {
  mkdirSync(folder, { recursive: true });
  const made = madeIn.get(folder) ?? new Set();
  madeIn.set(folder, made);
  const log = openSync(join(folder, 'log'), 'w');
  const began = performance.now();
  const args = ['serve', join(ROOT, subject.config), '--socket-addr=http=127.0.0.1:0', `--directory-path=data=${folder}`, '--control-fd=3'];
  const child = spawnBound(WORKERD, args, { cwd: ROOT, env: subject.settings(), stdio: ['ignore', log, log, 'pipe'] });
  closeSync(log);
  let text = '';
  for await (const chunk of child.stdio[3]) {
    text += chunk;
    const port = /"event":"listen","socket":"http","port":(\d+)/.exec(text)?.[1];
    if (port !== undefined) {
      return { subject, folder, made, child, began, port: Number(port), end: () => stop(child, 5_000) };
    }
  }
  throw new Refusal(`${subject.name} does not listen: ${readFileSync(join(folder, 'log'), 'utf8')}`);
}

const status = (pid, field) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);

/** Seconds of CPU that the process has used. */
export function cpuSeconds({ child }) {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The most memory that the process has held since the last call, in MB. */
export function peakMemory({ child }) {
  const peak = status(child.pid, 'VmHWM') / 1000;
  writeFileSync(`/proc/${child.pid}/clear_refs`, '5');
  return peak;
}

export const remove = (folder) => rmSync(folder, { recursive: true, force: true });
