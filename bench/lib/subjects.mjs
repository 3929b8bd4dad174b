// The three subjects: how each is built, started on plain workerd, and filled. All get the same settings, the same
// tokens, a folder of their own on the same disk, and a file for what they print.
import { spawnSync } from 'node:child_process';
import { createHash, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import workerdPackage from 'workerd';
import { ROOT, Refusal, spawnBound, stop, toolEnvironment } from '../../scripts/lib.mjs';

const WORKERD = workerdPackage.default;
const SECRET = 'bench-secret-0123456789abcdef0123456789abcdef';
const [ISSUER, AUDIENCE, SERVICE_KEY] = ['https://login.bench.test', 'https://api.bench.test', 'bench-service-key-0123456789abcdef0123456789'];
// Never met by accident. The free plan of user-api meets one at once: the flood of refused requests.
const POLICIES = [{ name: 'burst', q: 100_000_000, w: 60 }, { name: 'day', q: 1_000_000_000, w: 86_400 }];
const TIGHT = [{ name: 'burst', q: 1, w: 86_400 }];

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const JWKS = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'ec-1', alg: 'ES256', use: 'sig' }] });
const key32 = (byte) => Buffer.alloc(32, byte).toString('base64');

const run = (command, args, options = {}) => {
  const { status } = spawnSync(command, args, { cwd: ROOT, env: toolEnvironment(), stdio: ['ignore', 'ignore', 'inherit'], ...options });
  if (status !== 0) {
    throw new Refusal(`${command} ${args.join(' ')} failed`);
  }
};

/** A token of the customer's user; `number` makes it another one. */
export function token(customer, { algorithm = 'HS256', number = 0 } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER, aud: AUDIENCE, sub: `auth0|${customer}`, customerId: customer, email: `${customer}@example.com`,
    email_verified: true, jti: `jti-${customer}-${number}`, scope: 'customer:owner', iat: now - 1, exp: now + 36_000,
  };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({ alg: algorithm, typ: 'JWT', kid: algorithm === 'HS256' ? 'hs-1' : 'ec-1' })}.${part(claims)}`;
  const signature = algorithm === 'HS256'
    ? createHmac('sha256', SECRET).update(input).digest()
    : sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

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
    SERVICE_API_KEYS: SERVICE_KEY, MASTER_KEYS: `1:${key32(1)}`, INDEX_KEY: key32(2), SIGNING_KEYS: `sig-1:${key32(3)}`,
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

/** Starts a subject on `folder`; resolves once it listens. */
export async function start(subject, folder) {
  mkdirSync(folder, { recursive: true });
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
      return { subject, folder, child, began, port: Number(port), end: () => stop(child, 5_000) };
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
