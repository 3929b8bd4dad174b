// Open loops: requests at a fixed rate whatever comes back, so that a server which stalls cannot hide it.
import { join } from 'node:path';
import { isInstalled, openLoop } from './load.mjs';
import { interleaved, ratio, summary } from './measure.mjs';
import { WORKLOADS, prepare } from './workloads.mjs';

const SHARE = 0.4; // of what bare manages at 16 connections: far enough from where any subject queues
const CONNECTIONS = 64;
const MIN_SECONDS = 2;
const DEFAULT_RATE = 800; // where bare was not measured

/** GET and PATCH. */
export async function open(servers, { folder, options, results, say }) {
  const oha = process.env.OHA ?? 'oha';
  if (!isInstalled(oha)) {
    console.log('\nopen loop: skipped, oha is missing (cargo install oha, or OHA=/path)');
    return;
  }
  const able = servers.filter(({ subject }) => subject.name !== 'hono-grouped');
  const known = results.find(({ workload, connections }) => workload === 'get' && connections === 16);
  const rps = known?.lanes.bare?.rps.median;
  const rate = rps === undefined ? DEFAULT_RATE : Math.max(50, Math.floor((rps * SHARE) / 50) * 50);
  for (const name of ['get', 'patch']) {
    const workload = WORKLOADS.find((each) => each.name === name);
    const lanes = [];
    for (const server of able) {
      const prepared = await prepare(workload, server);
      const file = join(folder, `open-${server.subject.name}.txt`);
      const how = { rate, connections: CONNECTIONS, seconds: Math.max(options.seconds, MIN_SECONDS), file };
      lanes.push({ name: server.subject.name, server, load: () => openLoop(oha, server.port, prepared, how) });
    }
    const rounds = await interleaved(lanes, options.rounds);
    const [own, ...others] = lanes.map((lane) => lane.name);
    const ratios = others.map((other) => ratio(rounds, own, other, ['p50', 'p99', 'cpuMicros']));
    const what = `${workload.what}: ${rate} requests/s whatever comes back, latency from when each was due`;
    say({ workload: `open-${name}`, what, lanes: summary(rounds), ratios });
  }
}
