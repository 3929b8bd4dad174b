// The entry of the module (worker/shim.mjs), over a module that traps when it is told to.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../lib.mjs';

const folder = mkdtempSync(join(tmpdir(), 'user-api-shim-'));
const listeners = new Map();
const said = [];
let shim;

// What wasm-bindgen makes, as far as the entry sees it.
const WASM = `
  const told = globalThis.shimTest;
  const act = (what) => {
    if (what === 'trap') throw new WebAssembly.RuntimeError('unreachable');
    if (what === 'refuse') throw new TypeError('no');
    return what === 'later' ? Promise.resolve('later') : what;
  };
  export const __worker_init_state = () => told.state;
  export const __wbg_reset_state = () => { told.resets += 1; };
  export const fetch = (request, env) => act(env + request);
  class Made {
    constructor(...args) { told.made.push(args); if (told.constructorTraps) act('trap'); }
    fetch(request) { return act(request); }
    alarm() { return act('later'); }
  }
  export { Made as CustomerObject, Made as DirectoryObject, Made as OperatorObject, Made as KeyVaultObject };
`;

before(async () => {
  globalThis.shimTest = {};
  globalThis.addEventListener = (name, listener) => listeners.set(name, listener);
  copyFileSync(join(ROOT, 'worker/shim.mjs'), join(folder, 'shim.mjs'));
  writeFileSync(join(folder, 'index.js'), WASM);
  globalThis.shimTest.state = { criticalError: false, instanceId: 0 };
  shim = await import(pathToFileURL(join(folder, 'shim.mjs')).href);
});

beforeEach((t) => {
  t.mock.method(console, 'log', (text) => said.push(text));
  t.mock.method(console, 'error', (text) => said.push(text));
  Object.assign(globalThis.shimTest, { resets: 0, made: [], constructorTraps: false });
  Object.assign(globalThis.shimTest.state, { criticalError: false });
});

after(() => rmSync(folder, { recursive: true, force: true }));

const call = (request) => {
  const waited = [];
  return { response: shim.default.fetch(request, '', { waitUntil: (promise) => waited.push(promise) }), waited };
};

test('a response goes out at once, and one that comes later is seen to its end', async () => {
  assert.deepEqual(call('now'), { response: 'now', waited: [] });
  const { response, waited } = call('later');
  assert.equal(await response, 'later');
  assert.deepEqual(waited, [response]);
});

test('after a trap the next call begins with a new memory, and objects are made anew of what they were made of', async () => {
  const { state } = globalThis.shimTest;
  const object = new shim.CustomerObject('state', 'env');
  assert.equal(object.fetch('now'), 'now');
  assert.throws(() => call('trap'), WebAssembly.RuntimeError);
  assert.equal(globalThis.shimTest.resets, 0);
  const id = state.instanceId;
  assert.equal(call('now').response, 'now');
  assert.deepEqual([globalThis.shimTest.resets, state.instanceId, state.criticalError], [1, id + 1, false]);
  assert.equal(await object.alarm(), 'later');
  assert.deepEqual(globalThis.shimTest.made, [['state', 'env'], ['state', 'env']]);
  assert.throws(() => object.fetch('trap'), WebAssembly.RuntimeError);
  assert.equal(object.fetch('now'), 'now');
  assert.equal(globalThis.shimTest.resets, 2);
});

test('a trap in a later step is heard of, too', () => {
  listeners.get('unhandledrejection')({ reason: new WebAssembly.RuntimeError('unreachable') });
  call('now');
  listeners.get('error')({ error: new WebAssembly.RuntimeError('unreachable') });
  call('now');
  assert.equal(globalThis.shimTest.resets, 2);
});

test('an object that cannot be made leaves a memory that is not used again', () => {
  globalThis.shimTest.constructorTraps = true;
  assert.throws(() => new shim.DirectoryObject(), WebAssembly.RuntimeError);
  globalThis.shimTest.constructorTraps = false;
  assert.equal(new shim.DirectoryObject().fetch('now'), 'now');
  assert.equal(globalThis.shimTest.resets, 1);
});

test('any other error is passed on and changes nothing', () => {
  assert.throws(() => call('refuse'), TypeError);
  assert.throws(() => new shim.KeyVaultObject().fetch('refuse'), TypeError);
  listeners.get('error')({ error: new TypeError('no') });
  call('now');
  assert.equal(globalThis.shimTest.resets, 0);
});
