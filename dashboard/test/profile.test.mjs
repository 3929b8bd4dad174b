// The profile: its id to copy, faults at their fields, and a conflict with somebody else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp } from './support/open.mjs';

const shared = setUp();
const field = (page, name) => page.getByLabel(name, { exact: true });
const save = (page) => page.getByRole('button', { name: 'Save', exact: true }).click();

test('the customer id is copied by a click, which says so', async () => {
  const { token } = await shared.server.customer('copied');
  const page = await shared.open(token, '/profile');
  await page.getByRole('button', { name: 'Copy the customer id' }).click();
  await page.getByText('Copied').first().waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'copied');
  await shared.close(page);
});

test('a change is saved, and only what was changed is sent', async () => {
  const { token } = await shared.server.customer('edited', { name: 'Ada', metadata: { colour: 'green', size: 'L' } });
  const page = await shared.open(token, '/profile');
  await field(page, 'Company').fill('Edited Ltd');
  await page.getByRole('button', { name: 'Remove size' }).click();
  await page.getByRole('button', { name: 'Add' }).click();
  await field(page, 'Name 2').fill('region');
  await field(page, 'Value of region').fill('north');
  const sent = page.waitForRequest((request) => request.method() === 'PATCH');
  await save(page);
  assert.deepEqual((await sent).postDataJSON(), { companyName: 'Edited Ltd', metadata: { size: null, region: 'north' } });
  assert.match((await (await sent).allHeaders())['if-match'], /^"[0-9a-f]{16}\.1"$/);
  await page.getByText('Saved', { exact: true }).waitFor();
  const now = await shared.server.call('GET', '/customer/me', { token });
  assert.deepEqual([now.name, now.companyName, now.metadata], ['Ada', 'Edited Ltd', { colour: 'green', region: 'north' }]);
  await shared.close(page);
});

test('each fault stands at its field, and the first one gets the focus', async () => {
  const { token } = await shared.server.customer('faulty');
  const page = await shared.open(token, '/profile');
  await field(page, 'Company').fill('x'.repeat(201));
  await field(page, 'Display name').fill(' spaces around ');
  await page.getByRole('button', { name: 'Add' }).click();
  await field(page, 'Name 1').fill('k'.repeat(41));
  await field(page, `Value of ${'k'.repeat(41)}`).fill('v');
  await save(page);
  const company = field(page, 'Company');
  await page.locator('.fault').first().waitFor();
  assert.equal(await company.getAttribute('aria-invalid'), 'true');
  assert.equal(await field(page, 'Display name').getAttribute('aria-invalid'), 'true');
  assert.equal(await field(page, 'Name', { exact: true }).getAttribute('aria-invalid'), 'false');
  assert.equal(await company.evaluate((input) => document.activeElement === input), true);
  const described = await company.getAttribute('aria-describedby');
  assert.match(await page.locator(`[id="${described}"]`).innerText(), /200/);
  assert.equal(await page.locator('.failure').count(), 0);
  // The name of a metadata key is long, so its pointer is cut: the fault may stand below the form, but it stands.
  assert.ok((await page.locator('.fault:visible').count()) >= 3);
  await company.fill('Short Ltd');
  await field(page, 'Display name').fill('No spaces');
  await page.getByRole('button', { name: /^Remove/ }).click();
  await save(page);
  await page.getByText('Saved', { exact: true }).waitFor();
  await shared.close(page);
});

/** A page in which Company was edited, while somebody else changed Company and Name. */
async function inConflict(id) {
  const { token } = await shared.server.customer(id, { name: 'Before', companyName: 'Before Ltd' });
  const page = await shared.open(token, '/profile');
  await field(page, 'Company').fill('Mine Ltd');
  await shared.server.call('PATCH', '/customer/me', { token, body: { companyName: 'Theirs Ltd', name: 'Theirs' } });
  await save(page);
  await page.getByText('Somebody else changed this').waitFor();
  return { page, read: () => shared.server.call('GET', '/customer/me', { token }) };
}

test('a conflict shows both sides and changes nothing; overwriting keeps what they changed elsewhere', async () => {
  const { page, read } = await inConflict('overwrite');
  const row = page.getByRole('row', { name: /Company/ });
  assert.deepEqual(await row.getByRole('cell').allInnerTexts(), ['Mine Ltd', 'Theirs Ltd']);
  assert.equal((await read()).companyName, 'Theirs Ltd');
  await page.getByRole('button', { name: 'Overwrite with mine' }).click();
  await page.getByText('Saved', { exact: true }).waitFor();
  assert.equal(await page.getByText('Somebody else changed this').count(), 0);
  const now = await read();
  assert.deepEqual([now.companyName, now.name], ['Mine Ltd', 'Theirs']);
  await shared.close(page);
});

test('taking theirs fills the form with what there is now', async () => {
  const { page, read } = await inConflict('taketheirs');
  await page.getByRole('button', { name: 'Take theirs' }).click();
  assert.equal(await field(page, 'Company').inputValue(), 'Theirs Ltd');
  assert.equal(await field(page, 'Name').inputValue(), 'Theirs');
  assert.equal(await page.getByText('Somebody else changed this').count(), 0);
  assert.equal((await read()).companyName, 'Theirs Ltd');
  await shared.close(page);
});
