// A change that the user asked for: runs one at a time, and keeps what it failed with.
import { useState } from 'preact/hooks';
import { isProblem } from '@user-api/client';
import { report } from './store';

export interface Action<A extends unknown[]> {
  readonly run: (...args: A) => Promise<void>;
  readonly isBusy: boolean;
  readonly error: unknown;
  /** What is wrong with the fields of the body, by JSON Pointer. */
  readonly faults: ReadonlyMap<string, string>;
  readonly clear: () => void;
}

const NONE: ReadonlyMap<string, string> = new Map();

export function useAction<A extends unknown[]>(act: (...args: A) => Promise<void>): Action<A> {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const run = async (...args: A): Promise<void> => {
    if (isBusy) {
      return;
    }
    setBusy(true);
    setError(undefined);
    try {
      await act(...args);
    } catch (failure) {
      setError(failure);
      report(failure);
    } finally {
      setBusy(false);
    }
  };
  return {
    run,
    isBusy,
    error,
    faults: isProblem(error) ? error.faults : NONE,
    clear: () => setError(undefined),
  };
}
