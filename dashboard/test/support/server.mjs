// The real worker with settings and data of its own, started as anybody starts it, and what tests put into it.
import { spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, stop } from '../../../scripts/lib.mjs';

const SECRET = 'browser-tests-secret-0123456789abcdef0123';
const SERVICE_KEY = 'browser-tests-service-key-0123456789';
const ISSUER = 'https://login.browser.test';
const AUDIENCE = 'https://api.browser.test';
const key = (byte) => Buffer.alloc(32, byte).toString('base64');

/** Limits that no test meets by accident; those of `free` are the ones that pictures show. */
const RATE_LIMITS = JSON.stringify({
  free: [{ name: 'burst', q: 100_000, w: 60 }, { name: 'day', q: 1_000_000, w: 86_400 }],
  pro: [{ name: 'burst', q: 600, w: 60 }, { name: 'day', q: 50_000, w: 86_400 }],
});

const SETTINGS = {
  JWT_SECRET: SECRET,
  JWT_ISSUER: ISSUER,
  JWT_AUDIENCE: AUDIENCE,
  SERVICE_API_KEYS: SERVICE_KEY,
  MASTER_KEYS: `1:${key(1)}`,
  INDEX_KEY: key(2),
  SIGNING_KEYS: `sig-1:${key(3)}`,
  RATE_LIMITS,
};

/** A token as the login service makes it. */
export function tokenFor(claims, ttlSeconds = 3600) {
  const now = Math.floor(Date.now() / 1000);
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const whole = { iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + ttlSeconds, jti: randomUUID(), ...claims };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(whole)}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

/** A user id of our form. */
export const userId = (name) => `user_${name.padEnd(12, '0')}`;

export async function startServer(settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'user-api-dashboard-'));
  const values = { ENVIRONMENT: 'development', ...SETTINGS, ...settings };
  writeFileSync(join(folder, 'vars'), Object.entries(values).map(([name, value]) => `${name}='${value}'\n`).join(''), { mode: 0o600 });
  const child = spawn(process.execPath, [join(ROOT, 'scripts/serve.mjs')], {
    env: { ...process.env, PORT: '0', DATA_DIR: join(folder, 'data'), ENV_FILE: join(folder, 'vars') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  const origin = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        log += chunk;
        const found = /user-api listens on (\S+)/.exec(log);
        if (found !== null) {
          resolve(found[1]);
        }
      });
    }
    child.once('exit', () => reject(new Error(`the server has ended:\n${log}`)));
  });
  return new Server(child, folder, origin);
}

class Server {
  constructor(child, folder, origin) {
    Object.assign(this, { child, folder, origin });
  }

  async call(method, path, { token, body, headers = {} } = {}) {
    const response = await fetch(this.origin + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${text}`);
    }
    return text === '' ? undefined : JSON.parse(text);
  }

  /** A new customer; `token` is its owner's, `claims` what that says. */
  async customer(customerId, fields = {}) {
    const email = `${customerId}@example.com`;
    await this.call('POST', '/internal/customers', { body: { customerId, email, ...fields }, headers: { 'X-Service-Key': SERVICE_KEY } });
    const claims = { sub: userId(customerId.replaceAll(/[^a-z0-9]/g, '')), customerId, email, email_verified: true };
    return { customerId, email, claims, token: tokenFor(claims) };
  }

  /** An administrator's token, with a customer of its own. */
  async admin(customerId = 'operators') {
    const { claims } = await this.customer(customerId, { displayName: 'The operators' });
    return tokenFor({ ...claims, isSuperAdmin: true });
  }

  async stop() {
    await stop(this.child);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
