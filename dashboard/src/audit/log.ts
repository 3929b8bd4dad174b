// The entries of a log as one scrolls: pages behind, and while it is live also what comes in front. What is shown is
// always a part of the log without a hole.
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
/** How many pages one look reads to reach what is shown already. */
const LIVE_PAGES = 5;
export const MOST_AT_ONCE = LIVE_PAGE * LIVE_PAGES;

export interface Log extends State {
  readonly more: () => void;
  readonly look: () => void;
}

interface State {
  readonly entries: readonly AuditEntry[];
  readonly cursor: string | undefined;
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  /** Why the page behind is missing. */
  readonly error: unknown;
  /** Why the last look in front failed. */
  readonly liveError: unknown;
  /** Whether so much came at once that the list begins at its newest entry again. */
  readonly isAnew: boolean;
}

const EMPTY: State = { entries: [], cursor: undefined, hasMore: true, isLoading: true, error: undefined, liveError: undefined, isAnew: false };

/** What one look finds in front of the entry `top`. */
interface Newer {
  readonly entries: readonly AuditEntry[];
  /** Whether they reach down to `top`. Otherwise they are the newest of the log, and `cursor` leads behind them. */
  readonly isJoined: boolean;
  readonly cursor: string | undefined;
  readonly hasMore: boolean;
}

async function newer(read: ReadPage, query: Query, top: number | undefined): Promise<Newer> {
  const entries: AuditEntry[] = [];
  let cursor: string | undefined;
  let hasMore = true;
  // Where nothing is shown there is nothing to reach.
  for (let page = 0; hasMore && page < (top === undefined ? 1 : LIVE_PAGES); page += 1) {
    const { data } = await read({ ...query, limit: LIVE_PAGE, ...(cursor === undefined ? {} : { cursor }) });
    entries.push(...data.data);
    if (top !== undefined && data.data.some(({ seq }) => seq <= top)) {
      return { entries: entries.filter(({ seq }) => seq > top), isJoined: true, cursor: undefined, hasMore: true };
    }
    cursor = data.nextCursor ?? undefined;
    hasMore = data.hasMore;
  }
  return { entries, isJoined: false, cursor, hasMore };
}

export function useLog(read: ReadPage, query: Query, isLive: boolean): Log {
  const [state, setState] = useState<State>(EMPTY);
  const latest = useRef(state);
  latest.current = state;
  // Answers to filters that were changed since are dropped.
  const round = useRef(0);
  const isLooking = useRef(false);
  const key = JSON.stringify(query);

  const load = async (cursor: string | undefined): Promise<void> => {
    const own = round.current;
    setState((old) => ({ ...old, isLoading: true, error: undefined }));
    try {
      const { data } = await read({ ...query, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      if (own === round.current) {
        setState((old) => ({
          ...old,
          entries: cursor === undefined ? data.data : [...old.entries, ...data.data],
          cursor: data.nextCursor ?? undefined,
          hasMore: data.hasMore,
          isLoading: false,
        }));
      }
    } catch (error) {
      if (own === round.current) {
        setState((old) => ({ ...old, isLoading: false, error }));
        report(error);
      }
    }
  };

  const look = async (): Promise<void> => {
    const own = round.current;
    const { entries, isLoading } = latest.current;
    if (isLooking.current || (isLoading && entries.length === 0)) {
      return;
    }
    isLooking.current = true;
    try {
      const found = await newer(read, query, entries[0]?.seq);
      if (own !== round.current) {
        return;
      }
      if (found.isJoined) {
        setState((old) => ({ ...old, entries: [...found.entries, ...old.entries], liveError: undefined }));
      } else {
        round.current += 1;
        setState({ ...EMPTY, ...found, isLoading: false, isAnew: entries.length > 0 });
      }
    } catch (liveError) {
      if (own === round.current) {
        setState((old) => ({ ...old, liveError }));
        report(liveError);
      }
    } finally {
      isLooking.current = false;
    }
  };

  useEffect(() => {
    round.current += 1;
    setState(EMPTY);
    void load(undefined);
  }, [key]);

  useEffect(() => (isLive ? regularly(look) : setState((old) => ({ ...old, liveError: undefined, isAnew: false }))), [key, isLive]);

  return { ...state, more: () => void load(state.cursor), look: () => void look() };
}

/** Looks every few seconds, one look at a time, and at once when the page comes into view again; until it is ended. */
function regularly(look: () => Promise<void>): () => void {
  let isOver = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const schedule = (): void => {
    clearTimeout(timer);
    if (!isOver) {
      timer = setTimeout(() => void run(), LIVE_MS);
    }
  };
  const run = async (): Promise<void> => {
    if (!document.hidden) {
      await look();
    }
    schedule();
  };
  const shown = (): void => void run();
  document.addEventListener('visibilitychange', shown);
  schedule();
  return () => {
    isOver = true;
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', shown);
  };
}
