// What another customer feels of a flood: its latency alone, beside one customer's requests that are served, and beside
// one customer's requests that its limit refuses. All share one isolate and two cores with the load generators.
import { join } from 'node:path';
import { closedLoop, writePlan } from './load.mjs';
import { interleaved, ratio, summary } from './measure.mjs';
import { WORKLOADS, prepare, read } from './workloads.mjs';

const FLOOD_CONNECTIONS = 16;
const OTHER = 'bench-other';

/** On user-api. */
export async function bystander([server], { folder, options, say }) {
  const plan = (name, prepared) => {
    const file = join(folder, `bystander-${name}.lua`);
    writePlan(file, prepared, `127.0.0.1:${server.port}`);
    return file;
  };
  const workload = (name) => WORKLOADS.find((each) => each.name === name);
  const other = plan('other', await prepare({ names: [OTHER], make: () => [read(OTHER)] }, server));
  const served = plan('served', await prepare(workload('get'), server));
  const refused = plan('refused', await prepare(workload('refused'), server));
  const beside = (flood) => async () => {
    const seconds = options.seconds;
    const [result, { rps } = { rps: 0 }] = await Promise.all([
      closedLoop(server.port, other, 1, seconds),
      ...(flood === undefined ? [] : [closedLoop(server.port, flood, FLOOD_CONNECTIONS, seconds)]),
    ]);
    return { ...result, flood: rps };
  };
  const lanes = [
    { name: 'alone', server, load: beside(undefined) },
    { name: 'beside served requests', server, load: beside(served) },
    { name: 'beside refused requests', server, load: beside(refused) },
  ];
  const rounds = await interleaved(lanes, options.rounds);
  for (const each of rounds.flatMap((round) => Object.values(round))) {
    delete each.cpuMicros; // Most of it is the flood's.
  }
  const fields = ['rps', 'p50', 'p99'];
  const what = `GET \`/customer/me\` of one customer over one connection, while another one sends over ${FLOOD_CONNECTIONS}`;
  const ratios = [ratio(rounds, lanes[2].name, lanes[1].name, fields), ratio(rounds, lanes[2].name, lanes[0].name, fields)];
  say({ workload: 'bystander', what, lanes: summary(rounds), ratios });
}
