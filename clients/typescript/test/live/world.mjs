// The real service, the paths to it, and fresh people for each check.
import { probePort } from '../../../../scripts/lib.mjs';
import { startServer } from '../../../../scripts/test-server.mjs';
import { startProxy } from './proxy.mjs';

const EXPIRED_SECONDS = 600;
const LIMITS = {
  free: [{ name: 'burst', q: 2, w: 2 }],
  pro: [{ name: 'burst', q: 1_000_000, w: 60 }],
};

/** Starts the service, and another one that seals all that it answers; pages of `origins` may call them. */
export async function startWorld(origins = []) {
  const settings = { RATE_LIMITS: JSON.stringify(LIMITS), ALLOWED_ORIGINS: origins.join(',') || 'https://app.test' };
  const server = await startServer(settings);
  const sealing = await startServer({ ...settings, RESPONSE_ENCRYPTION: 'required' });
  const proxy = await startProxy(server.url);
  return {
    server,
    /** What a check gets, as plain data; `seen` beside it. */
    fresh: async () => {
      const roads = { plain: proxy.road('plain'), losing: proxy.road('losing'), silent: proxy.road('silent') };
      const customer = await server.customer();
      const then = Math.floor(Date.now() / 1000) - EXPIRED_SECONDS;
      const expired = server.token({ ...customer.claims, iat: then - 60, exp: then });
      const people = {
        customer: { ...customer, expired },
        stranger: await server.customer(),
        limited: await server.customer({ plan: 'free' }),
      };
      const urls = Object.fromEntries(Object.entries(roads).map(([name, { url }]) => [name, url]));
      const nowhere = `http://127.0.0.1:${await probePort('127.0.0.1', 0)}`;
      const required = { url: sealing.url, serviceKey: sealing.serviceKey, customer: await sealing.customer() };
      return { data: { ...urls, nowhere, ...people, required }, seen: (name) => roads[name].seen };
    },
    stop: async () => {
      await proxy.close();
      await server.stop();
      await sealing.stop();
    },
  };
}
