// Answers that come out of order: what one has just done is on the page and stays there.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { setUp, settled } from './support/open.mjs';

const shared = setUp();

/** Holds back the next answer of the service to this read, as it was when asked; resolves once it has come through. */
function held(page, path, ms) {
  return new Promise((resolve) => {
    page.route(
      path,
      async (route) => {
        if (route.request().method() !== 'GET') {
          return route.continue();
        }
        const response = await route.fetch();
        await sleep(ms);
        await route.fulfill({ response });
        return resolve();
      },
      { times: 1 },
    );
  });
}

test('a read that was asked for before a change does not undo it on the page', async () => {
  const { token } = await shared.server.customer('ordered', { companyName: 'Before Ltd' });
  const page = await shared.open(token, '/');
  await settled(page);
  const late = held(page, '**/customer/me', 4_000);
  await page.getByRole('link', { name: 'Profile' }).click();
  await page.getByLabel('Company').fill('After Ltd');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved', { exact: true }).waitFor();
  await late;
  await page.waitForTimeout(500);
  assert.equal(await page.getByLabel('Company').inputValue(), 'After Ltd');
  await page.getByRole('link', { name: 'Overview' }).click();
  await settled(page);
  await shared.close(page);
});

test('a list that was on its way while one made a key is read once more', async () => {
  const { token } = await shared.server.customer('hasty');
  const page = await shared.open(token, '/keys');
  await settled(page);
  await page.getByRole('link', { name: 'Overview' }).click();
  await settled(page);
  const late = held(page, '**/customer/me/api-keys', 4_000);
  await page.getByRole('link', { name: 'API keys' }).click();
  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByLabel('Name').fill('Made meanwhile');
  await page.getByRole('button', { name: 'Make the key' }).click();
  await page.getByLabel('I have kept it').check();
  await page.getByRole('button', { name: 'Done' }).click();
  await late;
  await page.getByRole('heading', { name: 'Made meanwhile' }).waitFor();
  await shared.close(page);
});
