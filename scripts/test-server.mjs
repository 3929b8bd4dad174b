// The release build under test, started as anybody starts it (scripts/serve.mjs), with settings and storage of its own;
// and whom it trusts: tokens and customers. For the tests of the client and of the dashboard.
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, Refusal, exited, spawnBound, stop } from './lib.mjs';

const ISSUER = 'https://login.test';
const AUDIENCE = 'https://api.test';
const TTL_SECONDS = 3600;
const READY_WITHIN_MS = 60_000;
const READY = /^user-api listens on (\S+)$/m;
const secret = () => randomBytes(32).toString('base64');

/** A JSON Web Token of these claims, HS256 (RFC 7515). */
function signed(claims, key) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'HS256', typ: 'JWT', kid: 'test' })}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

/** Resolves with the address that the child prints, and passes what else it prints to `log`. */
async function address(child, log) {
  let output = '';
  const found = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
        log(String(chunk));
        const match = READY.exec(output);
        if (match) {
          resolve(match[1]);
        }
      });
    }
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_WITHIN_MS);
  const url = await Promise.race([found, exited(child).then(() => undefined)]);
  clearTimeout(timer);
  if (url === undefined) {
    throw new Refusal(`the server did not start:\n${output}`);
  }
  return url;
}

/**
 * Starts a server. `settings` are added to those that it needs; `log` takes what it prints. What is returned:
 * `url`; `token(claims)`, a token of those claims; `customer(fields)`, a customer that has just been made, as
 * `{customerId, email, token}` of its owner; `admin`, an administrator's token; `serviceKey`; `stop()`.
 */
export async function startServer(settings = {}, log = () => {}) {
  const [jwtSecret, serviceKey] = [secret(), secret()];
  const values = {
    ENVIRONMENT: 'production', JWT_SECRET: `test:${jwtSecret}`, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE,
    SERVICE_API_KEYS: serviceKey, MASTER_KEYS: `1:${secret()}`, INDEX_KEY: secret(), SIGNING_KEYS: `sig:${secret()}`,
    ...settings,
  };
  const folder = mkdtempSync(join(tmpdir(), 'user-api-server-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const file = join(folder, 'vars');
  const lines = Object.entries(values).map(([name, value]) => `${name}='${value}'\n`);
  writeFileSync(file, lines.join(''), { mode: 0o600 });
  const child = spawnBound(process.execPath, [join(ROOT, 'scripts/serve.mjs')], {
    cwd: ROOT,
    env: { ...process.env, PORT: '0', HOST: '127.0.0.1', DATA_DIR: join(folder, 'data'), ENV_FILE: file, CONFIG: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let url;
  try {
    url = await address(child, log);
  } catch (error) {
    remove();
    throw error;
  }
  const token = (claims) => {
    const iat = Math.floor(Date.now() / 1000);
    const common = { iss: ISSUER, aud: AUDIENCE, iat, exp: iat + TTL_SECONDS, jti: randomUUID() };
    return signed({ ...common, csrf: randomUUID(), ...claims }, jwtSecret);
  };
  const customer = async (fields = {}) => {
    const id = randomBytes(6).toString('hex');
    const body = { customerId: `cust-${id}`, email: `owner-${id}@example.com`, name: 'Ada', plan: 'pro', ...fields };
    const response = await fetch(`${url}/internal/customers`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Service-Key': serviceKey },
      body: JSON.stringify(body),
    });
    if (response.status !== 201) {
      throw new Error(`making a customer: ${response.status} ${await response.text()}`);
    }
    const { customerId, email } = body;
    const claims = { sub: `user_${id}`, customerId, email, email_verified: true };
    return { customerId, email, claims, token: token(claims) };
  };
  return {
    url,
    token,
    customer,
    admin: token({ sub: 'user_operator0001', customerId: null, isSuperAdmin: true }),
    serviceKey,
    stop: async () => {
      await stop(child);
      remove();
    },
  };
}
