// A limit that is exceeded: said with the wait that the service asks for, and over by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp } from './support/open.mjs';

const LIMITS = { starter: [{ name: 'tight', q: 8, w: 320 }] };
const shared = setUp({ RATE_LIMITS: JSON.stringify(LIMITS) });

test('429 is told with the seconds to wait, and the button waits as long', async () => {
  const { token } = await shared.server.customer('eager', { plan: 'starter' });
  for (let count = 0; count < 8; count += 1) {
    await shared.server.call('GET', '/customer/me', { token });
  }
  const page = await shared.open(token, '/usage');
  const alert = page.getByRole('alert').first();
  await alert.getByText('A rate limit is exceeded').waitFor({ timeout: 35_000 });
  const button = alert.getByRole('button', { name: /Try again in \d+ s/ });
  await button.waitFor();
  assert.equal(await button.isDisabled(), true);
  await shared.close(page);
});
