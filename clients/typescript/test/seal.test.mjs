// Sealed responses of both versions, as fixed vectors: those of version 4 the service's tests open too.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SealError, openSealed, unwrapCustomer } from '../dist/index.js';

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
const V4 = read('../../../tests/data/sealed-v4.json');
const V3 = read('./legacy-sealed-v3.json');
const frame = ({ status, sealed }) => ({ status, requestId: sealed.requestId });

test('version 4 opens for its own credential', async () => {
  assert.ok(V4.length >= 3);
  for (const vector of V4) {
    assert.equal(await openSealed(vector.sealed, vector.token, frame(vector)), vector.plaintext);
  }
});

test('version 4 opens for no other credential, request, status or media type, and not when changed', async () => {
  for (const vector of V4) {
    const { sealed, token } = vector;
    const refuse = (document, credential, how) => assert.rejects(openSealed(document, credential, how), SealError);
    await refuse(sealed, `${token}x`, frame(vector));
    await refuse(sealed, token, { ...frame(vector), status: 418 });
    await refuse(sealed, token, { ...frame(vector), requestId: 'another' });
    await refuse({ ...sealed, requestId: 'another' }, token, { status: vector.status });
    await refuse({ ...sealed, contentType: 'text/html' }, token, frame(vector));
    await refuse({ ...sealed, data: sealed.data.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')) }, token, frame(vector));
    for (const broken of [{ nonce: 'AAAA' }, { salt: '' }, { data: '!' }, { data: undefined }, { version: 5 }, { kdf: 'none' }]) {
      await refuse({ ...sealed, ...broken }, token, frame(vector));
    }
  }
  await assert.rejects(openSealed({}, 'x', { status: 200 }), SealError);
  await assert.rejects(openSealed(null, 'x', { status: 200 }), SealError);
});

test('version 3 opens for its own token and no other', async () => {
  assert.equal(V3.length, 3);
  for (const { token, plaintext, sealed } of V3) {
    assert.deepEqual(JSON.parse(await openSealed(sealed, token, { status: 200 })), plaintext);
    await assert.rejects(openSealed(sealed, `${token}x`, { status: 200 }), SealError);
    const data = sealed.data.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'));
    await assert.rejects(openSealed({ ...sealed, data }, token, { status: 200 }), SealError);
  }
});

test('a customer is the same bare and in the old wrapper', () => {
  const customer = { customerId: 'demo', name: 'Ada' };
  assert.equal(unwrapCustomer(customer), customer);
  assert.equal(unwrapCustomer({ success: true, customer }), customer);
  assert.deepEqual(unwrapCustomer(V3[1].plaintext), V3[1].plaintext.customer);
});
