// `make bench`: user-api beside the least Rust worker and a TypeScript peer, on plain workerd, on this machine.
//
//   make bench ARGS="--quick | --short | [--rounds 5] [--seconds 6] [--connections 1,16,64] [--only name,name]
//                    [--entries 100,10000,1000000] [--no-build] [--append] [--publish]"
//
// Rounds are interleaved (A B C A B C …), the first is dropped as warm-up, every response is checked. The noise of the
// machine is part of the result: read ratios, and their spread, never a single figure. docs/PERFORMANCE.md.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { version as workerd } from 'workerd';
import { gzippedBytes } from '../scripts/gzip.mjs';
import { ROOT, Refusal, run } from '../scripts/lib.mjs';
import { bystander } from './lib/bystander.mjs';
import { closed } from './lib/closed.mjs';
import { growth } from './lib/growth.mjs';
import { isInstalled } from './lib/load.mjs';
import { open } from './lib/open.mjs';
import { publish } from './lib/publish.mjs';
import { printEntry, printVerdicts } from './lib/report.mjs';
import { starts } from './lib/starts.mjs';
import { bare, grouped, hono, remove, start, userApi } from './lib/subjects.mjs';
import { WORKLOADS } from './lib/workloads.mjs';

const OUT = join(ROOT, 'build/bench');
const RESULTS = join(OUT, 'bench.json');
const GZIP_KB = 1000;

const { values: given } = parseArgs({
  options: {
    quick: { type: 'boolean' }, short: { type: 'boolean' }, rounds: { type: 'string' }, seconds: { type: 'string' },
    connections: { type: 'string' }, only: { type: 'string' }, entries: { type: 'string' }, 'no-build': { type: 'boolean' },
    append: { type: 'boolean' }, publish: { type: 'boolean' },
  },
});
// Short: all that has a target, and a look at the rest, in ten minutes. Quick: a first look, in three.
const SHORT = ['get', 'patch', 'sealed', 'get-many', 'consume', 'refused', 'admin-page', 'bystander', 'open', 'start', 'growth', 'size'];
const preset = given.quick
  ? { rounds: 3, seconds: 2, only: ['get', 'patch', 'start', 'size'], connections: '16' }
  : given.short ? { rounds: 5, seconds: 1, only: SHORT, isNarrow: true } : { rounds: 5, seconds: 6 };
const numbers = (text) => text.split(',').map(Number);
const options = {
  rounds: Number(given.rounds ?? preset.rounds),
  seconds: Number(given.seconds ?? preset.seconds),
  connections: numbers(given.connections ?? preset.connections ?? '1,16,64'),
  only: given.only?.split(',') ?? preset.only,
  isNarrow: preset.isNarrow ?? false,
  entries: numbers(given.entries ?? '100,10000,1000000'),
};
const isWanted = (name) => options.only === undefined || options.only.includes(name);

/** Size of what is uploaded. */
function size(say) {
  const release = join(ROOT, 'build/release');
  const kilobytes = gzippedBytes(['index.js', 'index_bg.wasm'].map((name) => join(release, name))) / GZIP_KB;
  const same = { median: kilobytes, min: kilobytes, max: kilobytes };
  say({ workload: 'size', what: 'Size of the module', lanes: { 'user-api': { kilobytes: same } }, ratios: [] });
}

async function all(subjects, context) {
  const servers = [];
  try {
    for (const subject of subjects) {
      servers.push(await start(subject, join(context.folder, subject.name)));
    }
    for (const workload of WORKLOADS.filter(({ name }) => isWanted(name))) {
      await closed(servers, workload, context);
    }
    if (isWanted('bystander')) {
      await bystander(servers, context);
    }
    if (isWanted('open')) {
      await open(servers, context);
    }
  } finally {
    await Promise.all(servers.map((server) => server.end()));
  }
  if (isWanted('start')) {
    await starts([userApi, bare, hono], context);
  }
  if (isWanted('growth')) {
    await growth(options.entries, context);
  }
  if (isWanted('size')) {
    size(context.say);
  }
}

async function measure() {
  if (!isInstalled('wrk')) {
    throw new Refusal('wrk is missing: apt-get install wrk, or see https://github.com/wg/wrk');
  }
  const subjects = [userApi, bare, hono, grouped];
  for (const subject of given['no-build'] ? [] : subjects) {
    console.log(`building ${subject.name}`);
    subject.build();
  }
  const known = given.append && existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')).results : [];
  const results = [...known];
  const say = (entry) => {
    const is = (other) => other.workload === entry.workload && other.connections === entry.connections;
    results.splice(results.findIndex(is) < 0 ? results.length : results.findIndex(is), 1, entry);
    printEntry(entry);
    save(); // A run that fails later has not been for nothing: `--append` goes on from here.
  };
  const { stdout } = spawnSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: ROOT, encoding: 'utf8' });
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, workerd, commit: stdout.trim() };
  const save = () => {
    mkdirSync(OUT, { recursive: true });
    writeFileSync(RESULTS, JSON.stringify({ machine: { ...machine, at: new Date().toISOString() }, options, results }, null, 1));
  };
  // Not on a tmpfs: a commit must cost what it costs.
  const folder = mkdtempSync(join(process.env.BENCH_DIR ?? (existsSync('/var/tmp') ? '/var/tmp' : tmpdir()), 'user-api-bench-'));
  try {
    await all(subjects, { folder, options, results, say });
  } finally {
    remove(folder);
  }
  printVerdicts(results);
  save();
  console.log(`\n${RESULTS} written`);
}

await run(async () => {
  const isPublishOnly = given.publish && Object.keys(given).length === 1;
  if (!isPublishOnly) {
    await measure();
  }
  if (given.publish) {
    publish(JSON.parse(readFileSync(RESULTS, 'utf8')));
  }
});
