// How long an erasure can still be withdrawn, second by second, and drawn.
import { Time, duration, useNow } from '../parts/time';
import type { Erasure } from '../sources';

const WIDTH = 400;
const HEIGHT = 10;

export function Clock({ erasure: { requestedAt, dueAt, requestedBy } }: { erasure: Erasure }) {
  const now = useNow();
  const begin = Date.parse(requestedAt);
  const due = Date.parse(dueAt);
  const left = Math.max(0, (due - now) / 1000);
  const share = due > begin ? Math.min(1, Math.max(0, (now - begin) / (due - begin))) : 1;
  return (
    <div class="clock">
      <p class="clock-left" role="timer">
        {left > 0 ? duration(left) : 'Now'}
      </p>
      <svg class="bar bar-nearly" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <rect class="bar-back" width={WIDTH} height={HEIGHT} />
        <rect class="bar-used" width={share * WIDTH} height={HEIGHT} />
      </svg>
      <p>
        {left > 0 ? 'until everything is erased, on ' : 'Everything is being erased; it was due on '}
        <Time at={dueAt} isExact />. Asked for on <Time at={requestedAt} /> by{' '}
        {requestedBy === 'administrator' ? 'an administrator' : 'the owner'}.
      </p>
    </div>
  );
}
