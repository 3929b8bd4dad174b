// Rounds of several lanes in turn, A B C A B C …, and what is made of them. A lane is a name, a server and a load; the
// first round of all is dropped. An entry of the results has the medians of the lanes, and ratios taken within a round.
import { cpuSeconds, peakMemory } from './subjects.mjs';

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor((list.length - 1) / 2)];
/** What several rounds come to. */
export const spread = (list) => ({ median: median(list), min: Math.min(...list), max: Math.max(...list) });

/** One measurement with what the process spent on it. */
async function measured({ server, load }) {
  peakMemory(server);
  const before = cpuSeconds(server);
  const result = await load();
  const cpuMicros = ((cpuSeconds(server) - before) * 1e6) / result.requests;
  return { ...result, cpuMicros, peakMb: peakMemory(server) };
}

/** The rounds: of each the results by lane. */
export async function interleaved(lanes, rounds, measure = measured) {
  const seen = [];
  for (let round = 0; round <= rounds; round += 1) {
    const results = {};
    for (const lane of lanes) {
      results[lane.name] = await measure(lane);
    }
    if (round > 0) {
      seen.push(results);
    }
  }
  return seen;
}

/** The medians of each lane, with the smallest and the largest round. */
export function summary(rounds) {
  const lanes = Object.keys(rounds[0]);
  const of = (lane) => Object.keys(rounds[0][lane]).map((field) => [field, spread(rounds.map((each) => each[lane][field]))]);
  return Object.fromEntries(lanes.map((lane) => [lane, Object.fromEntries(of(lane))]));
}

/** One lane as a multiple of another in the same round, by field. */
export function ratio(rounds, lane, of, fields) {
  const spreads = fields.map((field) => [field, spread(rounds.map((each) => each[lane][field] / each[of][field]))]);
  return { lane, of, ...Object.fromEntries(spreads) };
}
