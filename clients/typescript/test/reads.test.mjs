// What is read is what is there now, and for whoever asks now.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, json, problem } from './support.mjs';

/** An answer that comes when it is let. */
function held(answer) {
  let release;
  const gate = new Promise((resolve) => (release = resolve));
  return { answer: async () => (await gate, answer.clone()), release };
}

test('a read after a change joins no read from before it, and sees the change', async () => {
  const early = held(json({ name: 'Ada' }));
  const { api, seen } = client([early.answer, json({ name: 'Grace' }), json({ name: 'Grace' })]);
  const before = api.get('/customer/me');
  await api.patch('/customer/me', { body: { name: 'Grace' } });
  assert.equal((await api.get('/customer/me')).data.name, 'Grace');
  early.release();
  assert.equal((await before).data.name, 'Ada');
  assert.equal(seen.length, 3);
});

test('a read while a change is under way is not shared with one after it, also where the change fails', async () => {
  const [change, during] = [held(problem('validation_failed', 422)), held(json({ name: 'Ada' }))];
  const { api, seen } = client([change.answer, during.answer, json({ name: 'Grace' })]);
  const changing = api.patch('/customer/me', { body: {} });
  const early = api.get('/customer/me');
  change.release();
  await assert.rejects(changing);
  assert.equal((await api.get('/customer/me')).data.name, 'Grace');
  during.release();
  await early;
  assert.equal(seen.length, 3);
});

test('the end of an older read does not end a newer one', async () => {
  const [older, newer] = [held(json({ name: 'Ada' })), held(json({ name: 'Grace' }))];
  const { api, seen } = client([older.answer, json({}), newer.answer]);
  const first = api.get('/customer/me');
  await api.patch('/customer/me', { body: {} });
  const second = api.get('/customer/me');
  older.release();
  await first;
  const third = api.get('/customer/me');
  newer.release();
  assert.deepEqual([(await second).data.name, (await third).data.name], ['Grace', 'Grace']);
  assert.equal(seen.length, 3, 'the newer one is still shared');
});

test('by cookie nothing is remembered: somebody else may be signed in by now', async () => {
  const ada = json({ email: 'ada@example.com' }, 200, { ETag: '"1.1"' });
  const grace = json({ email: 'grace@example.com' }, 200, { ETag: '"1.1"' });
  const { api, seen } = client([ada, grace], { credential: { cookie: true } });
  await api.get('/user/me');
  assert.equal((await api.get('/user/me')).data.email, 'grace@example.com');
  assert.deepEqual(seen.map(({ headers }) => headers.get('If-None-Match')), [null, null]);
});

test('what was read is forgotten when the client is told to', async () => {
  const { api, seen } = client([json({ name: 'Ada' }, 200, { ETag: '"1.1"' })]);
  await api.get('/customer/me');
  api.forget();
  await api.get('/customer/me');
  assert.equal(seen[1].headers.get('If-None-Match'), null);
});
