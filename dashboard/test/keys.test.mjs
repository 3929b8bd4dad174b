// API keys: made, shown once, copied, rotated, revoked; and not for everybody.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp } from './support/open.mjs';
import { tokenFor, userId } from './support/server.mjs';

const shared = setUp();
const dialog = (page) => page.getByRole('dialog');
const works = async (secret) => (await fetch(`${shared.server.origin}/customer/me`, { headers: { 'X-API-Key': secret } })).status;

test('a key is made, its secret is shown once and copied, and it works', async () => {
  const { token } = await shared.server.customer('maker');
  const page = await shared.open(token, '/keys');
  await page.getByText('There is no key yet.').waitFor();
  await page.getByRole('button', { name: 'New key' }).click();
  // A fault first: a key without a name.
  await dialog(page).getByRole('button', { name: 'Make the key' }).click();
  await dialog(page).locator('.fault:visible').waitFor();
  await dialog(page).getByLabel('Name').fill('Nightly');
  await dialog(page).getByLabel('Read the usage').check();
  await dialog(page).getByLabel('Most requests an hour').fill('100');
  await dialog(page).getByRole('button', { name: 'Make the key' }).click();
  const secret = await dialog(page).getByLabel('The key', { exact: true }).innerText();
  assert.match(secret, /^uak_live_maker\./);
  await dialog(page).getByRole('button', { name: 'Copy the key' }).click();
  await dialog(page).getByText('Copied').first().waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  assert.equal(await works(secret), 200);
  // Nothing but the decision closes it, for the secret does not come again.
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  assert.equal(await dialog(page).getByRole('button', { name: 'Done' }).isDisabled(), true);
  await dialog(page).getByLabel('I have kept it').check();
  await dialog(page).getByRole('button', { name: 'Done' }).click();
  await page.getByRole('heading', { name: 'Nightly' }).waitFor();
  assert.equal((await page.content()).includes(secret), false);
  await page.reload();
  await page.getByRole('heading', { name: 'Nightly' }).waitFor();
  assert.equal((await page.content()).includes(secret), false);
  await shared.close(page);
});

test('a key is rotated, with a grace for the old one, and revoked at once', async () => {
  const { token } = await shared.server.customer('rotator');
  const old = await shared.server.call('POST', '/customer/me/api-keys', { token, body: { name: 'Turning', scopes: ['customer:read'] } });
  const page = await shared.open(token, '/keys');
  await page.getByRole('button', { name: 'Rotate Turning' }).click();
  await dialog(page).getByLabel('The old key').selectOption('3600');
  await dialog(page).getByRole('button', { name: 'Rotate' }).click();
  const secret = await dialog(page).getByLabel('The key', { exact: true }).innerText();
  assert.notEqual(secret, old.secret);
  assert.deepEqual([await works(secret), await works(old.secret)], [200, 200]);
  await dialog(page).getByLabel('I have kept it').check();
  await dialog(page).getByRole('button', { name: 'Done' }).click();
  await page.getByText('Replaced').waitFor();
  await page.getByRole('listitem').filter({ hasText: 'Replaced' }).getByRole('button', { name: 'Revoke Turning' }).click();
  await dialog(page).getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await works(old.secret), 200);
  await page.getByRole('listitem').filter({ hasText: 'Replaced' }).getByRole('button', { name: 'Revoke Turning' }).click();
  await dialog(page).getByRole('button', { name: 'Revoke the key' }).click();
  await page.getByText('Revoked').waitFor();
  assert.deepEqual([await works(secret), await works(old.secret)], [200, 401]);
  await shared.close(page);
});

test('who is not the owner is told so, and the rest of the dashboard works', async () => {
  const { claims } = await shared.server.customer('owned');
  const other = tokenFor({ ...claims, sub: userId('another'), email: 'another@example.com' });
  const page = await shared.open(other, '/keys');
  await page.getByText('Only the owner of this customer can see and make its keys').waitFor();
  assert.equal(await page.getByRole('button', { name: 'New key' }).isDisabled(), true);
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.locator('.name').waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
  await shared.close(page);
});
