import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { objections } from '../deploy.mjs';
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
