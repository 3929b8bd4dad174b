// A limit that is exceeded: said with the wait that the service asks for, and over once that is over.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp } from './support/open.mjs';

// One more request every 34 seconds: longer than the page waits by itself.
const LIMITS = { starter: [{ name: 'tight', q: 8, w: 272 }] };
const shared = setUp({ RATE_LIMITS: JSON.stringify(LIMITS) });

test('429 is told with the seconds to wait, the button waits as long, and then it works', async () => {
  const { token } = await shared.server.customer('eager', { plan: 'starter' });
  for (let count = 0; count < 8; count += 1) {
    await shared.server.call('GET', '/customer/me', { token });
  }
  const page = await shared.open(token, '/usage');
  const card = page.getByRole('region', { name: 'Limits' });
  const alert = card.getByRole('alert');
  await alert.getByText('A rate limit is exceeded').waitFor({ timeout: 35_000 });
  const button = alert.getByRole('button', { name: /Try again in \d+ s/ });
  await button.waitFor();
  assert.equal(await button.isDisabled(), true);
  const again = alert.getByRole('button', { name: 'Try again', exact: true });
  await again.waitFor({ timeout: 60_000 });
  await again.click();
  await card.getByRole('img', { name: 'tight: 8 of 8 used' }).waitFor();
  assert.equal(await alert.count(), 0);
  await shared.close(page);
});
