// What was measured, in words: tables for the terminal and the same as Markdown for the documentation.
import { verdicts } from './targets.mjs';

const digits = (value) => (value >= 100 ? value.toFixed(0) : value.toFixed(2));
const range = ({ median, min, max }) => (min === max ? digits(median) : `${digits(median)} (${digits(min)}–${digits(max)})`);
const TITLES = {
  rps: 'requests/s', p50: 'p50 ms', p99: 'p99 ms', p999: 'p99.9 ms', cpuMicros: 'CPU µs', micros: 'µs a request', peakMb: 'peak MB',
  process: 'process ms', object: 'fresh object ms', wake: 'ms', seconds: 's', megabytes: 'MB of it', kilobytes: 'kB gzipped', flood: 'flood/s',
};
const RATIOS = { ...TITLES, p50: 'p50', p99: 'p99', cpuMicros: 'CPU', micros: 'time', process: 'process', object: 'fresh object', wake: 'time' };

const connected = (connections) => (connections === undefined ? '' : `, ${connections} connection${connections === 1 ? '' : 's'}`);
const titleOf = ({ what, connections }) => `${what}${connected(connections)}`;

/** The table of one entry: a row a lane, the medians with the smallest and the largest round. */
function rowsOf({ lanes }) {
  const fields = Object.keys(TITLES).filter((field) => Object.values(lanes).some((lane) => field in lane));
  const cell = (lane, field) => (lane[field] === undefined || Number.isNaN(lane[field].median) ? '' : range(lane[field]));
  return [['', ...fields.map((field) => TITLES[field])], ...Object.entries(lanes).map(([name, lane]) => [name, ...fields.map((field) => cell(lane, field))])];
}

const ratioOf = ({ lane, of, ...fields }) =>
  `${lane} of ${of}: ${Object.entries(fields).map(([field, value]) => `${RATIOS[field]} ${range(value)}`).join(', ')}`;

function print(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`);
  }
}

/** Prints one entry. */
export function printEntry(entry) {
  console.log(`\n${titleOf(entry)}`);
  print(rowsOf(entry));
  entry.ratios.forEach((each) => console.log(`  ${ratioOf(each)}`));
}

const bound = ({ least, most }) => (least === undefined ? `at most ${most}` : `at least ${least}`);
const verdictRows = (results) => [
  ['Target', 'Bound', 'Measured', ''],
  ...verdicts(results).map((each) => [each.what, bound(each), range(each.measured), each.verdict]),
];

/** Prints what of the targets is met. */
export function printVerdicts(results) {
  const rows = verdictRows(results);
  if (rows.length > 1) {
    console.log('\nTargets, by the spread of the rounds');
    print(rows);
  }
}

const markdown = ([head, ...rows]) =>
  [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n').replaceAll('|  |', '| |');

/** All results as a part of docs/PERFORMANCE.md. */
export function page({ machine, results }) {
  const { cpu, cores, workerd, at, commit } = machine;
  const entries = results.map((entry) => {
    const ratios = entry.ratios.map((each) => `- ${ratioOf(each)}`);
    return [`**${titleOf(entry)}**`, markdown(rowsOf(entry)), ...(ratios.length > 0 ? [ratios.join('\n')] : [])].join('\n\n');
  });
  return [
    '![Ratios to the references](pictures/performance.svg)',
    `Measured on ${at.slice(0, 10)} at ${commit}: ${cores} cores of ${cpu}, workerd ${workerd}. Median of the rounds, with the smallest and the largest.`,
    '### Targets',
    'Met: the worst round is within the bound. Missed: the best one is not. Else the run does not show it.',
    markdown(verdictRows(results)),
    '### Figures',
    ...entries,
  ].join('\n\n');
}
