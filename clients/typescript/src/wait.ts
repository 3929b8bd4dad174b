// Waiting that a signal ends.

/** Rejects when the signal fires; `settle` removes the listener. */
function aborted(signal: AbortSignal): { promise: Promise<never>; settle: () => void } {
  let settle = (): void => {};
  const promise = new Promise<never>((_, reject) => {
    const fire = (): void => reject(signal.reason);
    if (signal.aborted) {
      fire();
    } else {
      signal.addEventListener('abort', fire, { once: true });
      settle = () => signal.removeEventListener('abort', fire);
    }
  });
  promise.catch(() => {});
  return { promise, settle };
}

/** What `work` gives, unless the signal fires first. */
export async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, settle } = aborted(signal);
  try {
    return await Promise.race([work, promise]);
  } finally {
    settle();
  }
}

/** Waits so long, unless the signal fires first. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const nap = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return within(signal, nap).finally(() => clearTimeout(timer));
}

/** Seconds of `Retry-After` (RFC 9110 section 10.2.3). */
export function retryAfter(value: string | null): number | undefined {
  if (value === null) {
    return undefined;
  }
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}
