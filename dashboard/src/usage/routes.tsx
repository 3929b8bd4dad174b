// How often each operation was called: bars of what was carried out and what was refused, drawn as SVG.
import type { components } from '@user-api/client';

type RouteUsage = components['schemas']['RouteUsage'];

interface Row {
  readonly route: string;
  readonly done: number;
  readonly refused: number;
  /** The refusals by their code. */
  readonly codes: readonly string[];
}

const WIDTH = 400;
const HEIGHT = 14;
/** Outcomes that are no refusals. */
const DONE = new Set(['ok', 'replayed', 'idle', 'erasure_not_found']);
const COUNT = new Intl.NumberFormat();

/** The counts by route, the most called first. */
export function rowsOf(counts: readonly RouteUsage[]): Row[] {
  const rows = new Map<string, Row>();
  for (const { route, outcome, count } of counts) {
    const row = rows.get(route) ?? { route, done: 0, refused: 0, codes: [] };
    rows.set(
      route,
      DONE.has(outcome)
        ? { ...row, done: row.done + count }
        : { ...row, refused: row.refused + count, codes: [...row.codes, `${COUNT.format(count)} ${outcome.replaceAll('_', ' ')}`] },
    );
  }
  return [...rows.values()].sort((a, b) => b.done + b.refused - (a.done + a.refused));
}

export function Routes({ counts }: { counts: readonly RouteUsage[] }) {
  const rows = rowsOf(counts);
  const most = Math.max(1, ...rows.map(({ done, refused }) => done + refused));
  if (rows.length === 0) {
    return <p class="hint">Nothing was counted yet. Requests are counted within a minute.</p>;
  }
  return (
    <>
      <p class="legend" aria-hidden="true">
        <span class="dot dot-done" /> carried out <span class="dot dot-refused" /> refused
      </p>
      <ul class="routes">
        {rows.map((row) => (
          <RouteBar row={row} most={most} key={row.route} />
        ))}
      </ul>
    </>
  );
}

function RouteBar({ row: { route, done, refused, codes }, most }: { row: Row; most: number }) {
  const scale = WIDTH / most;
  const words = `${done} carried out, ${refused} refused`;
  return (
    <li>
      <code>{route}</code>
      <svg class="bar bar-routes" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={words}>
        <rect class="bar-done" width={done * scale} height={HEIGHT} />
        <rect class="bar-refused" x={done * scale} width={refused * scale} height={HEIGHT} />
      </svg>
      <span class="routes-count">{COUNT.format(done + refused)}</span>
      {codes.length > 0 && <span class="hint routes-codes">Refused: {codes.join(', ')}</span>}
    </li>
  );
}
