// Each limit as a bar of what is used, drawn as SVG, with the same in words.
import type { components } from '@user-api/client';
import { duration, soon } from '../parts/time';

type Policy = components['schemas']['PolicyUsage'];

const WIDTH = 400;
const HEIGHT = 10;
/** From which share on a limit is nearly used up. */
const NEARLY = 0.8;

const COUNT = new Intl.NumberFormat();

function label({ unit, q, w }: Policy): string {
  return unit === 'concurrent-requests' ? `${COUNT.format(q)} at the same time` : `${COUNT.format(q)} in ${duration(w)}`;
}

export function Policies({ policies }: { policies: readonly Policy[] }) {
  if (policies.length === 0) {
    return <p class="hint">This customer has no limits.</p>;
  }
  return (
    <ul class="policies">
      {policies.map((policy) => (
        <Bar policy={policy} key={policy.name} />
      ))}
    </ul>
  );
}

function Bar({ policy }: { policy: Policy }) {
  const { name, used, limit, resetsAt, remaining } = policy;
  const share = limit === 0 ? 1 : Math.min(1, used / limit);
  const width = used === 0 ? 0 : Math.max(HEIGHT, share * WIDTH);
  const tone = remaining === 0 ? 'full' : share >= NEARLY ? 'nearly' : 'fine';
  return (
    <li>
      <div class="policy-head">
        <span>
          <strong>{name}</strong> <span class="hint">{label(policy)}</span>
        </span>
        <span>
          {COUNT.format(used)} <span class="hint">of {COUNT.format(limit)}</span>
        </span>
      </div>
      <svg class={`bar bar-${tone}`} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${name}: ${used} of ${limit} used`}>
        <rect class="bar-back" width={WIDTH} height={HEIGHT} />
        <rect class="bar-used" width={width} height={HEIGHT} />
      </svg>
      <p class="hint">
        {COUNT.format(remaining)} left
        {resetsAt !== null && (
          <>
            , all of it again at{' '}
            <time dateTime={resetsAt} title={resetsAt}>
              {soon(resetsAt, Date.now())}
            </time>
          </>
        )}
      </p>
    </li>
  );
}
