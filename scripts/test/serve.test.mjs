// What scripts/serve.mjs refuses. That it serves, and ends well, is shown by tests/e2e on the built worker.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { after } from 'node:test';
import { ROOT } from '../lib.mjs';

const folder = mkdtempSync(join(tmpdir(), 'user-api-test-'));
after(() => rmSync(folder, { recursive: true }));
const goodFile = join(folder, 'good');
writeFileSync(goodFile, 'JWT_SECRET="k1:hunter2"\n');

/** Starts the script, which must refuse: its exit code is 1, it printed nothing on stdout; returns its stderr. */
async function refusal(env) {
  const child = spawn(process.execPath, [join(ROOT, 'scripts/serve.mjs')], {
    env: { ...process.env, DATA_DIR: join(folder, 'data'), ENV_FILE: goodFile, ...env },
  });
  const [out, err, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once('exit', resolve)),
  ]);
  assert.equal(code, 1, err);
  assert.equal(out, '');
  return err;
}

test('a missing ENV_FILE is named', async () => {
  assert.match(await refusal({ ENV_FILE: join(folder, 'nowhere') }), /^ENV_FILE .*nowhere does not exist\n$/);
});

test('a malformed ENV_FILE is named by its line, without its content', async () => {
  const path = join(folder, 'bad');
  writeFileSync(path, 'A=1\nJWT_SECRET="hunter2\n');
  const err = await refusal({ ENV_FILE: path });
  assert.match(err, /^ENV_FILE .*bad: line 2 /);
  assert.doesNotMatch(err, /hunter2/);
});

test('a port that is taken is named', async () => {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address();
    assert.match(await refusal({ PORT: String(port) }), new RegExp(`^port ${port} on 127\\.0\\.0\\.1 is taken`));
  } finally {
    server.close();
  }
});

test('a PORT that is no port is named', async () => {
  assert.match(await refusal({ PORT: '99999' }), /^PORT is not a port number: 99999/);
});

for (const path of ['file', 'file/below']) {
  test(`a DATA_DIR that is no folder is named: ${path}`, async () => {
    writeFileSync(join(folder, 'file'), '');
    const err = await refusal({ PORT: '0', DATA_DIR: join(folder, path) });
    assert.equal(err, `DATA_DIR ${join(folder, path)} is not a folder\n`);
  });
}

test('a DATA_DIR in which another workerd runs is refused, and its pid file stays', async () => {
  const dataDir = join(folder, 'used');
  const pidFile = join(dataDir, 'workerd.pid');
  mkdirSync(dataDir);
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'workerd'], { stdio: 'ignore' });
  try {
    writeFileSync(pidFile, `${other.pid}\n`);
    const err = await refusal({ PORT: '0', DATA_DIR: dataDir });
    assert.match(err, new RegExp(`^DATA_DIR .*used is in use by another server: process ${other.pid}\\b`));
    assert.ok(existsSync(pidFile));
  } finally {
    other.kill('SIGKILL');
  }
});
