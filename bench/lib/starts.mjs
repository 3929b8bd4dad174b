// Cold starts: from starting the process to the first reply, and the first reply of an object that is not in memory.
import { join } from 'node:path';
import { Refusal } from '../../scripts/lib.mjs';
import { interleaved, ratio, summary } from './measure.mjs';
import { start } from './subjects.mjs';
import { make, read } from './workloads.mjs';

const NAMES = ['bench-start', 'bench-fresh'];
const FIELDS = ['process', 'object'];

/** Asks once; fails unless it is answered with 200. */
export async function asked({ subject, port }, { path, headers }) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  await response.arrayBuffer();
  if (response.status !== 200) {
    throw new Refusal(`${subject.name} answers ${response.status} to ${path}`);
  }
}

/** ms until the first reply of a fresh process, and of a fresh object then. */
async function once({ subject, folder }) {
  const server = await start(subject, folder);
  try {
    await make(server, NAMES);
    const [first, fresh] = NAMES.map((name, number) => (subject.addressed ?? ((each) => each))(read(name), number));
    await asked(server, first);
    const replied = performance.now();
    await asked(server, fresh);
    return { process: replied - server.began, object: performance.now() - replied };
  } finally {
    await server.end();
  }
}

/** All subjects in turn. The round that makes the customers is the one that is dropped. */
export async function starts(subjects, { folder, options, say }) {
  const lanes = subjects.map((subject) => ({ name: subject.name, subject, folder: join(folder, subject.name) }));
  const rounds = await interleaved(lanes, Math.max(options.rounds, 5), once);
  const [own, ...others] = lanes.map(({ name }) => name);
  const what = 'ms from starting the process to its first reply; ms to the first reply of an object that is not in memory';
  say({ workload: 'start', what, lanes: summary(rounds), ratios: others.map((name) => ratio(rounds, own, name, FIELDS)) });
}
