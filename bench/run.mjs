// `make bench`: user-api beside the least Rust worker and a TypeScript peer, on plain workerd, on this machine.
//
//   make bench ARGS="--quick | [--rounds 5] [--seconds 6] [--connections 1,16,64] [--only name,name] [--no-build]"
//
// Rounds are interleaved (A B C A B C …), the first is dropped as warm-up, every response is checked. The noise of the
// machine is part of the result: read ratios, and their spread, never a single figure. docs/PERFORMANCE.md.
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { arch, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, Refusal, run } from '../scripts/lib.mjs';
import { closedLoop, isInstalled, openLoop, writePlan } from './lib/load.mjs';
import { print, svg } from './lib/report.mjs';
import { bare, cpuSeconds, hono, peakMemory, remove, start, userApi } from './lib/subjects.mjs';
import { WORKLOADS, prepare } from './lib/workloads.mjs';

const OPEN_LOOP_SHARE = 0.4; // of what bare manages at 16 connections: far enough from where any subject queues
const OUT = join(ROOT, 'build/bench');

const { values: given } = parseArgs({
  options: {
    quick: { type: 'boolean' }, rounds: { type: 'string' }, seconds: { type: 'string' }, connections: { type: 'string' },
    only: { type: 'string' }, 'no-build': { type: 'boolean' },
  },
});
const options = {
  rounds: Number(given.rounds ?? 5),
  seconds: Number(given.seconds ?? (given.quick ? 2 : 6)),
  connections: (given.connections ?? '1,16,64').split(',').map(Number),
  only: given.only?.split(',') ?? (given.quick ? ['get', 'patch', 'open', 'start'] : undefined),
};
const isWanted = (name) => options.only === undefined || options.only.includes(name);

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor((list.length - 1) / 2)];
const spread = (list) => ({ median: median(list), min: Math.min(...list), max: Math.max(...list) });

/** One measurement with what the process spent on it. */
async function measured(server, load) {
  peakMemory(server);
  const before = cpuSeconds(server);
  const result = await load();
  const micros = ((cpuSeconds(server) - before) * 1e6) / result.requests;
  return { ...result, cpuMicros: micros, peakMb: peakMemory(server) };
}

/** Rounds of one load on all subjects in turn; the medians of each, and the ratios within each round. */
async function interleaved(servers, load) {
  const rounds = [];
  for (let round = 0; round <= options.rounds; round += 1) {
    const results = {};
    for (const server of servers) {
      results[server.subject.name] = await measured(server, () => load(server));
    }
    if (round > 0) {
      rounds.push(results);
    }
  }
  const subjects = {};
  for (const { subject: { name } } of servers) {
    const fields = Object.keys(rounds[0][name]);
    subjects[name] = Object.fromEntries(fields.map((field) => [field, spread(rounds.map((each) => each[name][field]))]));
  }
  const ratios = {};
  for (const { subject: { name } } of servers.filter(({ subject }) => subject !== userApi)) {
    const of = (field) => spread(rounds.map((each) => each[userApi.name][field] / each[name][field]));
    ratios[name] = { rps: of('rps'), p99: of('p99'), cpuMicros: of('cpuMicros') };
  }
  return { subjects, ratios };
}

async function closed(servers, workload, folder, results) {
  const able = servers.filter(({ subject }) => workload.subjects.includes(subject.name));
  const plans = new Map();
  for (const server of able) {
    const plan = await prepare(workload, server);
    if (plan === undefined) {
      console.log(`\n${workload.name}: skipped, ${workload.missing}`);
      return;
    }
    const file = join(folder, `${workload.name}-${server.subject.name}.lua`);
    writePlan(file, plan, `127.0.0.1:${server.port}`);
    plans.set(server, file);
  }
  for (const connections of workload.connections ?? options.connections) {
    const load = (server) => closedLoop(server.port, plans.get(server), connections, options.seconds);
    const result = await interleaved(able, load);
    results.push({ workload: workload.name, what: workload.what, connections, ...result });
    print(results.at(-1));
  }
}

