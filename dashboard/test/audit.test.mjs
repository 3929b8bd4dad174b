// Who looked at my data: filters, paging as one scrolls, and live.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp, settled } from './support/open.mjs';

const shared = setUp();
const entries = (page) => page.locator('.entry');

test('an administrator’s look is found by the filter, and unfolds without where it came from', async () => {
  const { token } = await shared.server.customer('watched');
  const admin = await shared.server.admin();
  await shared.server.call('GET', '/admin/customers/watched', { token: admin });
  await shared.server.call('PATCH', '/customer/me', { token, body: { companyName: 'Watched Ltd' } });
  const page = await shared.open(token, '/audit');
  await settled(page);
  await page.getByLabel('Who', { exact: true }).selectOption('admin');
  await page.waitForFunction(() => document.querySelectorAll('.entry').length === 1);
  await entries(page).getByText('Read the profile').waitFor();
  await entries(page).first().locator('summary').click();
  assert.match(await entries(page).first().innerText(), /Who\n+admin_[0-9a-f]{16}\b/);
  assert.doesNotMatch(await entries(page).first().innerText(), /Address/);
  await page.getByLabel('Who', { exact: true }).selectOption('');
  await page.getByLabel('Did what').selectOption('customer.update');
  await page.waitForFunction(() => document.querySelectorAll('.entry').length === 1);
  await entries(page).first().locator('summary').click();
  await page.locator('ins', { hasText: 'Watched Ltd' }).waitFor();
  await page.getByLabel('Outcome').selectOption('quota_exceeded');
  await page.getByText('No entry fits these filters.').waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.entry').length > 3);
  await page.getByLabel('To').fill('2020-01-01T00:00');
  await page.getByText('No entry fits these filters.').waitFor();
  await shared.close(page);
});

test('older entries come as one scrolls, each once, to the beginning of the log', async () => {
  const { token } = await shared.server.customer('longlog');
  for (let count = 0; count < 70; count += 1) {
    await shared.server.call('GET', '/customer/me', { token });
  }
  const page = await shared.open(token, '/audit');
  await settled(page);
  assert.ok((await entries(page).count()) <= 25);
  for (let round = 0; round < 20 && (await page.getByText('That is the beginning of the log.').count()) === 0; round += 1) {
    await page.mouse.wheel(0, 4_000);
    await page.waitForTimeout(250);
  }
  await page.getByText('That is the beginning of the log.').waitFor();
  const rows = await page.locator('.entry time').count();
  assert.ok(rows >= 71, `${rows}`);
  await entries(page).last().getByText('Made the customer').waitFor();
  await shared.close(page);
});

test('while it is live new entries come by themselves', async () => {
  const { token } = await shared.server.customer('lively');
  const page = await shared.open(token, '/audit');
  await settled(page);
  await page.getByLabel('Live').check();
  await shared.server.call('PATCH', '/customer/me', { token, body: { name: 'New' } });
  await entries(page).first().waitFor();
  await entries(page).getByText('Changed the profile').waitFor({ timeout: 12_000 });
  await page.getByLabel('Live').uncheck();
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.waitForTimeout(6_000);
  assert.deepEqual(asked, []);
  await shared.close(page);
});

test('what came while nobody looked is all there once one looks again', async () => {
  const { token } = await shared.server.customer('unseen');
  const page = await shared.open(token, '/audit');
  await settled(page);
  await page.getByLabel('Live').check();
  const hide = (isHidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
      document.dispatchEvent(new Event('visibilitychange'));
    }, isHidden);
  await hide(true);
  for (let count = 0; count < 150; count += 1) {
    await shared.server.call('GET', '/customer/me/status', { token });
  }
  await hide(false);
  await page.waitForFunction(() => document.querySelectorAll('.entry').length > 150);
  assert.equal(await entries(page).getByText('Read the status').count(), 150);
  await shared.close(page);
});

test('where more came than one look reads, the list begins anew, and says so', async () => {
  const { token } = await shared.server.customer('flooded');
  const page = await shared.open(token, '/audit');
  await settled(page);
  // As if every page were full of what is newer.
  const { data: [entry] } = await shared.server.call('GET', '/customer/me/audit?limit=1', { token });
  let seq = 100_000;
  await page.route('**/customer/me/audit?*', async (route) => {
    const data = Array.from({ length: 100 }, () => ({ ...entry, action: 'status.read', seq: (seq -= 1) }));
    await route.fulfill({ json: { data, hasMore: true, nextCursor: `cursor-${seq}` } });
  });
  await page.getByLabel('Live').check();
  await page.getByText('More than 500 entries came at once').waitFor();
  assert.equal(await entries(page).count(), 500);
  await shared.close(page);
});

test('a look that failed says so until one succeeds, and scrolling works meanwhile', async () => {
  const { token } = await shared.server.customer('flicker');
  for (let count = 0; count < 60; count += 1) {
    await shared.server.call('GET', '/customer/me', { token });
  }
  const page = await shared.open(token, '/audit');
  await settled(page);
  // Looks in front are for 100 entries, pages behind for 25.
  await page.route(/\/customer\/me\/audit\?.*limit=100/, (route) => route.abort());
  await page.getByLabel('Live').check();
  const alert = page.getByRole('alert');
  await alert.getByText('Looking for new entries: The service cannot be reached').waitFor({ timeout: 30_000 });
  for (let round = 0; round < 20 && (await page.getByText('That is the beginning of the log.').count()) === 0; round += 1) {
    await page.mouse.wheel(0, 4_000);
    await page.waitForTimeout(250);
  }
  await page.getByText('That is the beginning of the log.').waitFor();
  await page.unroute(/\/customer\/me\/audit\?.*limit=100/);
  await alert.waitFor({ state: 'detached', timeout: 30_000 });
  await shared.close(page);
});
