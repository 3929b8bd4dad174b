// The client in node against the real worker.
import { after, before, test } from 'node:test';
import { checks, serverChecks } from './checks.mjs';
import { startWorld } from './world.mjs';

let world;
before(async () => {
  world = await startWorld();
});
after(() => world?.stop());

for (const [name, check] of Object.entries({ ...checks, ...serverChecks })) {
  test(`in node, ${name}`, async () => {
    const { data, seen } = await world.fresh();
    await check({ ...data, seen: async (road) => seen(road) });
  });
}
