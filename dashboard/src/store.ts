// What was read, by key: each resource is read once for all parts of the page that show it, stays shown while it is
// read again, and fails by itself. What a change answered is never overwritten by an answer to an older question.
import { useEffect, useState } from 'preact/hooks';
import type { Result } from '@user-api/client';
import { isSignedOut } from './api';

/** Where a resource comes from. The key names it, for whoever is signed in. */
export interface Source<T> {
  readonly key: string;
  readonly load: () => Promise<Pick<Result<T>, 'data' | 'etag'>>;
}

interface Entry {
  data: unknown;
  etag: string | undefined;
  error: unknown;
  isLoading: boolean;
  /** How often it was replaced: an answer to a question asked before the last time is dropped. */
  generation: number;
  /** Whether it is to be read once more, for what is on its way may be older than what was done meanwhile. */
  isWantedAgain: boolean;
  readonly watchers: Set<() => void>;
}

/** A resource as a component sees it: at least one of `data`, `error` and `isLoading` is there. */
export interface Resource<T> {
  readonly data: T | undefined;
  readonly etag: string | undefined;
  readonly error: unknown;
  readonly isLoading: boolean;
  /** Reads it again; what comes then was asked for after this call. */
  readonly reload: () => void;
  /** Replaces it by what a change answered. */
  readonly put: (result: Pick<Result<T>, 'data' | 'etag'>) => void;
}

let entries = new Map<string, Entry>();
let whenSignedOut: (error: unknown) => void = () => {};

/** Who is told that a request found nobody signed in. */
export function onSignedOut(told: (error: unknown) => void): void {
  whenSignedOut = told;
}

/** Tells of an error that concerns the whole page. */
export function report(error: unknown): void {
  if (isSignedOut(error)) {
    whenSignedOut(error);
  }
}

/** Forgets everything: somebody else is signed in now. */
export function forgetAll(): void {
  entries = new Map();
}

function entryOf(key: string): Entry {
  let entry = entries.get(key);
  if (entry === undefined) {
    entry = {
      data: undefined,
      etag: undefined,
      error: undefined,
      isLoading: false,
      generation: 0,
      isWantedAgain: false,
      watchers: new Set(),
    };
    entries.set(key, entry);
  }
  return entry;
}

function update(entry: Entry, change: Partial<Entry>): void {
  Object.assign(entry, change);
  for (const watcher of entry.watchers) {
    watcher();
  }
}

async function load<T>(source: Source<T>, entry: Entry): Promise<void> {
  if (entry.isLoading) {
    return;
  }
  entry.isWantedAgain = false;
  const { generation } = entry;
  update(entry, { isLoading: true, error: undefined });
  const settle = (change: Partial<Entry>): void => update(entry, { ...(generation === entry.generation ? change : {}), isLoading: false });
  try {
    const { data, etag } = await source.load();
    settle({ data, etag });
  } catch (error) {
    settle({ error });
    if (entries.get(source.key) === entry) {
      report(error);
    }
  }
  if (entry.isWantedAgain && entries.get(source.key) === entry) {
    await load(source, entry);
  }
}

function again<T>(source: Source<T>, entry: Entry): void {
  entry.isWantedAgain = true;
  void load(source, entry);
}

/** A resource as it is, without reading it. */
export function useShown<T>(source: Source<T>): Resource<T> {
  const [, redraw] = useState(0);
  const entry = entryOf(source.key);
  useEffect(() => {
    const watcher = (): void => redraw((count) => count + 1);
    entry.watchers.add(watcher);
    return () => {
      entry.watchers.delete(watcher);
    };
  }, [entry]);
  return {
    data: entry.data as T | undefined,
    etag: entry.etag,
    error: entry.error,
    isLoading: entry.isLoading || (entry.data === undefined && entry.error === undefined),
    reload: () => again(source, entry),
    put: ({ data, etag }) => update(entry, { data, etag, error: undefined, generation: entry.generation + 1 }),
  };
}

/** The same, read again whenever a part of the page that shows it comes up; not at all unless it `isWanted`. */
export function useResource<T>(source: Source<T>, isWanted = true): Resource<T> {
  const shown = useShown(source);
  const entry = entryOf(source.key);
  useEffect(() => {
    if (isWanted) {
      void load(source, entry);
    }
  }, [entry, isWanted]);
  return shown;
}
