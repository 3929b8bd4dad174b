// The user and its preferences, and usage against limits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp, settled } from './support/open.mjs';

const shared = setUp();

test('the user is saved, and a fault stands at its field', async () => {
  const { token } = await shared.server.customer('someone');
  const page = await shared.open(token, '/user');
  const card = page.getByRole('region', { name: 'You', exact: true });
  await card.getByLabel('Display name').fill('Some One');
  await card.getByLabel('Time zone').fill('Europe/Nowhere');
  await card.getByRole('button', { name: 'Save' }).click();
  await card.locator('.fault').waitFor();
  assert.equal(await card.getByLabel('Time zone').getAttribute('aria-invalid'), 'true');
  await card.getByLabel('Time zone').fill('Europe/Lisbon');
  await card.getByLabel('Language and region').fill('pt-PT');
  await card.getByRole('button', { name: 'Save' }).click();
  await card.getByText('Saved', { exact: true }).waitFor();
  const now = await shared.server.call('GET', '/user/me', { token });
  assert.deepEqual([now.displayName, now.locale, now.timeZone], ['Some One', 'pt-PT', 'Europe/Lisbon']);
  await shared.close(page);
});

test('preferences are saved without touching what programs keep there, and the theme is the page’s', async () => {
  const { token } = await shared.server.customer('prefers');
  await shared.server.call('PATCH', '/user/me/preferences', { token, body: { custom: { columns: 3 } } });
  const page = await shared.open(token, '/user', { colorScheme: 'light' });
  const card = page.getByRole('region', { name: 'Preferences' });
  await card.getByLabel('Theme').selectOption('dark');
  await card.getByLabel('About the product').check();
  await card.getByRole('button', { name: 'Save preferences' }).click();
  await card.getByText('Saved', { exact: true }).waitFor();
  const now = await shared.server.call('GET', '/user/me/preferences', { token });
  assert.deepEqual([now.theme, now.notifications, now.custom], ['dark', { email: true, product: true, security: true }, { columns: 3 }]);
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  assert.equal(await background(), 'rgb(14, 19, 25)');
  await page.reload();
  await settled(page);
  assert.equal(await background(), 'rgb(14, 19, 25)');
  await shared.close(page);
});

test('a conflict in the preferences is shown and settled like any other', async () => {
  const { token } = await shared.server.customer('prefconflict');
  const page = await shared.open(token, '/user');
  const card = page.getByRole('region', { name: 'Preferences' });
  await card.getByLabel('Language').fill('de');
  await shared.server.call('PATCH', '/user/me/preferences', { token, body: { language: 'fr', theme: 'light' } });
  await card.getByRole('button', { name: 'Save preferences' }).click();
  await card.getByText('Somebody else changed this').waitFor();
  await card.getByRole('button', { name: 'Overwrite with mine' }).click();
  await card.getByText('Saved', { exact: true }).waitFor();
  const now = await shared.server.call('GET', '/user/me/preferences', { token });
  assert.deepEqual([now.language, now.theme], ['de', 'light']);
  await shared.close(page);
});

test('usage is a bar for each limit, as long as what is used, with the same in words', async () => {
  const { token } = await shared.server.customer('counted', { plan: 'pro' });
  await shared.server.call('PUT', '/customer/me/limits', { token, body: [{ name: 'mail', q: 10, w: 86_400 }] });
  const key = await shared.server.call('POST', '/customer/me/api-keys', { token, body: { name: 'k', scopes: ['limits:consume'] } });
  await shared.server.call('POST', '/customer/me/limits/consume', {
    headers: { 'X-API-Key': key.secret },
    body: { policies: [{ name: 'mail', cost: 9 }] },
  });
  const page = await shared.open(token, '/usage');
  const bar = page.getByRole('img', { name: 'mail: 9 of 10 used' });
  await bar.waitFor();
  const [whole, used] = await bar.locator('rect').evaluateAll((bars) => bars.map((each) => each.getBoundingClientRect().width));
  assert.ok(Math.abs(used / whole - 0.9) < 0.01, `${used} of ${whole}`);
  assert.match(await bar.getAttribute('class'), /bar-nearly/);
  await page.getByText('1 left').waitFor();
  await page.getByText(/Requests are counted within a minute|^GET \/customer/).first().waitFor();
  assert.doesNotMatch(await page.locator('main').innerText(), /N\/A|undefined|null|NaN/);
  await shared.close(page);
});
