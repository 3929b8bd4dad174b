// Closed loops: as many requests under way as there are connections.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { closedLoop, writePlan } from './load.mjs';
import { interleaved, ratio, summary } from './measure.mjs';
import { prepare, sameBytes } from './workloads.mjs';

// Customers that are not asked any more write what they have counted after 5 s; all at once, that would fall into the
// measurement after this one.
const SILENCE_MS = 9_000;
const NARROW = [16]; // of a short run, for all but GET and PATCH
const FIELDS = ['rps', 'p99', 'cpuMicros'];

/** A workload on all subjects that can do it; where it has variants, on user-api with each of them. */
export async function closed(servers, workload, { folder, options, say }) {
  const [own] = servers;
  const able = servers.filter(({ subject }) => workload.subjects.includes(subject.name));
  const variants = workload.variants ?? able.map((server) => ({ name: server.subject.name, server }));
  const lanes = [];
  const samples = [];
  for (const { name, server = own, ...changes } of variants) {
    const prepared = await prepare({ ...workload, ...changes }, server);
    samples.push({ name, ...prepared.sample });
    const file = join(folder, `${workload.name}-${name}.lua`.replaceAll(' ', '-'));
    writePlan(file, prepared, `127.0.0.1:${server.port}`);
    lanes.push({ name, server, file });
  }
  if (workload.isSame) {
    sameBytes(workload.name, samples);
  }
  const narrow = options.isNarrow && !workload.isSame ? (workload.narrow ?? NARROW) : undefined;
  for (const connections of narrow ?? workload.connections ?? options.connections) {
    const loaded = lanes.map(({ name, server, file }) => {
      const load = () => closedLoop(server.port, file, connections, Math.max(options.seconds, workload.leastSeconds ?? 0));
      return { name, server, load };
    });
    const rounds = await interleaved(loaded, options.rounds);
    const [first, ...others] = lanes.map(({ name }) => name);
    const ratios = workload.variants
      ? others.map((name) => ratio(rounds, name, first, FIELDS))
      : others.map((name) => ratio(rounds, first, name, FIELDS));
    if (workload.customers > 1) {
      await sleep(SILENCE_MS);
    }
    say({ workload: workload.name, what: workload.what, connections, lanes: summary(rounds), ratios });
  }
}
