// The customers that fit the filters, page by page.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Item } from '@user-api/client';
import { api } from '../api';
import { report } from '../store';
import { queryOf } from './filters';
import type { ListFilterValues } from './filters';

type Listed = Item<'/admin/customers'>;

const PAGE = 25;
/** While somebody types an address no request goes out. */
const TYPING_MS = 300;

interface State {
  readonly items: readonly Listed[];
  readonly cursor: string | undefined;
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly error: unknown;
}

const EMPTY: State = { items: [], cursor: undefined, hasMore: true, isLoading: true, error: undefined };

export function useCustomers(filters: ListFilterValues): State & { readonly more: () => void } {
  const [state, setState] = useState<State>(EMPTY);
  const round = useRef(0);
  const key = JSON.stringify(filters);

  const load = async (cursor: string | undefined): Promise<void> => {
    const own = round.current;
    setState((old) => ({ ...old, isLoading: true, error: undefined }));
    try {
      const query = { ...queryOf(filters), limit: PAGE, ...(cursor === undefined ? {} : { cursor }) };
      const { data } = await api().get('/admin/customers', { query });
      if (own === round.current) {
        setState((old) => ({
          items: cursor === undefined ? data.data : [...old.items, ...data.data],
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
    const timer = setTimeout(() => void load(undefined), round.current === 1 ? 0 : TYPING_MS);
    return () => clearTimeout(timer);
  }, [key]);

  return { ...state, more: () => void load(state.cursor) };
}
