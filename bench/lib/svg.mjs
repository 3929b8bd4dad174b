// The ratios as a picture for the documentation: bars, a whisker from the smallest to the largest round, and the targets.
import { verdicts } from './targets.mjs';

const [LEFT, UNIT, ROW, TOP] = [330, 150, 22, 46];
const LONGEST = 3.2; // a whisker that goes further is cut there
const escaped = (text) => text.replaceAll('`', '').replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const x = (value) => (LEFT + UNIT * Math.min(value, LONGEST)).toFixed(1);

function bar({ what, least, most, measured: { median, min, max }, verdict }, index) {
  const y = TOP + index * ROW;
  const goal = x(least ?? most);
  const word = verdict === 'met' ? '' : ` (${verdict})`;
  return `<text x="${LEFT - 8}" y="${y + 12}" text-anchor="end">${escaped(what)}</text>` +
    `<rect x="${LEFT}" y="${y + 2}" width="${(x(median) - LEFT).toFixed(1)}" height="13" class="${least === undefined ? 'less' : 'more'}"/>` +
    `<path d="M${x(min)} ${y + 8.5}H${x(max)}" class="range"/><path d="M${goal} ${y}V${y + 17}" class="goal"/>` +
    `<text x="${Number(x(Math.max(max, least ?? most))) + 6}" y="${y + 12}">${median.toFixed(2)}${word}</text>`;
}

/** The picture. */
export function svg({ machine, results }) {
  const bars = verdicts(results).filter(({ field }) => field !== undefined);
  const [width, height] = [LEFT + UNIT * LONGEST + 120, TOP + bars.length * ROW + 12];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(0)} ${height}" role="img" font-family="sans-serif" font-size="11">
<title>user-api as a multiple of its references in the same round, ${machine.at.slice(0, 10)}</title>
<style>text{fill:#444}.more{fill:#4a7fb5}.less{fill:#b58a4a}.range{stroke:#111;fill:none}.goal{stroke:#b33;stroke-width:2}@media(prefers-color-scheme:dark){text{fill:#ccc}.range{stroke:#eee}.goal{stroke:#f66}}</style>
<text x="${LEFT}" y="16">multiple of the reference; black line: smallest to largest round; red mark: the target</text>
<text x="${LEFT}" y="32">blue: at least the mark is good; brown: at most the mark is good</text>
${bars.map(bar).join('\n')}
</svg>
`;
}
