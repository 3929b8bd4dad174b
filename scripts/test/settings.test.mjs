// The same facts stand in several files, each of which another program reads; these tests hold them together.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { unstable_readConfig as readConfig } from 'wrangler';
import { ROOT } from '../lib.mjs';
import { workerEnvironment } from '../serve.mjs';
import { SETTINGS } from '../settings.mjs';

const capnp = readFileSync(join(ROOT, 'workerd.capnp'), 'utf8');
const wrangler = readConfig({ config: join(ROOT, 'wrangler.toml') });
const all = (pattern) => [...capnp.matchAll(pattern)].map((match) => match[1]).sort();

test('workerd.capnp binds every setting under its own name', () => {
  assert.deepEqual(all(/\(name = "(\w+)", fromEnvironment = "\1"\)/g), SETTINGS);
  assert.equal(capnp.match(/fromEnvironment = /g).length, SETTINGS.length);
});

test('both runtimes bind the same objects, all with SQLite', () => {
  const bindings = wrangler.durable_objects.bindings.map((each) => `${each.name} ${each.class_name}`).sort();
  const ours = [...capnp.matchAll(/\(name = "(\w+)", durableObjectNamespace = "(\w+)"\)/g)];
  assert.deepEqual(ours.map(([, name, className]) => `${name} ${className}`).sort(), bindings);

  const classes = wrangler.durable_objects.bindings.map((each) => each.class_name).sort();
  assert.deepEqual(wrangler.migrations.flatMap((each) => each.new_sqlite_classes ?? []).sort(), classes);
  assert.deepEqual(all(/\(className = "(\w+)", uniqueKey = "[^"]+", enableSql = true\)/g), classes);
});

test('the shield counts over no longer a period than the advice of its refusals', () => {
  const [shield, ...others] = wrangler.ratelimits;
  assert.deepEqual([shield.name, others], ['SHIELD', []]);
  const source = readFileSync(join(ROOT, 'src/edge/shield.rs'), 'utf8');
  assert.match(source, /BINDING: &str = "SHIELD";/);
  const longest = Number(source.match(/MAX_PERIOD_SECS: u64 = (\d+);/)[1]);
  assert.ok(shield.simple.period <= longest && shield.simple.limit >= 12_000);
});

test('both runtimes run on the same compatibility date', () => {
  assert.deepEqual(all(/compatibilityDate = "([^"]+)"/g), [wrangler.compatibility_date]);
});

test('a deployment is production and reports nothing to anybody', () => {
  assert.equal(wrangler.vars.ENVIRONMENT, 'production');
  assert.equal(wrangler.send_metrics, false);
  assert.equal(wrangler.dev.ip, '127.0.0.1');
});

test('workerd is given the known settings that have a value, and nothing else', () => {
  const values = new Map([['JWT_SECRET', 'k:s'], ['PATH', '/bin'], ['JWKS_URL', ''], ['LD_PRELOAD', 'x']]);
  assert.deepEqual(workerEnvironment(values), { ENVIRONMENT: 'development', JWT_SECRET: 'k:s' });
  assert.equal(workerEnvironment(new Map([['ENVIRONMENT', 'production']])).ENVIRONMENT, 'production');
});
