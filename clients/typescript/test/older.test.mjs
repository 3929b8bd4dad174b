// Older services through the whole client: sealed answers of version 3, and customers in a wrapper.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SealError } from '../dist/index.js';
import { client, json } from './support.mjs';

const VECTORS = JSON.parse(readFileSync(new URL('legacy-sealed-v3.json', import.meta.url), 'utf8'));
const unwrapped = (value) => (value.success === undefined ? value : value.customer);

test('the vectors of version 3 open through the client, bare and wrapped, and show the customer', async () => {
  assert.equal(VECTORS.length, 3);
  for (const { token, plaintext, sealed } of VECTORS) {
    const turned = Object.fromEntries(Object.entries(sealed).reverse());
    for (const document of [sealed, turned]) {
      for (const options of [{}, { sealed: true }]) {
        for (const path of ['/customer/me', '/admin/customers/me']) {
          const { api } = client([json(document)], { credential: { token }, ...options });
          assert.deepEqual((await api.get(path)).data, unwrapped(plaintext));
        }
      }
    }
  }
});

test('a customer of an older service shows the same wrapped and bare, also after a change', async () => {
  const customer = { customerId: 'demo', name: 'Ada' };
  for (const answer of [customer, { success: true, customer }]) {
    const { api } = client([json(answer)]);
    assert.deepEqual((await api.get('/customer/me')).data, customer);
    assert.deepEqual((await api.get('/admin/customers/me')).data, customer);
    assert.deepEqual((await api.patch('/customer/me', { body: {} })).data, customer);
  }
  const { api } = client([json({ success: true, customer })]);
  assert.deepEqual((await api.get('/customer/me/usage')).data, { success: true, customer }, 'nothing else is unwrapped');
});

test('what was sealed for another token, or cannot be opened here, is not shown', async () => {
  const [{ sealed }] = VECTORS;
  await assert.rejects(client([json(sealed)]).api.get('/customer/me'), SealError);
  await assert.rejects(client([json(sealed)], { credential: { cookie: true } }).api.get('/customer/me'), SealError);
});
