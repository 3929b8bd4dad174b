// What stands where data will be: its shape, and after a while a word that it takes long.
import { useEffect, useState } from 'preact/hooks';

const LONG_MS = 4_000;

export function Skeleton({ lines = 3, what }: { lines?: number; what: string }) {
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), LONG_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="skeleton" aria-busy="true" data-skeleton>
      <span class="unseen" role="status">
        Loading {what}
      </span>
      {Array.from({ length: lines }, (_, line) => (
        <div class={`bone bone-${line % 4}`} key={line} aria-hidden="true" />
      ))}
      {isLong && (
        <p class="hint" role="status">
          The network is slow; still waiting for {what}.
        </p>
      )}
    </div>
  );
}
