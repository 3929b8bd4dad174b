// What administrators do: the list and its filters, one customer, suspending and activating, the logs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp, settled } from './support/open.mjs';
import { tokenFor } from './support/server.mjs';

const shared = setUp();
const rows = (page) => page.locator('.list tbody tr');

test('customers are listed page by page and found by the filters', async () => {
  const admin = await shared.server.admin();
  for (let count = 0; count < 28; count += 1) {
    await shared.server.customer(`listed${count}`, { plan: count % 2 === 0 ? 'pro' : 'free' });
  }
  const page = await shared.open(admin, '/admin');
  await settled(page);
  assert.equal(await rows(page).count(), 25);
  await page.getByRole('button', { name: 'Show more' }).click();
  await page.getByText('all that fit').waitFor();
  assert.equal(await rows(page).count(), 29);
  await page.getByLabel('Plan').selectOption('pro');
  await page.getByText('14 customers, all that fit').waitFor();
  await page.getByLabel('E-mail, exactly').fill('LISTED4@example.com');
  await page.getByText('One customer, all that fit').waitFor();
  await rows(page).first().getByRole('link').click();
  await page.getByRole('heading', { name: 'listed4', level: 1 }).waitFor();
  await shared.close(page);
});

test('a customer is suspended with a reason, which it sees, and made active again', async () => {
  const admin = await shared.server.admin();
  const { token } = await shared.server.customer('debtor', { displayName: 'Debtor Ltd' });
  const page = await shared.open(admin, '/admin/customers/debtor');
  await page.getByRole('button', { name: 'Suspend…' }).click();
  await page.getByRole('button', { name: 'Suspend', exact: true }).click();
  await page.getByRole('dialog').locator('.fault:visible').waitFor();
  await page.getByLabel('Reason').fill('The invoice is unpaid.');
  await page.getByRole('button', { name: 'Suspend', exact: true }).click();
  await page.locator('.badge', { hasText: 'Suspended' }).waitFor();
  await page.getByText('The invoice is unpaid.').first().waitFor();
  assert.equal((await shared.server.call('GET', '/customer/me/status', { token })).status, 'suspended');
  await page.getByRole('button', { name: 'Activate…' }).click();
  await page.getByLabel('Reason').fill('Paid.');
  await page.getByRole('button', { name: 'Activate', exact: true }).click();
  await page.locator('.badge', { hasText: 'Active' }).waitFor();
  await page.reload();
  await page.locator('.entry', { hasText: 'Suspended the customer' }).first().waitFor();
  await shared.close(page);
});

test('a name that comes late takes neither the focus nor the place of who is reading', async () => {
  const admin = await shared.server.admin();
  await shared.server.customer('latecomer', { displayName: 'Latecomer Ltd' });
  const page = await shared.open(admin, '/admin');
  await settled(page);
  await page.route('**/admin/customers/latecomer', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await route.continue();
  });
  await page.evaluate(() => location.assign('#/admin/customers/latecomer'));
  await page.getByRole('heading', { name: 'latecomer', level: 1 }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
  const filter = page.getByLabel('Did what');
  await filter.focus();
  await page.getByRole('heading', { name: 'Latecomer Ltd', level: 1 }).waitFor();
  assert.equal(await filter.evaluate((element) => document.activeElement === element), true);
  assert.equal(await page.title(), 'Latecomer Ltd · user-api');
  await shared.close(page);
});

test('the operators’ log shows the lists that were asked for', async () => {
  const admin = await shared.server.admin();
  const page = await shared.open(admin, '/admin');
  await settled(page);
  await page.getByRole('link', { name: 'Operators’ log' }).click();
  await page.locator('.entry', { hasText: 'Listed the customers' }).first().waitFor();
  await shared.close(page);
});

test('who is no administrator sees no way there, and is refused at the address', async () => {
  const { token } = await shared.server.customer('curious');
  const page = await shared.open(token, '/');
  await settled(page);
  assert.equal(await page.getByText('Administration').count(), 0);
  await page.goto(`${shared.server.origin}/dashboard#/admin`);
  await page.getByText('This credential may not do this').waitFor();
  await shared.close(page);
});

test('an administrator without a customer gets to the administration', async () => {
  const admin = tokenFor({ sub: 'user_nobody000000', customerId: null, isSuperAdmin: true });
  const page = await shared.open(admin, '/admin');
  await page.getByRole('link', { name: 'Customers', exact: true }).waitFor();
  await rows(page).first().waitFor();
  await shared.close(page);
});
