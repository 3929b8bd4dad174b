// What the project set out to reach, and whether a run shows it: met if the worst round is within the target, missed if
// the best one is not, and else not shown.
const REFERENCE_TARGETS = ['get', 'patch'].flatMap((workload) => {
  const what = `${workload.toUpperCase()} \`/customer/me\``;
  const of = (connections, lane, field, bound, text) => ({ workload, connections, lane: 'user-api', of: lane, field, ...bound, what: `${what}, ${text}` });
  return [
    of(1, 'bare', 'rps', { least: 0.85 }, 'requests/s of bare, 1 connection'),
    ...[16, 64].map((connections) => of(connections, 'bare', 'rps', { least: 1.4 }, `requests/s of bare, ${connections} connections`)),
    ...[16, 64].map((connections) => of(connections, 'hono', 'rps', { least: 1.5 }, `requests/s of Hono, ${connections} connections`)),
    of(16, 'hono', 'p99', { most: 1 }, 'p99 of Hono, 16 connections'),
  ];
});

const GROWN = [['get', 'GET `/customer/me`'], ['patch', 'PATCH `/customer/me`'], ['audit', 'a page of the log']].flatMap(([name, what]) =>
  [['micros', 'time'], ['cpuMicros', 'CPU']].map(([field, word]) => ({
    workload: `growth-${name}`, lane: '1,000,000 entries', of: '100 entries', field, most: 1.1, what: `${what}, ${word} at 1,000,000 entries of that at 100`,
  })));

const TARGETS = [
  ...REFERENCE_TARGETS,
  ...[1, 16].map((connections) => ({
    workload: 'sealed', connections, lane: 'sealed', of: 'plain', field: 'rps', least: 0.85, what: `sealed GET, requests/s of plain, ${connections} connection${connections > 1 ? 's' : ''}`,
  })),
  ...GROWN,
  { workload: 'growth-wake', lane: '1,000,000 entries', of: '100 entries', field: 'wake', most: 1.1, what: 'waking up, time at 1,000,000 entries of that at 100' },
  { workload: 'start', lane: 'user-api', of: 'bare', field: 'process', most: 1.5, what: 'process start to first reply, of bare' },
];

function verdict({ least = -Infinity, most = Infinity }, { min, max }) {
  if (min >= least && max <= most) {
    return 'met';
  }
  return max < least || min > most ? 'missed' : 'not shown';
}

/** Every target that these results speak of: what, the bound, what was measured, and the verdict. */
export function verdicts(results) {
  const judged = TARGETS.flatMap((target) => {
    const entry = results.find(({ workload, connections }) => workload === target.workload && (target.connections ?? connections) === connections);
    const measured = entry?.ratios.find(({ lane, of }) => lane === target.lane && of === target.of)?.[target.field];
    return measured === undefined ? [] : [{ ...target, measured, verdict: verdict(target, measured) }];
  });
  const size = results.find(({ workload }) => workload === 'size')?.lanes['user-api'].kilobytes;
  const most = 450;
  return size === undefined ? judged : [...judged, { what: 'the module, kB gzipped', most, measured: size, verdict: verdict({ most }, size) }];
}
