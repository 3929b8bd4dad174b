// What was measured, as a table for the terminal and as a picture for the documentation.

const digits = (value) => (value >= 100 ? value.toFixed(0) : value.toFixed(2));
const range = ({ median, min, max }) => `${digits(median)} (${digits(min)}–${digits(max)})`;
const COLUMNS = [['rps', 'requests/s'], ['p50', 'p50 ms'], ['p99', 'p99 ms'], ['p999', 'p99.9 ms'], ['cpuMicros', 'CPU µs'], ['peakMb', 'peak MB']];

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`);
  }
}

/** Prints one workload: medians with min and max over the rounds. */
export function print({ what, connections, subjects, ratios, starts }) {
  console.log(`\n${what}${connections === undefined ? '' : `; ${connections} connections`}`);
  if (starts !== undefined) {
    table([['', 'process ms', 'object ms'], ...Object.entries(starts).map(([name, { process, object }]) => [name, range(process), range(object)])]);
    return;
  }
  table([['', ...COLUMNS.map(([, title]) => title)], ...Object.entries(subjects).map(([name, result]) => [name, ...COLUMNS.map(([field]) => range(result[field]))])]);
  for (const [name, ratio] of Object.entries(ratios)) {
    console.log(`  of ${name}: requests/s ${range(ratio.rps)}, p99 ${range(ratio.p99)}, CPU ${range(ratio.cpuMicros)}`);
  }
}

/** Bars of the ratios in requests per second, a whisker from the smallest to the largest round. */
export function svg(results) {
  const bars = results.flatMap(({ workload, connections, ratios = {} }) =>
    workload === 'open' ? [] : Object.entries(ratios).map(([name, { rps }]) => ({ label: `${workload}, ${connections} conn., of ${name}`, ...rps })),
  );
  const [left, unit, height] = [250, 130, 22];
  const most = Math.max(1.5, ...bars.map(({ max }) => max));
  const width = left + unit * most + 60;
  const x = (value) => (left + unit * value).toFixed(1);
  const rows = bars.map(({ label, median, min, max }, index) => {
    const y = 30 + index * height;
    return `<text x="${left - 8}" y="${y + 12}" text-anchor="end">${label}</text>` +
      `<rect x="${left}" y="${y + 2}" width="${(unit * median).toFixed(1)}" height="13" class="bar"/>` +
      `<path d="M${x(min)} ${y + 8.5}H${x(max)}" class="range"/><text x="${Number(x(max)) + 6}" y="${y + 12}">${median.toFixed(2)}</text>`;
  });
  const total = 40 + bars.length * height;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(0)} ${total}" role="img" font-family="sans-serif" font-size="11">
<title>Requests per second of user-api, as a multiple of the references in the same round</title>
<style>text{fill:#444}.bar{fill:#4a7fb5}.range{stroke:#111;fill:none}.one{stroke:#b33;stroke-dasharray:3 3}@media(prefers-color-scheme:dark){text{fill:#ccc}.range{stroke:#eee}}</style>
<text x="${left}" y="16">requests/s as a multiple; whisker: smallest and largest round</text>
<path d="M${x(1)} 22V${total - 6}" class="one"/>
${rows.join('\n')}
</svg>
`;
}
