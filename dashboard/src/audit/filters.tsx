// Who, what, how it ended, and when.
import { SelectField, TextField } from '../parts/field';
import { NO_FILTERS } from './query';
import type { Filters } from './query';
import { ACTORS, OUTCOMES } from './words';

interface Props {
  readonly filters: Filters;
  readonly change: (filters: Filters) => void;
  readonly actions: Readonly<Record<string, string>>;
}

export function FilterBar({ filters, change, actions }: Props) {
  const set = (name: keyof Filters) => (value: string) => change({ ...filters, [name]: value });
  const isAny = JSON.stringify(filters) === JSON.stringify(NO_FILTERS);
  return (
    <form class="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <SelectField label="Who" value={filters.actor} onChange={set('actor')} options={[['', 'Anyone'], ...Object.entries(ACTORS)]} />
      <SelectField label="Did what" value={filters.action} onChange={set('action')} options={[['', 'Anything'], ...Object.entries(actions)]} />
      <SelectField label="Outcome" value={filters.outcome} onChange={set('outcome')} options={OUTCOMES} />
      <TextField label="From" type="datetime-local" value={filters.from} onChange={set('from')} />
      <TextField label="To" type="datetime-local" value={filters.to} onChange={set('to')} />
      <button type="button" class="button" disabled={isAny} onClick={() => change(NO_FILTERS)}>
        Clear
      </button>
    </form>
  );
}
