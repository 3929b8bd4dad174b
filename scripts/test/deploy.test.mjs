import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { firstError, objections, objectionsOffline } from '../deploy.mjs';
import { ROOT } from '../lib.mjs';

const SECRETS = ['JWT_SECRET', 'SERVICE_API_KEYS', 'MASTER_KEYS', 'INDEX_KEY', 'SIGNING_KEYS'];
const VARS = { ENVIRONMENT: 'production', JWT_ISSUER: 'https://login.example.com', JWT_AUDIENCE: 'api' };

test('with every setting there is no objection', () => {
  assert.deepEqual(objections(SECRETS, VARS), []);
});

for (const missing of SECRETS) {
  test(`without ${missing} it is named, with the command that sets it`, () => {
    const found = objections(SECRETS.filter((name) => name !== missing), VARS);
    assert.equal(found.length, 1);
    assert.match(found[0], new RegExp(`^${missing} is missing.*: npx wrangler secret put ${missing}\\b`));
  });
}

for (const missing of ['JWT_ISSUER', 'JWT_AUDIENCE']) {
  test(`without ${missing} it is named`, () => {
    const found = objections(SECRETS, { ...VARS, [missing]: '' });
    assert.equal(found.length, 1);
    assert.match(found[0], new RegExp(`^${missing} is missing`));
  });
}

test('JWKS_URL or JWKS stand in for JWT_SECRET', () => {
  const others = SECRETS.slice(1);
  assert.deepEqual(objections(others, { ...VARS, JWKS_URL: 'https://login.example.com/jwks' }), []);
  assert.deepEqual(objections([...others, 'JWKS'], VARS), []);
});

test('a secret among the plain vars is refused, without its value', () => {
  const found = objections(SECRETS, { ...VARS, INDEX_KEY: 'hunter2' });
  assert.equal(found.length, 1);
  assert.match(found[0], /^INDEX_KEY stands in wrangler\.toml/);
  assert.doesNotMatch(found[0], /hunter2/);
});

test('a deployment as development is refused', () => {
  assert.match(objections(SECRETS, { ...VARS, ENVIRONMENT: 'development' }).join(), /ENVIRONMENT is not "production"/);
});

test('the commands name the environment that is deployed to', () => {
  assert.match(objections([], VARS, ' --env=staging')[0], /secret put JWT_SECRET --env=staging/);
});

test('the script refuses with the whole list and exit code 1', () => {
  const folder = mkdtempSync(join(tmpdir(), 'user-api-test-'));
  try {
    const file = join(folder, 'secrets.json');
    writeFileSync(file, JSON.stringify([{ name: 'MASTER_KEYS', type: 'secret_text' }]));
    const result = spawnSync(process.execPath, [join(ROOT, 'scripts/deploy.mjs'), '--check', '--secrets-json', file], { encoding: 'utf8' });
    assert.equal(result.status, 1, result.stderr);
    for (const name of SECRETS.filter((each) => each !== 'MASTER_KEYS')) {
      assert.match(result.stderr, new RegExp(`- ${name} is missing`));
    }
    assert.doesNotMatch(result.stderr, /MASTER_KEYS is missing/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Runs the script with a home of its own in which nobody is logged in. */
function deploy(...args) {
  const home = mkdtempSync(join(tmpdir(), 'user-api-test-'));
  try {
    const own = Object.entries(process.env).filter(([name]) => !/^(CLOUDFLARE|CF)_/.test(name));
    const env = { ...Object.fromEntries(own), CI: 'true', HOME: home, XDG_CONFIG_HOME: home };
    return spawnSync(process.execPath, [join(ROOT, 'scripts/deploy.mjs'), '--check', ...args], { encoding: 'utf8', env });
  } finally {
    rmSync(home, { recursive: true });
  }
}

test('without a login it says so first, then what is wrong, then what must be set', () => {
  const found = objectionsOffline('nobody is logged in', { ...VARS, JWT_ISSUER: '' }, ' --env=staging');
  assert.equal(found[0], 'secrets could not be listed: nobody is logged in');
  assert.match(found[1], /^JWT_ISSUER is missing/);
  assert.deepEqual(found.slice(2).map((line) => line.split(' ')[0]), SECRETS);
  for (const line of found.slice(2)) {
    assert.match(line, /^(\w+) must be set.*: npx wrangler secret put \1 --env=staging\b/);
  }
});

test('the script without a login refuses with the whole list', () => {
  const { status, stderr } = deploy();
  assert.equal(status, 1);
  assert.match(stderr, /^Not deployed:\n  - secrets could not be listed: \S/);
  for (const name of [...SECRETS, 'JWT_ISSUER', 'JWT_AUDIENCE']) {
    assert.match(stderr, new RegExp(`^  - ${name} (is missing|must be set)`, 'm'));
  }
  assert.doesNotMatch(stderr, /\u001b|^\s+at /m);
});

test('the first error is one plain line', () => {
  const output = '\n\u001b[31m✘ \u001b[41;31m[\u001b[41;97mERROR\u001b[41;31m]\u001b[0m \u001b[1mNo login\u001b[0m\n\n  more\n';
  assert.equal(firstError(output), 'No login');
  assert.equal(firstError('plain\n'), 'plain');
});

for (const [args, message] of [
  [['--secrets-json', '/nope'], '--secrets-json /nope: does not exist\n'],
  [['--secrets-json'], '--secrets-json needs a value\n'],
  [['--config', 'other.toml'], '--config is refused: what is checked and deployed is wrangler.toml\n'],
  [['-c', 'other.toml'], '--config is refused: what is checked and deployed is wrangler.toml\n'],
]) {
  test(`${args.join(' ')} is refused in one line`, () => {
    const { status, stderr } = deploy(...args);
    assert.equal(status, 1);
    assert.equal(stderr, message);
  });
}
