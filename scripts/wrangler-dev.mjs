// `wrangler dev` with the development build, a demo customer in it, and a token for that: what `make dev` shows and
// what scripts/smoke.mjs proves.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT, Refusal, WRANGLER, companion, origin, spawnBound, toolEnvironment } from './lib.mjs';

const HOST = '127.0.0.1';
const READY_WITHIN_MS = 15 * 60_000; // a first build on a small machine
const POLL_MS = 250;
const DEMO = { customerId: 'demo', email: 'demo@example.com', name: 'Demo Customer' };

/** Starts `wrangler dev` on `port`; `args` are further options of it. */
export function startWranglerDev(port, values, { args = [], build = 'dev', stdio = 'inherit' } = {}) {
  // wrangler.toml says production, for deployments; a file that says otherwise wins over this.
  const environment = values.get('ENVIRONMENT') || 'development';
  return spawnBound(
    process.execPath,
    [
      '--no-warnings',
      WRANGLER,
      'dev',
      'build/dev/index.js',
      `--ip=${HOST}`,
      `--port=${port}`,
      '--inspector-port=0',
      '--show-interactive-dev-session=false',
      `--var=ENVIRONMENT:${environment}`,
      ...args,
    ],
    {
      cwd: ROOT,
      // miniflare would ask workers.cloudflare.com what `request.cf` looks like; nothing here reads that.
      env: toolEnvironment({ CLOUDFLARE_CF_FETCH_ENABLED: 'false', USER_API_BUILD: build }),
      stdio: ['ignore', stdio, stdio],
    },
  );
}

/** Resolves once the worker answers /ready with 200; refuses when `child` has ended, or after a long while. */
export async function ready(child, url, say = () => {}) {
  const deadline = Date.now() + READY_WITHIN_MS;
  let refused = false;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Refusal('wrangler dev has ended; what it said is above');
    }
    const status = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(5_000) }).then(
      (response) => response.status,
      () => undefined,
    );
    if (status === 200) {
      return;
    }
    if (status === 503 && !refused) {
      refused = true;
      say('/ready answers 503: a setting in .dev.vars is wrong, and the log above names it');
    }
    await sleep(POLL_MS);
  }
  throw new Refusal('the worker did not become ready; what wrangler said is above');
}

/** Makes the demo customer, or finds the one of last time; returns a token of its owner for `ttlSeconds`. */
export async function demoToken(url, values, ttlSeconds) {
  const [serviceKey] = (values.get('SERVICE_API_KEYS') ?? '').split(',');
  const response = await fetch(`${url}/internal/customers`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Service-Key': serviceKey.trim() },
    body: JSON.stringify(DEMO),
  });
  if (response.status !== 200 && response.status !== 201) {
    throw new Refusal(`POST /internal/customers answered ${response.status}: ${await response.text()}`);
  }
  const { customerId } = await response.json();
  const args = ['--customer', customerId, '--sub', 'user_demo00000001', '--email', DEMO.email, '--email-verified'];
  return companion(['token', ...args, '--ttl', String(ttlSeconds)], Object.fromEntries(values)).trim();
}

/** A token of an administrator for `ttlSeconds`; its own customer is made by its first request. */
export function adminToken(values, ttlSeconds) {
  const args = ['--customer', 'null', '--sub', 'user_demoadmin001', '--email', 'admin@example.com', '--email-verified', '--admin'];
  return companion(['token', ...args, '--ttl', String(ttlSeconds)], Object.fromEntries(values)).trim();
}

export const localUrl = (port) => origin(HOST, port);
export const persistArgs = (folder) => [`--persist-to=${folder}`, `--env-file=${join(folder, 'vars')}`];
