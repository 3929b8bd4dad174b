// Moments in the reader's own time zone, and how long something still takes.
import { useEffect, useState } from 'preact/hooks';

const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** A moment to come: only its time, if that is within a day. */
export function soon(at: string, now: number): string {
  const date = new Date(at);
  return (date.getTime() - now < 43_200_000 ? CLOCK : EXACT).format(date);
}

/** A moment; its title has it in UTC to the millisecond. */
export function Time({ at, isExact = false }: { at: string; isExact?: boolean }) {
  return (
    <time dateTime={at} title={at}>
      {(isExact ? EXACT : FULL).format(new Date(at))}
    </time>
  );
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** A length of time in its two largest units. */
export function duration(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  for (const [name, length] of UNITS) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) {
      parts.push(`${count} ${name}${count === 1 ? '' : 's'}`);
    } else if (parts.length > 0) {
      break;
    }
  }
  return parts.slice(0, 2).join(' ') || '0 seconds';
}

/** The moment itself, each second anew. */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
