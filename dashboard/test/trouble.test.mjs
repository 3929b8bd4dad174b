// What goes wrong: a slow network, one part that fails, a suspended customer, limits, a service that is gone.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { setUp, settled } from './support/open.mjs';

const shared = setUp();
const API = /\/(customer|user|session|admin)(\/|$)/;
const calls = (page) => page.route((url) => API.test(url.pathname), async (route) => {
  await sleep(10_000);
  await route.continue();
});

test('on a slow network the page stands at once with skeletons, asks for everything in one round, and fills', async () => {
  const { token } = await shared.server.customer('slow', { displayName: 'Slow Ltd' });
  const page = await shared.page();
  await page.addInitScript((text) => sessionStorage.setItem('user-api-token', text), token);
  const asked = [];
  page.on('request', (request) => API.test(new URL(request.url()).pathname) && asked.push(new URL(request.url()).pathname));
  await calls(page);
  const began = Date.now();
  await page.goto(`${shared.server.origin}/dashboard`);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  assert.equal(await page.locator('[data-skeleton]').count(), 3);
  assert.ok(Date.now() - began < 5_000);
  await page.getByText('The network is slow').first().waitFor();
  // Nothing is answered yet, and everything was asked for, once.
  assert.deepEqual(asked.sort(), ['/customer/me', '/customer/me/audit', '/customer/me/usage', '/session']);
  await page.locator('.name', { hasText: 'Slow Ltd' }).waitFor({ timeout: 20_000 });
  await settled(page);
  assert.ok(Date.now() - began >= 10_000);
  assert.equal(await page.getByRole('alert').count(), 0);
  assert.equal(asked.length, 4);
  await shared.close(page);
});

test('a part that fails says so by itself, the rest works, and trying again mends it', async () => {
  const { token } = await shared.server.customer('partly', { displayName: 'Partly Ltd' });
  const page = await shared.page();
  await page.addInitScript((text) => sessionStorage.setItem('user-api-token', text), token);
  await page.route('**/customer/me/usage', (route) => route.abort());
  await page.goto(`${shared.server.origin}/dashboard`);
  await page.locator('.name', { hasText: 'Partly Ltd' }).waitFor();
  const card = page.getByRole('region', { name: 'Limits' });
  await card.getByRole('alert').getByText('The service cannot be reached').waitFor();
  assert.equal(await page.getByRole('alert').count(), 1);
  await page.locator('.entry').first().waitFor();
  // The rest works while that does not.
  await page.getByRole('link', { name: 'Edit' }).click();
  await page.getByLabel('Company').fill('Still Works Ltd');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Overview' }).click();
  // The page asks anew by itself; only once that failed too is it for the reader to try again.
  await card.locator('[data-skeleton]').waitFor();
  await card.getByRole('button', { name: 'Try again' }).waitFor();
  await page.unroute('**/customer/me/usage');
  await card.getByRole('button', { name: 'Try again' }).click();
  await card.getByRole('img', { name: /burst/ }).waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
  await shared.close(page);
});

test('a problem is shown in the service’s words with the request’s id', async () => {
  const { token } = await shared.server.customer('worded');
  const page = await shared.page();
  await page.addInitScript((text) => sessionStorage.setItem('user-api-token', text), token);
  await page.route('**/customer/me/usage', (route) =>
    route.fulfill({
      status: 500,
      contentType: 'application/problem+json',
      headers: { 'X-Request-Id': 'req_0123456789abcdef0123456789abcdef' },
      body: JSON.stringify({ type: '/problems/internal_error', title: 'Something went wrong on our side', status: 500, detail: 'It was noted.', code: 'internal_error' }),
    }),
  );
  await page.goto(`${shared.server.origin}/dashboard`);
  const alert = page.getByRole('alert');
  await alert.getByText('Something went wrong on our side').waitFor();
  await alert.getByText('It was noted.').waitFor();
  await alert.getByText('req_0123456789abcdef0123456789abcdef').waitFor();
  await shared.close(page);
});

test('a suspended customer reads why, reads its data, and is offered no change that would be refused', async () => {
  const { token } = await shared.server.customer('halted', { displayName: 'Halted Ltd' });
  await shared.server.call('POST', '/admin/customers/halted/suspend', { token: await shared.server.admin(), body: { reason: 'Unpaid since May.' } });
  const page = await shared.open(token, '/');
  await page.getByText('This customer is suspended').waitFor();
  await page.getByText('This customer is suspended: Unpaid since May.').waitFor();
  await page.locator('.name', { hasText: 'Halted Ltd' }).waitFor();
  await page.getByRole('link', { name: 'Profile' }).click();
  await page.getByLabel('Company').waitFor();
  assert.equal(await page.getByLabel('Company').isDisabled(), true);
  await page.getByRole('link', { name: 'API keys' }).click();
  assert.equal(await page.getByRole('button', { name: 'New key' }).isDisabled(), true);
  await page.getByRole('link', { name: 'Export and erasure' }).click();
  assert.equal(await page.getByRole('button', { name: 'Erase this customer…' }).isDisabled(), false);
  await shared.close(page);
});

test('suspended while one edits: the refusal is shown with what one typed', async () => {
  const { token } = await shared.server.customer('meanwhile');
  const page = await shared.open(token, '/profile');
  await page.getByLabel('Company').fill('Typed Ltd');
  await shared.server.call('POST', '/admin/customers/meanwhile/suspend', { token: await shared.server.admin(), body: { reason: 'x' } });
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The customer is suspended').waitFor();
  assert.equal(await page.getByLabel('Company').inputValue(), 'Typed Ltd');
  await shared.close(page);
});
