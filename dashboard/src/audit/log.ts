// The entries of a log as one scrolls: pages behind, and while it is live also what comes in front.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { components } from '@user-api/client';
import type { AuditEntry } from '../sources';
import { report } from '../store';
import type { Query } from './query';

export type ReadPage = (query: Query) => Promise<{ data: components['schemas']['AuditPage'] }>;

const PAGE = 25;
/** How often a live log is looked at. Each look is a request of the customer's, and an entry. */
const LIVE_MS = 5_000;
const LIVE_PAGE = 100;

export interface Log {
  readonly entries: readonly AuditEntry[];
  readonly isLoading: boolean;
  readonly hasMore: boolean;
  readonly error: unknown;
  readonly more: () => void;
}

interface State {
  readonly entries: readonly AuditEntry[];
  readonly cursor: string | undefined;
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly error: unknown;
}

const EMPTY: State = { entries: [], cursor: undefined, hasMore: true, isLoading: true, error: undefined };

export function useLog(read: ReadPage, query: Query, isLive: boolean): Log {
  const [state, setState] = useState<State>(EMPTY);
  // Answers to filters that were changed since are dropped.
  const round = useRef(0);
  const key = JSON.stringify(query);

  const load = async (cursor: string | undefined): Promise<void> => {
    const own = round.current;
    setState((old) => ({ ...old, isLoading: true, error: undefined }));
    try {
      const { data } = await read({ ...query, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      if (own === round.current) {
        setState((old) => ({
          entries: cursor === undefined ? data.data : [...old.entries, ...data.data],
          cursor: data.nextCursor ?? undefined,
          hasMore: data.hasMore,
          isLoading: false,
          error: undefined,
        }));
      }
    } catch (error) {
      if (own === round.current) {
        setState((old) => ({ ...old, isLoading: false, error }));
        report(error);
      }
    }
  };

  useEffect(() => {
    round.current += 1;
    setState(EMPTY);
    void load(undefined);
  }, [key]);

  useEffect(() => {
    if (!isLive) {
      return;
    }
    const look = async (): Promise<void> => {
      const own = round.current;
      if (document.hidden) {
        return;
      }
      try {
        const { data } = await read({ ...query, limit: LIVE_PAGE });
        if (own === round.current) {
          setState((old) => ({ ...old, entries: joined(data.data, old.entries) }));
        }
      } catch (error) {
        setState((old) => ({ ...old, error }));
        report(error);
      }
    };
    const timer = setInterval(() => void look(), LIVE_MS);
    return () => clearInterval(timer);
  }, [key, isLive]);

  return { ...state, more: () => void load(state.cursor) };
}

/** The newer entries in front of those that are shown already. */
export function joined(newer: readonly AuditEntry[], shown: readonly AuditEntry[]): readonly AuditEntry[] {
  const top = shown[0]?.seq ?? 0;
  return [...newer.filter(({ seq }) => seq > top), ...shown];
}
