// Whether requests cost more where the log is long: the same on customers with logs of three lengths, each in a folder
// of its own; and the export of the longest. The logs are written into the objects' files by `bench/fill`.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, Refusal, toolEnvironment } from '../../scripts/lib.mjs';
import { closedLoop, writePlan } from './load.mjs';
import { interleaved, ratio, summary } from './measure.mjs';
import { asked } from './starts.mjs';
import { MASTER_KEY, peakMemory, remove, run, start, userApi } from './subjects.mjs';
import { auditPage, make, patches, prepare, read } from './workloads.mjs';

const [GROWN, SMALL] = ['bench-grown', 'bench-small'];
const CONNECTIONS = 16;
const TARGET = join(ROOT, 'target/bench-fill');
const EXPORTS = 1;

/** What fills, built as quickly as it is fast enough. */
export function buildFill() {
  const env = toolEnvironment({
    CARGO_TARGET_DIR: TARGET, CARGO_PROFILE_RELEASE_LTO: 'off', CARGO_PROFILE_RELEASE_OPT_LEVEL: '2', CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
  });
  run('cargo', ['build', '--release', '--locked', '--quiet', '--example', 'fill'], { env });
}

/** A folder with a customer whose log has that many entries more, and one whose has few. */
async function filled(folder, entries) {
  mkdirSync(folder, { recursive: true });
  const server = await start(userApi, folder);
  await make(server, [GROWN, SMALL]);
  await asked(server, read(GROWN));
  await asked(server, read(SMALL));
  await server.end();
  run(join(TARGET, 'release/examples/fill'), [folder, GROWN, String(entries), MASTER_KEY]);
}

const OPERATIONS = [
  { name: 'get', what: 'GET `/customer/me`', requests: () => [read(GROWN)] },
  { name: 'patch', what: 'PATCH `/customer/me`', requests: () => patches(GROWN) },
  { name: 'audit', what: 'GET `/customer/me/audit?limit=20`', requests: () => [auditPage(GROWN)], expect: { contains: '"hasMore":true', length: undefined } },
];

async function operation({ name, what, requests, expect }, places, { folder, options, say }) {
  const lanes = [];
  for (const place of places) {
    const prepared = await prepare({ names: [GROWN], make: requests, expect }, place.server);
    const file = join(folder, `growth-${name}-${place.entries}.lua`);
    writePlan(file, prepared, `127.0.0.1:${place.server.port}`);
    lanes.push({ ...place, load: () => closedLoop(place.server.port, file, CONNECTIONS, options.seconds) });
  }
  const rounds = await interleaved(lanes, Math.max(options.rounds, 5));
  for (const each of rounds.flatMap((round) => Object.values(round))) {
    each.micros = 1e6 / each.rps;
  }
  entry(`growth-${name}`, `${what}, by the length of the log`, rounds, ['micros', 'cpuMicros'], { connections: CONNECTIONS, say });
}

function entry(workload, what, rounds, fields, { connections, say }) {
  const [few, ...more] = Object.keys(rounds[0]);
  const ratios = more.map((lane) => ratio(rounds, lane, few, fields));
  say({ workload, what, connections, lanes: summary(rounds), ratios });
}

/** ms to the first reply of the long customer's object, in a process that has answered another one. */
async function woken({ place }) {
  const server = await start(userApi, place);
  try {
    await asked(server, read(SMALL));
    const began = performance.now();
    await asked(server, read(GROWN));
    return { wake: performance.now() - began };
  } finally {
    await server.end();
  }
}

/** Seconds, bytes and memory of an export. */
async function exported({ server }) {
  peakMemory(server);
  const began = performance.now();
  const response = await fetch(`http://127.0.0.1:${server.port}/customer/me/export`, { headers: read(GROWN).headers });
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
  }
  if (response.status !== 200 || bytes === 0) {
    throw new Refusal(`the export is answered ${response.status}`);
  }
  return { seconds: (performance.now() - began) / 1000, megabytes: bytes / 1e6, peakMb: peakMemory(server) };
}

/** Growth, and the export. `sizes` are numbers of entries, the smallest first. */
export async function growth(sizes, context) {
  const { folder, options, say } = context;
  buildFill();
  const places = sizes.map((entries) => ({ entries, name: `${entries.toLocaleString('en')} entries`, place: join(folder, `grown-${entries}`) }));
  for (const { place, entries } of places) {
    await filled(place, entries);
  }
  const rounds = await interleaved(places, Math.max(options.rounds, 5), woken);
  entry('growth-wake', 'ms to the first reply of an object that is not in memory, by the length of the log', rounds, ['wake'], { say });
  const running = [];
  try {
    for (const place of places) {
      running.push({ ...place, server: await start(userApi, place.place) });
    }
    for (const each of OPERATIONS) {
      await operation(each, running, context);
    }
    // In a process that has carried nothing before, or its memory would be that of the loads above.
    await Promise.all(running.splice(0).map(({ server }) => server.end()));
    const most = { ...places.at(-1), server: await start(userApi, places.at(-1).place) };
    running.push(most);
    const exports = [];
    for (let round = 0; round < EXPORTS; round += 1) {
      exports.push({ [most.name]: await exported(most) });
    }
    say({ workload: 'export', what: 'GET `/customer/me/export`', lanes: summary(exports), ratios: [] });
  } finally {
    await Promise.all(running.map(({ server }) => server.end()));
    places.forEach(({ place }) => remove(place));
  }
}
