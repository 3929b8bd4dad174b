// What is being edited, beside the version that it was read as: saving sends that version, so a change of somebody
// else is never overwritten unseen.
import { useEffect, useState } from 'preact/hooks';
import { isProblem } from '@user-api/client';
import type { Result } from '@user-api/client';
import { useAction } from '../action';
import type { Action } from '../action';
import type { Resource } from '../store';

type Read<T> = Pick<Result<T>, 'data' | 'etag'>;

interface Options<T, D> {
  readonly resource: Resource<T>;
  /** A resource as the form has it. */
  readonly draftOf: (data: T) => D;
  readonly save: (draft: D, base: D, etag: string | undefined) => Promise<Read<T>>;
  readonly read: () => Promise<Read<T>>;
}

export interface Editing<T, D> {
  readonly draft: D | undefined;
  readonly set: (change: Partial<D>) => void;
  readonly isChanged: boolean;
  readonly isSaved: boolean;
  readonly action: Action<[]>;
  /** What somebody else made of it meanwhile. */
  readonly theirs: Read<T> | undefined;
  readonly takeTheirs: () => void;
  readonly keepMine: () => void;
  readonly reset: () => void;
}

interface Base<D> {
  readonly draft: D;
  readonly etag: string | undefined;
}

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

export function useDraft<T, D extends object>({ resource, draftOf, save, read }: Options<T, D>): Editing<T, D> {
  const [base, setBase] = useState<Base<D> | undefined>(undefined);
  const [draft, setDraft] = useState<D | undefined>(undefined);
  const [theirs, setTheirs] = useState<Read<T> | undefined>(undefined);
  const [isSaved, setSaved] = useState(false);
  const { data, etag } = resource;
  const isChanged = base !== undefined && !isEqual(base.draft, draft);

  const start = (from: Read<T>): void => {
    const fresh = draftOf(from.data);
    setBase({ draft: fresh, etag: from.etag });
    setDraft(fresh);
    setTheirs(undefined);
  };
  // A newer version is taken over as long as nothing was typed.
  useEffect(() => {
    if (data !== undefined && !isChanged) {
      start({ data, etag });
    }
  }, [data, etag]);

  const send = async (against: Base<D>, wanted: D): Promise<void> => {
    setSaved(false);
    try {
      const result = await save(wanted, against.draft, against.etag);
      resource.put(result);
      start(result);
      setSaved(true);
    } catch (error) {
      if (isProblem(error, 'stale_version')) {
        setTheirs(await read());
      }
      throw error;
    }
  };
  const action = useAction(async () => {
    if (base !== undefined && draft !== undefined) {
      await send(base, draft);
    }
  });
  const overwrite = useAction(async () => {
    if (base !== undefined && draft !== undefined && theirs !== undefined) {
      // What they changed and I did not touch stays theirs; what I changed goes on top.
      const now = draftOf(theirs.data);
      const mine = Object.entries(draft).filter(([name, value]) => !isEqual(value, base.draft[name as keyof D]));
      await send({ draft: now, etag: theirs.etag }, { ...now, ...Object.fromEntries(mine) });
      action.clear();
    }
  });
  return {
    draft,
    set: (change) => {
      setSaved(false);
      setDraft((old) => (old === undefined ? old : { ...old, ...change }));
    },
    isChanged,
    isSaved,
    action: { ...action, isBusy: action.isBusy || overwrite.isBusy, error: overwrite.error ?? action.error, faults: overwrite.error === undefined ? action.faults : overwrite.faults },
    theirs,
    takeTheirs: () => {
      if (theirs !== undefined) {
        resource.put(theirs);
        start(theirs);
        action.clear();
        overwrite.clear();
      }
    },
    keepMine: () => void overwrite.run(),
    reset: () => {
      setDraft(base?.draft);
      setTheirs(undefined);
      action.clear();
      overwrite.clear();
    },
  };
}