async function open(servers, results) {
  const oha = process.env.OHA ?? 'oha';
  if (!isInstalled(oha)) {
    console.log('\nopen loop: skipped, oha is missing (cargo install oha, or OHA=/path)');
    return;
  }
  const get = WORKLOADS.find(({ name }) => name === 'get');
  const plans = new Map();
  for (const server of servers) {
    plans.set(server, await prepare(get, server));
  }
  const known = results.find(({ workload, connections }) => workload === 'get' && connections === 16);
  const rate = Math.max(50, Math.floor(((known?.subjects.bare.rps.median ?? 1000) * OPEN_LOOP_SHARE) / 50) * 50);
  const load = (server) => openLoop(oha, server.port, plans.get(server), rate, 64, Math.max(options.seconds, 4));
  const result = await interleaved(servers, load);
  const what = `GET /customer/me at ${rate} requests/s whatever comes back, latency from when each was due`;
  results.push({ workload: 'open', what, connections: `${rate}/s`, ...result });
  print(results.at(-1));
}

/** From starting the process to the first reply, and the first reply of an object that was not in memory. */
async function starts(subjects, folder, results) {
  const get = WORKLOADS.find(({ name }) => name === 'get');
  const first = Object.fromEntries(subjects.map(({ name }) => [name, { process: [], object: [] }]));
  for (let round = 0; round <= options.rounds; round += 1) {
    for (const subject of subjects) {
      const server = await start(subject, join(folder, subject.name));
      try {
        const { requests } = await prepare({ ...get, isFilled: true, customers: 2 }, server);
        const fetched = async ({ path, headers }) => {
          const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers });
          await response.arrayBuffer();
          if (response.status !== 200) {
            throw new Refusal(`${subject.name} starts with ${response.status}`);
          }
        };
        await fetched(requests[0]);
        const replied = performance.now();
        await fetched(requests[1]);
        if (round > 0) {
          first[subject.name].process.push(replied - server.began);
          first[subject.name].object.push(performance.now() - replied);
        }
      } finally {
        await server.end();
      }
    }
  }
  const result = Object.fromEntries(
    Object.entries(first).map(([name, { process, object }]) => [name, { process: spread(process), object: spread(object) }]),
  );
  results.push({ workload: 'start', what: 'ms from starting the process to its first reply; first reply of a fresh object', starts: result });
  print(results.at(-1));
}

await run(async () => {
  if (!isInstalled('wrk')) {
    throw new Refusal('wrk is missing: apt-get install wrk, or see https://github.com/wg/wrk');
  }
  const subjects = [userApi, bare, hono];
  for (const subject of subjects) {
    if (!given['no-build']) {
      console.log(`building ${subject.name}`);
      subject.build();
    }
  }
  // Not on a tmpfs: a commit must cost what it costs.
  const folder = mkdtempSync(join(process.env.BENCH_DIR ?? (existsSync('/var/tmp') ? '/var/tmp' : tmpdir()), 'user-api-bench-'));
  const results = [];
  const servers = [];
  try {
    for (const subject of subjects) {
      servers.push(await start(subject, join(folder, subject.name)));
    }
    for (const workload of WORKLOADS.filter(({ name }) => isWanted(name))) {
      await closed(servers, workload, folder, results);
    }
    if (isWanted('open')) {
      await open(servers, results);
    }
    await Promise.all(servers.splice(0).map((server) => server.end()));
    if (isWanted('start')) {
      await starts(subjects, folder, results);
    }
  } finally {
    await Promise.all(servers.map((server) => server.end()));
    remove(folder);
  }
  mkdirSync(OUT, { recursive: true });
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, arch: arch(), at: new Date().toISOString() };
  writeFileSync(join(OUT, 'bench.json'), JSON.stringify({ machine, options, results }, null, 1));
  writeFileSync(join(OUT, 'bench.svg'), svg(results));
  console.log(`\n${join(OUT, 'bench.json')} and bench.svg written`);
});
